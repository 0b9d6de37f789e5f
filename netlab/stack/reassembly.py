"""Fragments become packets again (RFC 791 §3.2, RFC 815, RFC 8200 §4.5), within limits and for a while.

One machine for both versions of IP: what they disagree on (how long, what an overlap means) is handed in.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable
from typing import Literal, NamedTuple

from netlab.stack.mbuf import Mbuf
from netlab.units import SEC
from netlab.wire import ipv4

TIMEOUT4 = 30 * SEC
"""As Linux (net.ipv4.ipfrag_time) and FreeBSD; RFC 791 began with 15 s, RFC 1122 §3.3.2 asks for 60 to 120 s."""
TIMEOUT6 = 60 * SEC
"""RFC 8200 §4.5."""
LARGEST = 65535
"""No IPv4 packet and no IPv6 payload (without a jumbo option) is longer."""

MARKED_IN_PART = "a fragment is marked, and another cannot be"

Overlap = Literal["drop", "first"]
"""What two fragments that claim the same bytes mean: the end of the whole packet (RFC 5722; Linux does so for IPv4
too), or that the one that came first is right (BSD for IPv4)."""


class Limits(NamedTuple):
    """What may be held: fragments of one packet, packets, and bytes of all of them together."""

    fragments: int = 128
    packets: int = 256
    octets: int = 4 << 20
    """Linux net.ipv4.ipfrag_high_thresh."""


class Piece(NamedTuple):
    """A fragment: its bytes belong at ``offset``; ``more`` says that it isn't the last."""

    offset: int
    payload: bytes
    more: bool

    @property
    def end(self) -> int:
        """The first offset behind it."""
        return self.offset + len(self.payload)


class Partial:
    """A packet of which fragments are missing. ``failed`` says why nothing can become of it any more."""

    __slots__ = ("arrived", "deadline", "failed", "first", "holding", "key", "octets", "others", "pieces", "total")

    def __init__(self, key: Hashable, deadline: int) -> None:
        self.key, self.deadline = key, deadline
        self.pieces: list[tuple[int, bytes]] = []
        """(offset, bytes), in order, never overlapping."""
        self.arrived: set[Piece] = set()
        self.octets = 0
        self.holding = 0
        self.total: int | None = None
        self.first: Mbuf | None = None
        """The mbuf of the fragment at offset 0: its journey goes on when the packet is whole."""
        self.others: list[Mbuf] = []
        self.failed = ""

    @property
    def held(self) -> list[Mbuf]:
        """Every mbuf that waits here, the first fragment's first."""
        return [self.first, *self.others] if self.first is not None else self.others


class Taken(NamedTuple):
    """What became of a fragment: usually nothing but that it is held."""

    whole: bytes = b""
    """The payload, when this fragment was the last one missing."""
    first: Mbuf | None = None
    """Then: the mbuf that goes on with it."""
    others: tuple[Mbuf, ...] = ()
    """Then: the mbufs whose journeys end here."""
    gone: tuple[tuple[str, Mbuf], ...] = ()
    """(reason, mbuf) of what was dropped."""
    begun: Partial | None = None
    """A packet that was begun by this fragment: `expire` it at its deadline."""


def was_marked(taken: Taken) -> bool | None:
    """Whether a queue marked a fragment of what is whole now, so that all of it counts as marked (RFC 3168 §5.3).

    None when another fragment says that the packet cannot be marked: then somebody set the mark who must not.
    """
    assert taken.first is not None
    found = {m.l3.ecn for m in (taken.first, *taken.others)}
    return None if {ipv4.CE, ipv4.NOT_ECT} <= found else ipv4.CE in found


