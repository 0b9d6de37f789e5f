"""LRO as FreeBSD's drivers do it (sys/netinet/tcp_lro.c): few flows at once, acknowledgements too, and not reversible.

What is kept of many segments is one header: acknowledgement, window and timestamps are the newest ones. So how many
segments there were, and how each began, nobody can tell afterwards: a host that forwards must not do it.
"""

from __future__ import annotations

from typing import NamedTuple

from netlab.stack.mbuf import Mbuf
from netlab.stack.offload.places import (
    U32,
    Offload,
    Places,
    end_of,
    places,
    say_length,
    sound,
    summed,
)
from netlab.wire import ipv4
from netlab.wire.tcp import ACK, PSH, TIMESTAMPS

STAMPS = bytes((1, 1, TIMESTAMPS, 10))
"""How aligned timestamps begin (RFC 7323 appendix A): the only options that LRO knows."""
STAMPED = 12


class LroLimits(NamedTuple):
    """What one batch may become."""

    entries: int = 8
    """Flows at once (TCP_LRO_ENTRIES); a packet of one more goes up as it is."""
    acks: int = 65_535
    """Segments and acknowledgements that become one (net.inet.tcp.lro.lro_ackcnt_lim)."""
    length: int = ipv4.MAXIMUM
    """Bytes of an IP packet (lro_length_lim)."""
    sort: bool = False
    """Whether a batch is sorted by flow before, so that one entry after the other is enough (FreeBSD D4914)."""


LIMITS = LroLimits()


class _Entry:
    """A flow's segments so far."""

    __slots__ = ("ack", "at", "count", "first", "flags", "mbuf", "next_seq", "size", "stamps", "texts", "window")

    def __init__(self, m: Mbuf, at: Places, text: bytes) -> None:
        data, l4 = m.data, at.l4
        self.mbuf, self.at, self.first = m, at, data
        self.texts, self.size, self.count = [text], len(text), 1
        self.next_seq = U32.unpack_from(data, l4 + 4)[0] + len(text) & 0xFFFFFFFF
        self.ack, self.window = U32.unpack_from(data, l4 + 8)[0], data[l4 + 14 : l4 + 16]
        self.stamps, self.flags = data[l4 + 20 : at.text], data[l4 + 13]

    def takes(self, data: bytes, at: Places, text: bytes) -> bool:
        """Whether a segment goes on where this ends, and neither acknowledgement nor time goes back."""
        l4 = at.l4
        (ack,) = U32.unpack_from(data, l4 + 8)
        newer = ack - self.ack & 0xFFFFFFFF
        return (
            at == self.at
            and U32.unpack_from(data, l4 + 4)[0] == self.next_seq
            and newer < 1 << 31
            and (bool(text) or newer > 0)  # a duplicate acknowledgement must be seen as one
            and _alike(data, self.first, at)
            and _no_older(data[l4 + 20 : at.text], self.stamps)
        )

    def add(self, data: bytes, at: Places, text: bytes) -> None:
        """One more: its acknowledgement, window and timestamps are the ones that count."""
        l4 = at.l4
        if text:
            self.texts.append(text)
        self.size, self.count = self.size + len(text), self.count + 1
        self.next_seq = self.next_seq + len(text) & 0xFFFFFFFF
        self.ack, self.window = U32.unpack_from(data, l4 + 8)[0], data[l4 + 14 : l4 + 16]
        self.stamps, self.flags = data[l4 + 20 : at.text], self.flags | data[l4 + 13]

    def full(self, limits: LroLimits) -> bool:
        """Whether a segment as long as the first might be too much."""
        longest = self.at.text - self.at.l3 + self.size + len(self.texts[0])
        return self.count >= limits.acks or longest > limits.length

    def finish(self) -> Mbuf:
        """One segment that says what all did, its checksum right."""
        if self.count > 1:
            at = self.at
            made = bytearray(self.first[: at.text] + b"".join(self.texts))
            U32.pack_into(made, at.l4 + 8, self.ack)
            made[at.l4 + 13] = self.flags
            made[at.l4 + 14 : at.l4 + 16] = self.window
            made[at.l4 + 20 : at.text] = self.stamps
            say_length(made, at)
            self.mbuf.data = summed(made, at)
            self.mbuf.offload = Offload(checked=True)
        return self.mbuf


