"""Ten minutes of coverage-guided fuzzing: no exception, no endless loop, no growth."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netlab.wire import pcap, pcapng
from netlab.wire.samples import samples

SECONDS = int(os.environ.get("NETLAB_FUZZ_SECONDS", "600"))
TARGET = Path(__file__).with_name("fuzz_wire.py")


def seed(corpus: Path) -> None:
    """Every sample, alone, as a bare packet, and in both kinds of capture file."""
    corpus.mkdir()
    ng, classic = io.BytesIO(), io.BytesIO()
    writers = pcapng.Writer(ng), pcap.Writer(classic)
    for i, (name, frame) in enumerate(samples().items()):
        (corpus / f"{name} frame").write_bytes(frame)
        (corpus / f"{name} packet").write_bytes(frame[14:])
        if i % 8 == 0:
            writers[0].packet(writers[0].interface("h1-eth0"), i, frame, comment=name)
            writers[1].packet(i, frame)
    (corpus / "pcapng").write_bytes(ng.getvalue())
    (corpus / "pcap").write_bytes(classic.getvalue())


@pytest.mark.long
@pytest.mark.may_skip("atheris has no wheels for every machine and every Python")
@pytest.mark.timeout(SECONDS + 120)
def test_nothing_that_a_wire_or_a_file_may_hold_breaks_its_reader(tmp_path: Path):
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed; 'pip install atheris' (Linux, x86-64) would make this run")
    seed(tmp_path / "corpus")
    limits = ["-max_len=4096", "-timeout=5", "-rss_limit_mb=1024", f"-max_total_time={SECONDS}"]
    done = subprocess.run(
        [sys.executable, TARGET, *limits, f"-artifact_prefix={tmp_path}/", tmp_path / "corpus"],
        capture_output=True,
        text=True,
        timeout=SECONDS + 100,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert "DONE" in done.stderr or "Done" in done.stderr
