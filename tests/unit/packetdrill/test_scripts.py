"""Every script of tests/scripts passes. Each is a test of its own; the last test prints how many there are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from netlab.packetdrill.player import play

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
ALL = sorted(SCRIPTS.rglob("*.pkt"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_script_passes(path: Path) -> None:
    verdict = play(path.read_text(encoding="utf-8"), str(path.relative_to(SCRIPTS)))
    assert verdict.kind == "passed", str(verdict)


def test_there_are_at_least_three_hundred(capsys: pytest.CaptureFixture[str]) -> None:
    topics = Counter(path.relative_to(SCRIPTS).parts[0] for path in ALL)
    with capsys.disabled():
        said = ", ".join(f"{topic} {count}" for topic, count in sorted(topics.items()))
        print(f"\n{len(ALL)} packetdrill scripts: {said}")
    assert len(ALL) >= 300
