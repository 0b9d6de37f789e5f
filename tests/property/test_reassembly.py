"""Fragments in any order, number and shape, against a plain oracle; and within their limits whatever comes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from netlab.stack.fragment import cut, joined
from netlab.stack.ip6.fragment import cut6
from netlab.stack.mbuf import Mbuf
from netlab.stack.reassembly import Limits, Overlap, Piece, Reassembly, Taken
from netlab.wire import ipv4, ipv6

PAYLOADS = st.binary(min_size=1, max_size=400)


@st.composite
def honest(draw: st.DrawFn) -> tuple[bytes, list[Piece]]:
    """A payload, and its fragments in any order, some of them repeated."""
    payload = draw(PAYLOADS)
    inner = sorted(draw(st.sets(st.integers(1, max(1, (len(payload) - 1) // 8)), max_size=12)))
    cuts = [0, *(8 * n for n in inner if 8 * n < len(payload)), len(payload)]
    parts = [Piece(a, payload[a:b], b < len(payload)) for a, b in pairwise(cuts)]
    return payload, draw(st.permutations(parts + draw(st.lists(st.sampled_from(parts), max_size=4))))


PIECES = st.builds(
    lambda unit, size, more, fill: Piece(8 * unit, bytes((fill,)) * (size & ~7 if more else size), more),
    st.integers(0, 8), st.integers(0, 40), st.booleans(), st.integers(0, 255),
)  # fmt: skip
"""Fragments that anybody might make up; few enough offsets that they meet."""


def feed(reassembly: Reassembly, pieces: list[Piece]) -> list[Taken]:
    return [reassembly.take("key", piece, Mbuf(b"", pkt=n), 0) for n, piece in enumerate(pieces, start=1)]


@given(honest())
def test_every_order_and_repetition_gives_the_packet_once(made: tuple[bytes, list[Piece]]) -> None:
    payload, pieces = made
    reassembly = Reassembly()
    pieces = pieces[: 1 + max(pieces.index(piece) for piece in set(pieces))]  # later ones would begin a new packet
    taken = feed(reassembly, pieces)
    assert [t.whole for t in taken if t.first is not None] == [payload]
    assert len(reassembly) == reassembly.octets == 0
    done = taken[-1]
    assert done.first is not None
    ended = {m.pkt for m in (done.first, *done.others)} | {m.pkt for t in taken for _, m in t.gone}
    assert ended == set(range(1, len(pieces) + 1)), "every mbuf goes on, ends, or is dropped, once"


class Oracle:
    """Bytes in a dict: who came first is right; or whoever contradicts ends it all."""

    def __init__(self, overlap: Overlap) -> None:
        self.overlap = overlap
        self.octets: dict[int, int] = {}
        self.total: int | None = None
        self.seen: list[Piece] = []
        self.failed = False

    def take(self, piece: Piece) -> bytes | None:
        if (piece.more and not piece.payload) or self.failed or piece in self.seen:
            return None
        mine = range(piece.offset, piece.end)
        highest = max(self.octets, default=-1) + 1
        wrong = piece.end > self.total if self.total is not None else False
        wrong |= not piece.more and piece.end < (highest if self.total is None else self.total)
        if wrong or (self.overlap == "drop" and any(n in self.octets for n in mine)):
            self.failed = True
            return None
        self.seen.append(piece)
        for n in mine:
            self.octets.setdefault(n, piece.payload[n - piece.offset])
        self.total = self.total if piece.more else piece.end
        if self.total is None or len(self.octets) < self.total:
            return None
        return bytes(self.octets[n] for n in range(self.total))


@given(st.sampled_from(["drop", "first"]), st.lists(PIECES, max_size=12))
def test_made_up_fragments_give_what_the_oracle_gives(overlap: Overlap, pieces: list[Piece]) -> None:
    reassembly, oracle = Reassembly(overlap=overlap), Oracle(overlap)
    for n, piece in enumerate(pieces):
        taken = reassembly.take("key", piece, Mbuf(b"", pkt=n), 0)
        expected = oracle.take(piece)
        assert (taken.whole if taken.first is not None else None) == expected, piece
        if expected is not None:
            return
        assert reassembly.octets == (0 if oracle.failed else len(oracle.octets))


@given(st.lists(st.tuples(st.integers(0, 9), PIECES), max_size=60))
def test_limits_hold_whatever_comes(arrivals: list[tuple[int, Piece]]) -> None:
    limits = Limits(fragments=4, packets=3, octets=120)
    reassembly = Reassembly(limits=limits)
    for n, (key, piece) in enumerate(arrivals):
        reassembly.take(key, piece, Mbuf(b"", pkt=n), 0)
        assert len(reassembly) <= limits.packets and reassembly.octets <= limits.octets


@given(PAYLOADS, st.integers(68, 500), st.integers(68, 500), st.binary(max_size=12))
def test_what_is_cut_and_cut_again_is_the_same_packet(payload: bytes, wide: int, narrow: int, filling: bytes) -> None:
    option = bytes((0x82, 2 + len(filling))) + filling
    packet = ipv4.build(1, 2, ipv4.UDP, payload, id=7, options=option)
    parts = [small for part in cut(packet, wide) for small in cut(part, narrow)]
    assert all(len(part) <= max(narrow, 68) and ipv4.fault(part) == "" for part in parts)
    reassembly = Reassembly()
    headers = [(part, ipv4.parse(part)) for part in parts]
    if len(parts) == 1:
        assert parts == [packet]
        return
    taken = feed(reassembly, [Piece(h.offset, p[h.size :], h.more_fragments) for p, h in headers if h])
    assert joined(parts[0], taken[-1].whole) == packet


@given(st.binary(min_size=1, max_size=5000), st.integers(1280, 1500), st.integers(0, 2**32 - 1))
def test_ipv6_is_cut_into_parts_that_fit(payload: bytes, mtu: int, id: int) -> None:
    parts = cut6(ipv6.build(1, 2, 17, payload), mtu, id)
    heads = [ipv6.parse_fragment(part, 40) for part in parts]
    assert all(len(part) <= mtu and ipv6.fault(part) == "" for part in parts)
    assert b"".join(part[48:] for part in parts) == payload
    assert all(h is not None and (h.id, h.proto) == (id, 17) for h in heads)
