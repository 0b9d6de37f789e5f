"""Long segments: cut by the rules of each field, joined again to the same bytes, and TCP that sends them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.stack.host import Host
from netlab.stack.ifcaps import Capability
from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import Offload, coalesce, cut, finished, places, settle
from netlab.stack.tcp.scoreboard import Scoreboard, Sent
from netlab.wire import ethernet, ipv4, ipv6, tcp
from netlab.wire.checksum import internet
from netlab.wire.tcp import ACK, CWR, FIN, PSH

A, B = 0x0A000001, 0x0A000002
A6, B6 = (0xFD00 << 112) + 1, (0xFD00 << 112) + 2
STAMPS = b"\x01\x01" + tcp.option(tcp.TIMESTAMPS, bytes(range(8)))


def frame(
    text: bytes,
    *,
    seq: int = 1000,
    flags: int = ACK,
    ident: int = 7,
    six: bool = False,
    tag: bool = False,
    partial: bool = False,
    window: int = 500,
    options: bytes = STAMPS,
    port: int = 5000,
) -> bytes:
    src, dst = (A6, B6) if six else (A, B)
    s = tcp.build(port, 80, seq, 77, flags, window, text, src, dst, options=options, partial=partial)
    ip = (
        ipv6.header(src, dst, 6, len(s))
        if six
        else ipv4.header(src, dst, 6, len(s), id=ident, fragment=ipv4.DONT_FRAGMENT)
    )
    made = ethernet.build(bytes(6), bytes(6), ethernet.IPV6 if six else ethernet.IPV4) + ip + s
    return made[:12] + b"\x81\x00\x00\x05" + made[12:] if tag else made


def numbered(size: int) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in range(size // 4 + 1))[:size]


def on_the_wire(text: bytes, segsz: int, flags: int, six: bool, tag: bool) -> Iterator[bytes]:
    """The oracle: every piece built as TCP and IP build a segment of their own."""
    starts = list(range(0, len(text), segsz))
    for number, at in enumerate(starts):
        own = flags & ~(CWR if number else 0) & ~(0 if at == starts[-1] else FIN | PSH)
        seq = (0xFFFFFF00 + at) % (1 << 32)
        yield frame(text[at : at + segsz], seq=seq, flags=own, ident=(0xFFFE + number) % 65536, six=six, tag=tag)


@pytest.mark.parametrize("tag", [False, True])
@pytest.mark.parametrize("six", [False, True])
@given(st.integers(2, 5000), st.integers(1, 900), st.sampled_from([0, FIN, PSH, CWR, FIN | PSH | CWR]))
def test_cut_is_what_tcp_would_have_built_and_joined_it_is_the_whole(
    six: bool, tag: bool, size: int, segsz: int, more: int
) -> None:
    text, flags = numbered(size), ACK | more
    whole = frame(text, seq=0xFFFFFF00, flags=flags, ident=0xFFFE, six=six, tag=tag, partial=True)
    pieces = cut(whole, segsz)
    assert pieces == list(on_the_wire(text, segsz, flags, six, tag))
    joined, absorbed = coalesce([Mbuf(piece) for piece in pieces])
    assert [m.data for m in joined] == ([whole] if len(pieces) > 1 else pieces)
    assert len(absorbed) == len(pieces) - 1
    if len(pieces) > 1:
        assert joined[0].offload == Offload(segsz, partial=True)


def joined(*frames: bytes) -> int:
    return len(coalesce([Mbuf(f) for f in frames])[0])


def test_only_what_says_the_same_is_joined() -> None:
    first, second = frame(b"a" * 100), frame(b"b" * 100, seq=1100, ident=8)
    assert joined(first, second) == 1
    others = {
        "a gap": frame(b"b" * 100, seq=1101, ident=8),
        "another window": frame(b"b" * 100, seq=1100, ident=8, window=501),
        "other options": frame(b"b" * 100, seq=1100, ident=8, options=STAMPS[:-1] + b"!"),
        "another flow": frame(b"b" * 100, seq=1100, ident=8, port=5001),
        "a jump of the identifier": frame(b"b" * 100, seq=1100, ident=9),
        "longer than the first": frame(b"b" * 101, seq=1100, ident=8),
        "no text": frame(b"", seq=1100, ident=8),
        "a reset": frame(b"b" * 100, seq=1100, ident=8, flags=ACK | tcp.RST),
        "a wrong checksum": second[:-1] + b"!",
    }
    assert {name: joined(first, other) for name, other in others.items()} == dict.fromkeys(others, 2)
    assert joined(frame(b"a" * 100, flags=ACK | PSH), second) == 2, "nothing follows the end of a message"
    assert joined(first, frame(b"b" * 50, seq=1100, ident=8), frame(b"c" * 50, seq=1150, ident=9)) == 2


def test_two_flows_are_joined_each_by_itself_and_keep_their_order() -> None:
    flows = [frame(b"x" * 10, seq=10 * n, ident=n, port=port) for n in range(4) for port in (1, 2)]
    frames, absorbed = coalesce([Mbuf(f) for f in flows])
    assert [places(m.data) is not None and len(m.data) for m in frames] == [14 + 20 + 32 + 40] * 2
    assert len(absorbed) == 6


def test_padding_of_a_short_frame_is_no_text() -> None:
    short = frame(b"ab", options=b"") + bytes(4)
    frames, absorbed = coalesce([Mbuf(short), Mbuf(frame(b"cd", seq=1002, ident=8, options=b"") + bytes(4))])
    assert frames[0].data.endswith(b"abcd") and len(absorbed) == 1


def test_a_device_gets_what_it_can_do() -> None:
    whole = frame(bytes(3000), partial=True)
    ifp = Ifnet("e0", bytes(6))

    def settled(can: Capability, offload: Offload, data: bytes = whole) -> list[Mbuf]:
        ifp.capenable = can
        m = Mbuf(data)
        m.offload = offload
        return settle(m, ifp)

    long, short = Offload(1448, partial=True), Offload(partial=True)
    assert [len(m.data) - 66 for m in settled(Capability.NONE, long)] == [1448, 1448, 104]
    (untouched,) = settled(Capability.TSO | Capability.TXCSUM, long)
    assert untouched.data == whole and untouched.offload == long
    (summed,) = settled(Capability.NONE, short, frame(b"x" * 11, partial=True))
    assert summed.data == frame(b"x" * 11) and summed.offload is None


def test_whatever_is_no_tcp_is_left_alone() -> None:
    for strange in (b"", bytes(60), frame(b"x")[:40], frame(b"x", tag=True)[:30]):
        assert cut(strange, 5) == [strange] and finished(strange) == strange
        assert coalesce([Mbuf(strange)])[0][0].data == strange


def test_a_peer_may_hold_a_part_of_what_was_sent_at_once() -> None:
    board = Scoreboard()
    board.sent(Sent(0, 10_000, 1))
    assert board.mark_sacked(2000, 5000) == [], "a sender that cuts nothing waits for the whole"
    (held,) = board.mark_sacked(2000, 5000, cut=True)
    assert (held.start, held.end) == (2000, 5000)
    assert [(s.start, s.end, s.sacked) for s in board.segments] == [
        (0, 2000, False),
        (2000, 5000, True),
        (5000, 10_000, False),
    ]
    assert (board.outstanding, board.sacked, board.in_flight) == (10_000, 3000, 7000)


def test_a_partial_checksum_is_the_pseudo_header() -> None:
    made = tcp.build(1, 2, 3, 4, ACK, 5, b"hello", A, B, partial=True)
    start = int.from_bytes(made[16:18], "big")
    summed = made[:16] + internet(made).to_bytes(2, "big") + made[18:]
    assert start and tcp.checksum_ok(summed, 0, len(summed), A, B)


def test_a_host_asks_its_interfaces_who_sums_and_who_cuts() -> None:
    ifp = Ifnet("e0", bytes(6))
    host = Host("h", "host", (ifp,), ())
    assert (host.tcp.delays4, host.tcp.delays6, host.tcp.cuts_itself, ifp.longest) == (False, False, True, 0)
    ifp.capenable = Capability.TXCSUM | Capability.TSO
    assert (host.tcp.delays4, host.tcp.delays6, host.tcp.cuts_itself, ifp.longest) == (True, False, False, 64_000)


@pytest.mark.parametrize("loss", [0.0, 0.02])
@pytest.mark.parametrize("offload", [True, False])
def test_in_virtual_time_a_stream_is_the_same_with_long_segments_and_without(offload: bool, loss: float) -> None:
    from netlab.backend.sim.session import SimSession
    from netlab.stack.drivers.faults import Faults
    from netlab.topology.load import load_topology
    from netlab.topology.resolve import resolve
    from netlab.workload.bulk import BulkSender, Sink, pattern

    plan = resolve(load_topology("pair"))
    faults = {i.name: Faults(loss=loss, reorder=loss) for i in plan.interfaces()} if loss else {}
    with SimSession(plan, seed=3, faults=faults) as session:
        near, far = (session.executors[name] for name in ("h1", "h2"))
        for end in (near, far):
            end.host.tcp.offload(offload)
        text = pattern(400_000)
        sink = Sink(far.host, 5001)
        sender = BulkSender(near.host, min(far.host.addresses), 5001, text, lambda *_: None)
        near.inject(sender.start(session.now))
        near.arm()
        session.loop.run(120_000_000_000)
    assert sender.finished is not None and not sender.error
    assert sink.digests == [hashlib.sha256(text).hexdigest()]