class Reassembly:
    """The packets of one host that are not whole yet."""

    __slots__ = ("_octets", "_partials", "limits", "overlap", "timeout")

    def __init__(self, timeout: int = TIMEOUT4, *, overlap: Overlap = "drop", limits: Limits | None = None) -> None:
        self.timeout, self.overlap, self.limits = timeout, overlap, limits or Limits()
        self._partials: dict[Hashable, Partial] = {}
        self._octets = 0

    def __len__(self) -> int:
        return len(self._partials)

    @property
    def octets(self) -> int:
        """Bytes of payload that are held."""
        return self._octets

    def held(self) -> list[Mbuf]:
        """Every mbuf that waits for the rest of its packet."""
        return [m for partial in self._partials.values() for m in partial.held]

    def take(self, key: Hashable, piece: Piece, m: Mbuf, now: int) -> Taken:
        """A fragment of the packet ``key``; ``m`` is the mbuf that brought it."""
        fault = _impossible(piece)
        if fault:
            return Taken(gone=((fault, m),))
        partial = self._partials.get(key)
        begun = None
        if partial is None:
            partial = begun = self._partials[key] = Partial(key, now + self.timeout)
        if partial.failed:
            return Taken(gone=((partial.failed, m),))
        if piece in partial.arrived:
            return Taken(gone=(("fragment came twice", m),))
        fault = self._misfit(partial, piece)
        if fault:
            return Taken(gone=((fault, m), *self._fail(partial, fault)), begun=begun)
        self._hold(partial, piece, m)
        if partial.octets == partial.total:
            return self._complete(partial)
        return Taken(gone=self._make_room(partial), begun=begun)

    def expire(self, partial: Partial) -> list[Mbuf]:
        """Forget a packet whose time is up; the mbufs it held, none when it was whole or given up before."""
        if self._partials.get(partial.key) is not partial:
            return []
        self._forget(partial)
        return partial.held

    def _misfit(self, partial: Partial, piece: Piece) -> str:
        """Why the fragment cannot belong to the packet that the others are of."""
        if partial.holding >= self.limits.fragments:
            return f"more than {self.limits.fragments} fragments of one packet"
        known = partial.pieces[-1][0] + len(partial.pieces[-1][1]) if partial.pieces else 0
        total = partial.total
        beyond = total is not None and piece.end > total
        earlier = not piece.more and piece.end < (known if total is None else total)
        if beyond or earlier:
            return "fragments disagree on where the packet ends"
        if self.overlap == "drop" and _gaps(partial.pieces, piece) != [(piece.offset, piece.end)]:
            return "fragments overlap"
        return ""

    def _hold(self, partial: Partial, piece: Piece, m: Mbuf) -> None:
        partial.arrived.add(piece)
        partial.holding += 1
        for start, end in _gaps(partial.pieces, piece):
            insort(partial.pieces, (start, piece.payload[start - piece.offset : end - piece.offset]))
            partial.octets += end - start
            self._octets += end - start
        if not piece.more:
            partial.total = piece.end
        if piece.offset == 0 and partial.first is None:
            partial.first = m
        else:
            partial.others.append(m)

    def _complete(self, partial: Partial) -> Taken:
        self._forget(partial)
        return Taken(b"".join(part for _, part in partial.pieces), partial.first, tuple(partial.others))

    def _fail(self, partial: Partial, why: str) -> tuple[tuple[str, Mbuf], ...]:
        """Drop what is held; the packet's name stays until its deadline, so that what still comes is dropped too."""
        held = tuple((why, m) for m in partial.held)
        self._octets -= partial.octets
        partial.failed, partial.first, partial.others, partial.pieces = why, None, [], []
        partial.octets = 0
        partial.arrived.clear()
        return held

    def _make_room(self, newest: Partial) -> tuple[tuple[str, Mbuf], ...]:
        """Give up the oldest packets until the limits hold."""
        gone: list[tuple[str, Mbuf]] = []
        while len(self._partials) > self.limits.packets or self._octets > self.limits.octets:
            oldest = next(iter(self._partials.values()))
            self._forget(oldest)
            gone += [("too many fragments wait", m) for m in oldest.held]
            if oldest is newest:
                break
        return tuple(gone)

    def _forget(self, partial: Partial) -> None:
        del self._partials[partial.key]
        self._octets -= partial.octets


def _impossible(piece: Piece) -> str:
    """Why no packet can have such a fragment."""
    if piece.end > LARGEST:
        return "fragment ends behind the largest packet"
    if piece.more and (len(piece.payload) % 8 or not piece.payload):
        return "fragment before the last is no multiple of 8 bytes"
    return ""


def _gaps(pieces: list[tuple[int, bytes]], piece: Piece) -> list[tuple[int, int]]:
    """What of the fragment's range nobody has brought yet, as (start, end)."""
    at, found = piece.offset, []
    begin = max(0, bisect_left(pieces, (piece.offset, b"")) - 1)
    for start, part in pieces[begin:]:
        if start >= piece.end:
            break
        if start > at:
            found.append((at, start))
        at = max(at, start + len(part))
    if at < piece.end or not piece.payload:
        found.append((at, piece.end))
    return found
