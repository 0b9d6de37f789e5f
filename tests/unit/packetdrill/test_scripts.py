"""Every script of tests/scripts passes. Each is a test of its own; the last test prints how many there are."""

from __future__ import annotations

import re
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


def test_over_ipv6_too() -> None:
    """Where no address, MTU or default MSS is said all goes the same over IPv6; an MTU of 1520 makes the MSS 1460."""
    about_ipv4 = re.compile(r"ip_version=ipv6|--mtu|icmp|IP_T|mtu_discovery|black-?hole|TCP_MAXSEG|means-536")
    texts = [(path, path.read_text(encoding="utf-8")) for path in ALL]
    neutral = [
        (path, text.replace("--ip_version=ipv4", ""))
        for path, text in texts
        if not about_ipv4.search(f"{path.name}{text}")
    ]
    assert len(neutral) > 450
    played = [play(f"--ip_version=ipv6\n--mtu=1520\n{text}", str(path)) for path, text in neutral]
    assert not [str(verdict) for verdict in played if verdict.kind != "passed"]
