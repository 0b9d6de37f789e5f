"""What the terminal shows of the sample log, word for word: a reviewer reads a change as a diff."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import pytest

from netlab.view.path import packet_path
from netlab.view.render.terminal import render

HERE = Path(__file__).parent / "view"
SAMPLE = Path(__file__).parents[1] / "unit" / "view" / "sample_log.py"
CASES = {
    "ping.txt": ({}, 1, True),
    "ttl-ends.txt": ({}, 5, True),
    "reply-from-a-kernel.txt": ({"stages": False, "backend": "mininet", "lost": 3}, 4, False),
}


@pytest.mark.parametrize("name", CASES)
def test_the_terminal_text_is_as_it_was(name: str, request: pytest.FixtureRequest) -> None:
    options, pkt, unicode = CASES[name]
    text = render(packet_path(run_path(str(SAMPLE))["sample_log"](**options), pkt), unicode=unicode)
    golden = HERE / name
    if request.config.getoption("--update-goldens"):
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text, "meant? then pytest --update-goldens, and read the diff"
