"""Our live traffic before other people's judges: tcpdump finds every checksum right, tshark nothing to remark upon."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from duels import ATTEMPTS, BAD, SHORT, need_root, sizes_up_to, whole

from netlab.backend.native.duel import duel

HARMLESS = {"TCP window update", "TCP Zero-length window update"}
"""tshark remarks on these, and they are as they should be."""
WARNING = 6291456
"""Its severity of a warning; errors are above it."""


@pytest.fixture(autouse=True)
def privilege() -> None:
    need_root()
    for command in ("tshark", "tcpdump"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} is missing: apt-get install {command}")


def captured(file: Path, **request: Any) -> dict[str, Any]:
    """A duel without offload, so that what tcpdump sees is what would be on a wire."""
    found = duel(offload=False, keep=True, knobs=SHORT, account=True, capture=str(file), **request)
    whole(found, request["sizes"])
    return found


def tcpdump(file: Path) -> list[str]:
    """What tcpdump says of each packet."""
    argv = ["tcpdump", "-vv", "-n", "-r", str(file)]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return re.sub(r"\n\s+", " ", said).splitlines()


def tshark(file: Path, condition: str, *fields: str) -> list[list[str]]:
    """Fields of the packets for which the condition holds, with all checksums looked at."""
    argv = ["tshark", "-r", str(file), "-Y", condition, "-T", "fields"]
    for name in ("tcp", "ip"):
        argv += ["-o", f"{name}.check_checksum:TRUE"]
    for field in fields:
        argv += ["-e", field]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in said.splitlines()]


def remarks(file: Path) -> set[str]:
    """What tshark remarks upon, apart from the beginning and the end of connections."""
    condition = f"tcp.analysis.flags || _ws.malformed || _ws.expert.severity >= {WARNING} || tcp.checksum.status == 0"
    said = {remark for _, words in tshark(file, condition, "frame.number", "_ws.expert.message") for remark in [words]}
    return said - HARMLESS


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("role", ["send", "take", "serve", "fetch"])
def test_a_good_wire_leaves_nothing_to_remark_upon(role: str, family: int, tmp_path: Path) -> None:
    """No segment twice, none out of order, no acknowledgement of what was not seen, no keep-alive, no reset.

    Where the machine is busy, somebody may send a segment twice: then it is tried again.
    """
    file, said = tmp_path / "good.pcap", set[str]()
    for _ in range(ATTEMPTS):
        captured(file, role=role, family=family, sizes=[500_000, 1, 1448, 50_000])
        lines = tcpdump(file)
        assert len(lines) > 400
        assert [line for line in lines if "(correct)" not in line] == []
        assert [line for line in lines if re.search(r"incorrect|invalid|truncated|bad (length|opt)", line)] == []
        said = remarks(file)
        if not said:
            return
    raise AssertionError(said)


@pytest.mark.parametrize("role", ["send", "take"])
def test_on_a_bad_cable_what_we_send_is_right(role: str, tmp_path: Path) -> None:
    """Whatever is lost, doubled and late: each segment of ours is whole, with its checksums and options."""
    file = tmp_path / "bad.pcap"
    captured(file, role=role, sizes=sizes_up_to(50_000, 10, role), faults={**BAD, "corrupt": 0.0})
    ours = "ip.src == 10.0.0.1 && (_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0)"
    assert tshark(file, ours, "frame.number") == []
    assert tshark(file, "ip.src == 10.0.0.1 && tcp.options.sack", "frame.number") or role == "send"
    never_sent = "ip.src == 10.0.0.1 && tcp.analysis.ack_lost_segment"
    assert len(tshark(file, never_sent, "frame.number")) < 10, "only what the capture itself has lost"


def test_the_judges_do_see_what_is_wrong(tmp_path: Path) -> None:
    """A cable that spoils frames is found out by both, so their silence above means something."""
    file = tmp_path / "spoilt.pcap"
    captured(file, role="send", sizes=[100_000] * 3, faults={"corrupt": 0.1, "duplicate": 0.05})
    assert any("incorrect" in line for line in tcpdump(file))
    assert any("retransmission" in remark for remark in remarks(file))
