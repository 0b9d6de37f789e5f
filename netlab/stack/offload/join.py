"""GRO: what comes in is joined so that nothing is lost; cut again it is what it was, byte for byte.

(Linux net/core/gro.c: 8 buckets of flows, 8 packets held in each, all let go when the batch is over.)
"""

from __future__ import annotations

from collections.abc import Container
from zlib import crc32

from netlab.stack.mbuf import Mbuf
from netlab.stack.offload.cut import EDGES
from netlab.stack.offload.places import U16, U32, Offload, Places, end_of, places, pseudo, say_length, sound, unsummed
from netlab.wire import ipv4
from netlab.wire.checksum import fold
from netlab.wire.tcp import ACK, CWR

BUCKETS, HELD = 8, 8
"""How many flows are told apart at once: 8 in each of 8 buckets; of more, the oldest is joined to no longer."""
MOST_DATAGRAMS = 64
"""How many datagrams are joined (Linux UDP_GRO_CNT_MAX)."""
NO_PORTS: Container[int] = frozenset[int]()


class _Run:
    """Segments of one flow that have come in order, while more may follow."""

    __slots__ = ("at", "closed", "count", "first", "ident", "mbuf", "next_seq", "size", "texts", "udp")

    def __init__(self, m: Mbuf, at: Places, text: bytes) -> None:
        self.mbuf, self.at, self.first, self.texts = m, at, m.data, [text]
        self.size, self.count, self.udp = len(text), 1, at.proto == ipv4.UDP
        self.ident = U16.unpack_from(m.data, at.l3 + 4)[0]
        self.next_seq, self.closed = 0, False
        if not self.udp:
            self.next_seq = U32.unpack_from(m.data, at.l4 + 4)[0] + len(text) & 0xFFFFFFFF
            self.closed = bool(m.data[at.l4 + 13] & EDGES)

    def takes(self, frame: bytes, at: Places, text: bytes) -> bool:
        """Whether the frame goes on where this ends, and says nothing else."""
        first = self.first
        return (
            not self.closed
            and at == self.at
            and len(text) <= len(self.texts[0])
            and self.size + len(text) + at.text - at.l3 <= ipv4.MAXIMUM
            and (at.six or U16.unpack_from(frame, at.l3 + 4)[0] == (self.ident + self.count) & 0xFFFF)
            and _network(frame, at) == _network(first, at)
            and (self._datagram(frame) if self.udp else self._segment(frame))
        )

    def _datagram(self, frame: bytes) -> bool:
        return self.count < MOST_DATAGRAMS and unsummed(frame, self.at) == unsummed(self.first, self.at)

    def _segment(self, frame: bytes) -> bool:
        at, first = self.at, self.first
        flags = at.l4 + 13
        return (
            U32.unpack_from(frame, at.l4 + 4)[0] == self.next_seq
            and frame[flags] & ~EDGES == first[flags] & ~CWR & ~EDGES
            and _said(frame, at) == _said(first, at)
        )

    def add(self, frame: bytes, text: bytes) -> None:
        """One more; a short one, or one that ends a message, is the last."""
        self.texts.append(text)
        self.size += len(text)
        self.count += 1
        self.closed = len(text) < len(self.texts[0])
        if self.udp:
            return
        self.next_seq = self.next_seq + len(text) & 0xFFFFFFFF
        edges = frame[self.at.l4 + 13] & EDGES
        if edges:
            self.closed = True
            changed = bytearray(self.first)
            changed[self.at.l4 + 13] |= edges
            self.first = bytes(changed)

    def finish(self) -> Mbuf:
        """The long segment, as if its sender's device had been left to cut it."""
        if self.count == 1:
            return self.mbuf
        made, at = bytearray(self.first[: self.at.text] + b"".join(self.texts)), self.at
        partial = not unsummed(self.first, at)
        say_length(made, at)
        if partial:
            U16.pack_into(made, at.sum, fold(pseudo(made, at)) % 0xFFFF or 0xFFFF)
        self.mbuf.data = bytes(made)
        self.mbuf.offload = Offload(len(self.texts[0]), partial=partial, checked=not partial)
        return self.mbuf


def _network(frame: bytes, at: Places) -> tuple[bytes, bytes, bytes]:
    """All that must be alike up to the ports: not length, identifier and checksum."""
    link, network = frame[: at.l3], frame[at.l3 : at.l4]
    network = network[:4] + network[6:] if at.six else network[:2] + network[6:10] + network[12:]
    return link, network, frame[at.l4 : at.l4 + 4]


def _said(frame: bytes, at: Places) -> tuple[bytes, bytes, bytes]:
    """Acknowledgement and offset, window, urgent pointer and options: not sequence number, flags and checksum."""
    l4 = at.l4
    return frame[l4 + 8 : l4 + 13], frame[l4 + 14 : l4 + 16], frame[l4 + 18 : at.text]


class _Flows:
    """The runs that may still grow, by their flow's bucket."""

    def __init__(self) -> None:
        self._buckets: list[dict[bytes, _Run]] = [{} for _ in range(BUCKETS)]

    def get(self, key: bytes) -> _Run | None:
        return self._buckets[crc32(key) % BUCKETS].get(key)

    def forget(self, key: bytes) -> None:
        self._buckets[crc32(key) % BUCKETS].pop(key, None)

    def add(self, key: bytes, run: _Run) -> None:
        bucket = self._buckets[crc32(key) % BUCKETS]
        if len(bucket) == HELD:
            del bucket[next(iter(bucket))]
        bucket[key] = run


def coalesce(vector: list[Mbuf], udp_ports: Container[int] = NO_PORTS) -> tuple[list[Mbuf], list[Mbuf]]:
    """(frames, those that went into others): runs of one flow as one frame, in the place of their first.

    Joined is what came in order, with the same acknowledgement, window and options, whose checksum is right; datagrams
    of one length, for ``udp_ports``, whose sockets understand that. A flow's packets never change their order.
    """
    found: list[Mbuf | _Run] = []
    flows, absorbed = _Flows(), []
    for m in vector:
        at = places(m.data) if m.offload is None or not m.offload.segsz else None
        if at is None:
            found.append(m)
            continue
        text = m.data[at.text : end_of(m.data, at)]
        key = b"%c%b" % (at.proto, m.data[at.l3 + (8 if at.six else 12) : at.l4 + 4])
        run = flows.get(key)
        if text and run and run.takes(m.data, at, text) and sound(m, at):
            run.add(m.data, text)
            absorbed.append(m)
            continue
        flows.forget(key)
        if text and _may_begin(m.data, at, udp_ports) and sound(m, at):
            run = _Run(m, at, text)
            flows.add(key, run)
            found.append(run)
        else:
            found.append(m)
    return [one.finish() if isinstance(one, _Run) else one for one in found], absorbed


def _may_begin(frame: bytes, at: Places, udp_ports: Container[int]) -> bool:
    if at.proto == ipv4.UDP:
        return U16.unpack_from(frame, at.l4 + 2)[0] in udp_ports
    return not frame[at.l4 + 13] & ~(ACK | EDGES | CWR)