def _alike(data: bytes, first: bytes, at: Places) -> bool:
    """Link header, type of service and time to live."""
    where = (at.l3, at.l3 + 1, at.l3 + 7) if at.six else (at.l3 + 1, at.l3 + 6, at.l3 + 7, at.l3 + 8)
    return data[: at.l3] == first[: at.l3] and all(data[n] == first[n] for n in where)


def _no_older(stamps: bytes, than: bytes) -> bool:
    if len(stamps) != len(than):
        return False
    return not stamps or U32.unpack_from(stamps, 4)[0] - U32.unpack_from(than, 4)[0] & 0xFFFFFFFF < 1 << 31


def _refuses(data: bytes, at: Places) -> bool:
    """Flags but ACK and PSH, urgent data, options of IP, or of TCP others than aligned timestamps."""
    l4 = at.l4
    options = data[l4 + 20 : at.text]
    plain = not options or (len(options) == STAMPED and options[:4] == STAMPS and any(options[8:]))
    flags = data[l4 + 13]
    return bool(flags & ~(ACK | PSH)) or not flags & ACK or not plain or (not at.six and l4 - at.l3 != ipv4.SIZE)


def lro(vector: list[Mbuf], limits: LroLimits = LIMITS) -> tuple[list[Mbuf], list[Mbuf]]:
    """(frames, those that went into others) of one batch from a receive ring; with its end all entries are let go.

    A flow's packets keep their order; flows may overtake each other.
    """
    batch = [(m, _of_tcp(m)) for m in vector]
    if limits.sort:
        batch.sort(key=lambda one: _flow(one[0], one[1]) if one[1] else b"")
    table = _Table(limits)
    for m, at in batch:
        table.take(m, at)
    table.flush()
    return table.out, table.absorbed


def _of_tcp(m: Mbuf) -> Places | None:
    if m.offload is not None and m.offload.segsz:
        return None
    at = places(m.data)
    return at if at is not None and at.proto == ipv4.TCP else None


def _flow(m: Mbuf, at: Places) -> bytes:
    """Both addresses and both ports."""
    addresses = at.l3 + (8 if at.six else 12)
    return m.data[addresses : addresses + (32 if at.six else 8)] + m.data[at.l4 : at.l4 + 4]


class _Table:
    """The entries of one ring, and what has gone up so far."""

    def __init__(self, limits: LroLimits) -> None:
        self._limits = limits
        self._entries: dict[bytes, _Entry] = {}
        self.out: list[Mbuf] = []
        self.absorbed: list[Mbuf] = []

    def take(self, m: Mbuf, at: Places | None) -> None:
        """Into its flow's entry, or up."""
        if at is None:
            self.out.append(m)
            return
        key, text = _flow(m, at), m.data[at.text : end_of(m.data, at)]
        entry = self._entries.get(key)
        if self._limits.sort and entry is None:
            self.flush()  # the flow before is over
        bad = _refuses(m.data, at) or not sound(m, at)
        if entry is not None and not bad and entry.takes(m.data, at, text):
            entry.add(m.data, at, text)
            self.absorbed.append(m)
            if entry.full(self._limits):
                self._let_go(key)
            return
        if entry is not None:
            self._let_go(key)
        if bad or len(self._entries) == self._limits.entries:
            self.out.append(m)
        else:
            self._entries[key] = _Entry(m, at, text)

    def flush(self) -> None:
        """All of them go up, in the order in which they began."""
        for key in list(self._entries):
            self._let_go(key)

    def _let_go(self, key: bytes) -> None:
        self.out.append(self._entries.pop(key).finish())
