"""Middleboxes: whatever they take out or change, the bytes arrive, by plain TCP or by another subflow."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from multiwire import FAR, NEAR, NEAR_TOO, MultiWire, pattern, without_mptcp

from netlab.stack.mptcp.connection import Mptcp
from netlab.stack.tcp.layer import Pair
from netlab.stack.tcp.segment import Segment
from netlab.wire.mptcp import MIDDLEBOX, Capable, Dss, Fail, Reset, parse
from netlab.wire.tcp import ACK, SYN

WHERE = {
    "SYN": lambda pair, s: s.flags & (SYN | ACK) == SYN,
    "SYN ACK": lambda pair, s: s.flags & (SYN | ACK) == SYN | ACK,
    "third ACK": lambda pair, s: not s.flags & SYN and pair.local == NEAR and not s.payload,
    "all but SYNs": lambda pair, s: not s.flags & SYN,
}


@pytest.mark.parametrize("where", WHERE)
def test_options_are_taken_out_and_plain_tcp_remains(where: str) -> None:
    wire, data = MultiWire(), pattern(100_000)
    wire.boxes.append(lambda pair, s: without_mptcp(pair, s) if WHERE[where](pair, s) else s)
    wire.use_both()
    m = wire.connect()
    assert wire.transfer(m, data) == data
    assert m.plain is not None
    assert len({pair for _, pair, _ in wire.seen}) == 2, "one connection, both directions"


def test_a_syn_with_the_option_is_lost_each_time_and_one_without_gets_through() -> None:
    wire, data = MultiWire(), pattern(10_000)
    wire.boxes.append(lambda pair, s: None if s.flags & SYN and s.options.mptcp else s)
    m = wire.connect()
    assert wire.transfer(m, data) == data
    assert m.plain is not None


def test_the_third_ack_is_lost_and_the_first_data_bring_the_keys() -> None:
    wire, data = MultiWire(), pattern(100_000)
    lost: list[Segment] = []

    def box(pair: Pair, s: Segment) -> Segment | None:
        if pair.local == NEAR and not s.flags & SYN and not s.payload and not lost:
            lost.append(s)
            return None
        return s

    wire.boxes.append(box)
    m = wire.connect()
    assert wire.transfer(m, data) == data
    assert m.plain is None
    assert [option for _, option in wire.said(Capable) if isinstance(option, Capable) and option.data_length]


@dataclass
class Forger:
    """Changes one byte of text on one wire, once; TCP's own checksum is made right again."""

    address: int
    done: bool = False

    def __call__(self, pair: Pair, s: Segment) -> Segment:
        if self.done or pair.local != self.address or len(s.payload) < 1000 or s.seq % 7:
            return s
        self.done = True
        return s._replace(payload=bytes((s.payload[0] ^ 1,)) + s.payload[1:])


def test_a_byte_is_changed_on_the_only_path_and_mp_fail_says_so() -> None:
    wire, data = MultiWire(), pattern(300_000)
    wire.near.settings.checksum = True
    forger = Forger(NEAR)
    wire.boxes.append(forger)
    m = wire.connect()
    got = wire.transfer(m, data)
    assert forger.done
    assert wire.said(Fail), "the receiver says from where on it was wrong"
    assert m.plain is not None and isinstance(wire.peer, Mptcp) and wire.peer.plain is not None
    assert len(got) == len(data)
    assert sum(a != b for a, b in zip(got, data, strict=True)) == 1, "what changes text may have meant to"


def test_a_byte_is_changed_on_one_of_two_paths_and_comes_right_by_the_other() -> None:
    wire, data = MultiWire(), pattern(400_000)
    wire.near.settings.checksum = True
    wire.use_both()
    forger = Forger(NEAR_TOO)
    wire.boxes.append(forger)
    m = wire.connect()
    assert wire.transfer(m, data) == data
    assert forger.done
    [(pair, said)] = wire.said(Reset)
    assert pair.remote == NEAR_TOO
    assert isinstance(said, Reset) and said.reason == MIDDLEBOX


def test_without_checksums_nobody_notices() -> None:
    wire, data = MultiWire(), pattern(300_000)
    wire.boxes.append(Forger(NEAR))
    got = wire.transfer(wire.connect(), data)
    assert got != data and len(got) == len(data)


def test_a_listener_that_speaks_plain_tcp_gets_plain_tcp() -> None:
    wire, data = MultiWire(), pattern(50_000)
    wire.listener.multipath = False
    m = wire.connect()
    assert wire.transfer(m, data) == data
    assert m.plain is not None and not isinstance(wire.peer, Mptcp)


def test_no_dss_leaves_once_it_is_plain() -> None:
    wire = MultiWire()
    wire.boxes.append(lambda pair, s: without_mptcp(pair, s) if pair.local == FAR else s)
    m = wire.connect()
    wire.transfer(m, pattern(50_000))
    assert not [1 for _, pair, s in wire.seen for v in s.options.mptcp if pair.local == NEAR and _is_dss(v)]


def _is_dss(value: bytes) -> bool:
    return isinstance(parse(value), Dss)
