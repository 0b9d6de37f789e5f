"""Second subflows: who may join, addresses that come and go, backups, and what is left when a path dies."""

from __future__ import annotations

from itertools import pairwise

import pytest
from multiwire import FAR, FAR_TOO, NEAR, NEAR_TOO, PORT, MultiWire, pattern

from netlab.stack.mptcp.connection import Mptcp
from netlab.stack.mptcp.paths import OwnAddress
from netlab.stack.tcp.layer import Pair
from netlab.stack.tcp.segment import Segment
from netlab.units import MS, SEC
from netlab.wire.mptcp import (
    LACK_OF_RESOURCES,
    MPTCP_ERROR,
    PROHIBITED,
    AddAddr,
    FastClose,
    JoinAck,
    JoinSyn,
    JoinSynAck,
    Prio,
    RemoveAddr,
    Reset,
    parse,
    token,
)
from netlab.wire.tcp import RST, SYN, Options


def begun(wire: MultiWire) -> Mptcp:
    """A connection that has a byte to send."""
    m = wire.connect()
    m.write(b"!")
    return m


def joined(*, backup: bool = False) -> tuple[MultiWire, Mptcp, Mptcp]:
    """A connection with two subflows, at rest, that one byte went over: then it is sure of itself and joins (§3.1)."""
    wire = MultiWire()
    wire.use_both(backup=backup)
    m = begun(wire)
    wire.run(until=1 * SEC)
    server = wire.server()
    assert server is not None and len(m.subflows) == len(server.subflows) == 2
    assert server.read(10) == b"!"
    return wire, m, server


def test_a_join_is_proved_in_both_directions() -> None:
    wire, m, server = joined()
    assert len(wire.said(JoinSyn)) == len(wire.said(JoinSynAck)) == 1
    assert all(s.confirmed for s in (*m.subflows, *server.subflows))
    [(_, ack)] = wire.said(JoinAck)
    assert isinstance(ack, JoinAck) and len(ack.hmac) == 20


def changed(kind: type, change: object) -> object:
    """A middlebox that changes options of a kind."""

    def box(pair: Pair, s: Segment) -> Segment:
        values = []
        for value in s.options.mptcp:
            option = parse(value)
            if isinstance(option, kind):
                option = change(option)  # type: ignore[operator]
                value = option.pack()
            values.append(value)
        return s._replace(options=s.options._replace(mptcp=tuple(values)))

    return box


def _spoilt(option: JoinAck | JoinSynAck) -> JoinAck | JoinSynAck:
    return option._replace(hmac=bytes((option.hmac[0] ^ 1,)) + option.hmac[1:])


@pytest.mark.parametrize(("kind", "who"), [(JoinSynAck, NEAR_TOO), (JoinAck, FAR)])
def test_a_forged_proof_ends_the_join_and_not_the_connection(kind: type, who: int) -> None:
    wire, data = MultiWire(), pattern(50_000)
    wire.use_both()
    wire.boxes.append(changed(kind, _spoilt))  # type: ignore[arg-type]
    m = wire.connect()
    assert wire.transfer(m, data) == data
    resets = [(pair.local, option) for pair, option in wire.said(Reset) if isinstance(option, Reset)]
    assert (who, Reset(0, PROHIBITED)) in resets


def test_a_token_that_nobody_gave_is_refused_with_a_reason() -> None:
    wire, m, _ = joined()
    option = JoinSyn(False, 3, 12345, 678).pack()
    pair = Pair(FAR, PORT, 99, 1000)
    step = wire.b.segment(pair, Segment(5, 0, SYN, 1000, options=Options(mptcp=(option,))), wire.now)
    [out] = step.send
    assert out.segment.flags & RST
    assert [parse(v) for v in out.segment.options.mptcp] == [Reset(0, MPTCP_ERROR)]
    assert len(m.subflows) == 2


def test_more_joins_than_there_is_room_for_are_refused() -> None:
    wire, _, server = joined()
    wire.far.settings.accept_joins = 1
    option = JoinSyn(False, 3, token(server.local_key), 678).pack()
    syn = Segment(5, 0, SYN, 1000, options=Options(mptcp=(option,)))
    [out] = wire.b.segment(Pair(FAR, PORT, 99, 1000), syn, wire.now).send
    assert [parse(v) for v in out.segment.options.mptcp] == [Reset(0, LACK_OF_RESOURCES)]


