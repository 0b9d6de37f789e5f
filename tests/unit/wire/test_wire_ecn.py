"""Marks on frames: what may be marked is, with its checksum right, and nothing else is touched."""

from __future__ import annotations

import pytest

from netlab.wire import ecn, ethernet, ipv4, ipv6, vlan
from netlab.wire.decode import describe

MAC = bytes(6)


def four(tos: int) -> bytes:
    return ethernet.build(MAC, MAC, ethernet.IPV4, ipv4.build(0x0A000001, 0x0A000002, 17, b"12345678abc", tos=tos))


def six(tos: int) -> bytes:
    return ethernet.build(MAC, MAC, 0x86DD, ipv6.build(1, 2, 17, b"12345678abc", tos=tos, flow=0x12345))


def tagged(tos: int) -> bytes:
    return vlan.push(vlan.push(four(tos), 10), 100, tpid=vlan.STAG)


@pytest.mark.parametrize("frame", [four, six, tagged])
def test_what_can_be_marked_is(frame: object) -> None:
    assert callable(frame)
    for capable in (ipv4.ECT0, ipv4.ECT1):
        assert ecn.codepoint(frame(0xB8 | capable)) == capable
        assert ecn.with_ce(frame(0xB8 | capable)) == frame(0xB8 | ipv4.CE), "DSCP stays, and IPv4's checksum is right"
    for other in (ipv4.NOT_ECT, ipv4.CE):
        assert ecn.with_ce(frame(0xB8 | other)) is None


@pytest.mark.parametrize("n", [0, 12, 13, 14, 20, 33, 53])
def test_what_is_cut_short_or_no_ip_is_never_marked(n: int) -> None:
    for frame in (
        four(2)[: min(n, 33)],
        six(2)[:n],
        tagged(2)[: min(n, 41)],
        ethernet.build(MAC, MAC, 0x0806, bytes(n)),
    ):
        assert ecn.codepoint(frame) == ipv4.NOT_ECT
        assert ecn.with_ce(frame) is None


def test_a_mark_shows_in_words() -> None:
    for frame in (four, six):
        assert " CE " in describe(frame(ipv4.CE))
        assert " CE " not in describe(frame(ipv4.ECT0))