def test_a_listener_that_goes_forgets_what_was_half_open() -> None:
    wire = MultiWire()
    wire.boxes.append(lambda pair, s: s if s.flags == SYN else None)
    wire.connect()
    wire.run(until=100 * MS)
    assert wire.far.by_token
    wire.b.unlisten(wire.listener, wire.now)
    assert not wire.far.by_token


def test_the_third_ack_of_a_join_is_lost_and_said_again() -> None:
    wire = MultiWire()
    wire.use_both()
    lost: list[int] = []

    def box(pair: Pair, s: Segment) -> Segment | None:
        if pair.local == NEAR_TOO and not s.flags & SYN and not lost:
            lost.append(wire.now)
            return None
        return s

    wire.boxes.append(box)
    m = begun(wire)
    wire.run(until=3 * SEC)
    server = wire.server()
    assert lost and server is not None
    assert len(m.subflows) == 2 and all(s.confirmed for s in (*m.subflows, *server.subflows))


# ---- addresses -----------------------------------------------------------------------------------


def announcing(**settings: object) -> tuple[MultiWire, Mptcp]:
    """`b` announces its second address."""
    wire = MultiWire()
    wire.far.own.append(OwnAddress(FAR_TOO, 7, subflow=False, signal=True))
    return wire, wire.connect()


def test_an_announced_address_is_echoed_and_joined() -> None:
    wire, m = announcing()
    wire.run(until=1 * SEC)
    first, echo = (option for _, option in wire.said(AddAddr))
    assert isinstance(first, AddAddr) and isinstance(echo, AddAddr)
    assert (first.address, len(first.hmac)) == (FAR_TOO, 8)
    assert echo == first._replace(hmac=b"")
    assert [(s.pair.remote, s.remote_id) for s in m.subflows] == [(FAR, 0), (FAR_TOO, 7)]


def test_an_announcement_that_is_lost_is_said_again_three_times_in_all() -> None:
    wire, m = announcing()
    said: list[int] = []

    def box(pair: Pair, s: Segment) -> Segment | None:
        if any(isinstance(parse(v), AddAddr) for v in s.options.mptcp):
            said.append(wire.now)
            return None
        return s

    wire.boxes.append(box)
    wire.run(until=20 * SEC)
    assert len(said) == 3 and said[1] - said[0] == said[2] - said[1] == 1 * SEC
    assert len(m.subflows) == 1


def test_a_forged_announcement_is_neither_echoed_nor_joined() -> None:
    wire, m = announcing()
    wire.boxes.append(changed(AddAddr, lambda option: option._replace(address=666)))  # type: ignore[arg-type]
    wire.run(until=1 * SEC)
    assert not m.paths.remote and len(m.subflows) == 1


def test_an_address_is_withdrawn_and_its_subflow_goes() -> None:
    wire, m, server = joined()
    wire.do(wire.near, m, m.withdraw(wire.near.own[0], wire.now))
    wire.run(until=wire.now + 200 * MS)
    assert [option for _, option in wire.said(RemoveAddr)] == [RemoveAddr((2,))]
    assert len(m.subflows) == len(server.subflows) == 1
    assert not server.closed


# ---- backups and deaths --------------------------------------------------------------------------


def test_a_backup_carries_nothing_until_it_is_needed() -> None:
    wire, m, server = joined(backup=True)
    m.write(pattern(20_000))
    wire.do(wire.near, m, m.push(wire.now))
    wire.run(until=wire.now + 1 * SEC)
    assert [s.octets for s in m.subflows] == [20_001, 0]
    wire.do(wire.near, m, m.prefer(m.subflows[1], wire.now, backup=False))
    wire.do(wire.near, m, m.prefer(m.subflows[0], wire.now, backup=True))
    wire.run(until=wire.now + 1 * SEC)
    assert {option for _, option in wire.said(Prio)} == {Prio(True), Prio(False)}
    assert [s.backup for s in server.subflows] == [True, False]
    m.write(pattern(20_000))
    wire.do(wire.near, m, m.push(wire.now))
    wire.run(until=wire.now + 1 * SEC)
    assert [s.octets for s in m.subflows] == [20_001, 20_000]
    assert len(server.inbox) == 40_000


def test_one_subflow_is_reset_and_its_bytes_go_by_the_other() -> None:
    wire, data = MultiWire(), pattern(400_000)
    wire.use_both()
    m = wire.connect()

    def box(pair: Pair, s: Segment) -> Segment | None:
        return s._replace(flags=s.flags | RST, payload=b"") if pair.local == NEAR and wire.now > 60 * MS else s

    wire.boxes.append(box)
    assert wire.transfer(m, data) == data


def test_one_subflow_goes_while_the_other_hangs_and_its_bytes_wait_for_that() -> None:
    wire, data = MultiWire(), pattern(3_000_000)
    wire.use_both()
    hanging, going = range(60 * MS, 2000 * MS), 320 * MS

    def box(pair: Pair, s: Segment) -> Segment | None:
        if wire.now in hanging and NEAR in (pair.local, pair.remote):
            return None
        if pair.local == NEAR_TOO and wire.now > going:
            return s._replace(flags=s.flags | RST, payload=b"")
        return s

    wire.boxes.append(box)
    m = wire.connect()
    assert wire.transfer(m, data) == data


def test_a_path_dies_without_a_word_and_the_stream_waits_no_longer_than_two_timeouts() -> None:
    wire, data = MultiWire(), pattern(3_000_000)
    wire.use_both()
    progress: list[int] = []

    def box(pair: Pair, s: Segment) -> Segment | None:
        if wire.now > 60 * MS and NEAR in (pair.local, pair.remote):
            return None
        server = wire.server()
        if s.payload and server is not None and (not progress or server.receiving.nxt != progress[-1]):
            arrivals.append(wire.now)
            progress.append(server.receiving.nxt)
        return s

    arrivals: list[int] = []
    wire.boxes.append(box)
    m = wire.connect()
    assert wire.transfer(m, data) == data
    timeout = 200 * MS + 20 * MS
    stall = max(b - a for a, b in pairwise(arrivals))
    assert 100 * MS < stall <= 2 * timeout


# ---- the end -------------------------------------------------------------------------------------


def test_data_fin_ends_each_direction_by_itself() -> None:
    wire, m, server = joined()
    m.write(b"last words")
    wire.do(wire.near, m, m.shutdown(wire.now))
    wire.run(until=wire.now + 1 * SEC)
    assert server.read(100) == b"last words" and server.at_end
    assert not m.closed and len(m.subflows) == 2, "the other direction is open still"
    server.write(b"and mine")
    wire.do(wire.far, server, server.close(wire.now))
    wire.run(until=wire.now + 1 * SEC)
    assert m.read(100) == b"and mine" and m.at_end and m.closed
    wire.run()
    assert not wire.a.endpoints and not wire.b.endpoints


def test_data_fin_is_lost_and_said_again() -> None:
    wire, m, server = joined()
    silence = wire.now + 2 * SEC
    wire.boxes.append(lambda pair, s: None if wire.now < silence else s)
    wire.do(wire.near, m, m.shutdown(wire.now))
    wire.run(until=wire.now + 10 * SEC)
    assert server.receiving.ended and m.sending.fin_acked


def test_an_abort_cuts_every_subflow_with_proof() -> None:
    wire, m, server = joined()
    wire.do(wire.near, m, m.abort(wire.now))
    wire.run(until=wire.now + 1 * SEC)
    said = [option for _, option in wire.said(FastClose)]
    assert set(said) == {FastClose(server.local_key)}
    assert ("far", "reset", "ECONNRESET") in wire.told
    assert not wire.a.endpoints and not wire.b.endpoints and not wire.far.by_token


def test_fastclose_without_the_key_cuts_nothing() -> None:
    wire, m, _ = joined()
    pair = m.subflows[0].pair
    forged = Segment(m.subflows[0].c.rcv_nxt % (1 << 32), m.subflows[0].c.snd_nxt % (1 << 32), 16, 100)
    forged = forged._replace(options=Options(mptcp=(FastClose(1).pack(),), timestamps=(1 << 30, 0)))
    wire.a.segment(pair, forged, wire.now)
    assert not m.closed and not m.cut
    assert pair.local == NEAR
