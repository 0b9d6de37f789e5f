"""Long TCP segments inside a host: cut as late as possible (GSO), joined as early as possible (GRO).

One long segment costs a stack what one short segment costs. So TCP builds segments of up to 64 KB; whoever sends them
on a wire cuts them: the device (TSO), or `settle` right before a device that cannot. What comes in is joined by the
device (LRO), or by `coalesce`. Cut and joined again, a segment is what it was, byte for byte.
(Linux Documentation/networking/segmentation-offloads.rst; FreeBSD sys/netinet/tcp_lro.c.)
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from netlab.stack.ifcaps import Capability
from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.wire import ethernet, ipv4, tcp
from netlab.wire.checksum import fold, internet
from netlab.wire.tcp import ACK, CWR, FIN, PSH
from netlab.wire.vlan import TAGS

LONGEST = 64_000
"""Bytes of text in a long segment: with all headers it fits into the 65,535 of an IP packet."""
CHECKSUM_AT = 16
"""Where a TCP header holds its checksum."""

_U16, _U32 = Struct("!H"), Struct("!I")
_EDGES = FIN | PSH
"""Flags that a cut segment says with its last piece alone (CWR: with its first alone, RFC 3168 §6.1.2)."""


class Offload(NamedTuple):
    """What is still to be done with a packet, or was done with it already."""

    segsz: int = 0
    """It is to be cut into pieces with so much text each; 0: it is none that needs to be cut."""
    partial: bool = False
    """Its TCP checksum field holds the pseudo header's sum only; the last one to send it adds the rest."""
    checked: bool = False
    """Its TCP checksum was found right, or was never on a wire."""

    @property
    def trusted(self) -> bool:
        """Whether nobody needs to sum over it again."""
        return self.partial or self.checked


class Places(NamedTuple):
    """Where the headers of a TCP segment stand in a frame."""

    l3: int
    l4: int
    text: int
    six: bool


def places(frame: bytes) -> Places | None:
    """The headers of a frame with a whole TCP segment, None for any other frame (a fragment, options of IPv6)."""
    at = 12
    if len(frame) < 34:
        return None
    kind = frame[at] << 8 | frame[at + 1]
    while kind in TAGS and len(frame) >= at + 26:
        at += 4
        kind = frame[at] << 8 | frame[at + 1]
    l3 = at + 2
    if kind == ethernet.IPV4:
        if frame[l3] >> 4 != 4 or frame[l3 + 9] != ipv4.TCP or (frame[l3 + 6] << 8 | frame[l3 + 7]) & 0x3FFF:
            return None
        l4 = l3 + ((frame[l3] & 15) << 2)
    elif kind == ethernet.IPV6 and len(frame) >= l3 + 40 and frame[l3 + 6] == ipv4.TCP:
        l4 = l3 + 40
    else:
        return None
    if len(frame) < l4 + tcp.SIZE:
        return None
    text = l4 + (frame[l4 + 12] >> 4 << 2)
    return Places(l3, l4, text, kind == ethernet.IPV6) if l4 + tcp.SIZE <= text <= len(frame) else None


# ---- out -----------------------------------------------------------------------------------------


def settle(m: Mbuf, ifp: Ifnet) -> list[Mbuf]:
    """The frames that a device can send: cut and summed here as far as it cannot do so itself.

    A VLAN or a tunnel wraps what it sends; so for those everything is done here.
    """
    offload: Offload | None = m.offload
    if offload is None or not (offload.segsz or offload.partial):
        return [m]
    can = ifp.capenable if ifp.below is None else Capability.NONE
    if offload.segsz and not can & Capability.TSO:
        return _pieces(m, cut(m.data, offload.segsz))
    if offload.partial and not can & Capability.TXCSUM:
        m.data, m.offload = finished(m.data), None
    return [m]


def _pieces(m: Mbuf, frames: list[bytes]) -> list[Mbuf]:
    """The first piece goes on with the journey of the whole; the others begin in it."""
    made = []
    for frame in frames[1:]:
        piece = Mbuf(frame, parent=m.pkt)
        piece.ifp, piece.next_hop = m.ifp, m.next_hop
        made.append(piece)
    m.data, m.offload = frames[0], None
    return [m, *made]


def finished(frame: bytes) -> bytes:
    """The frame with its TCP checksum whole, whatever stood there."""
    at = places(frame)
    return frame if at is None else _summed(bytearray(frame), at)


def cut(frame: bytes, segsz: int) -> list[bytes]:
    """The frames that a frame with a long TCP segment stands for; each has its lengths and checksums.

    Sequence numbers and IPv4 identifiers go up, options are the same in all, CWR is in the first alone, FIN and PSH
    are in the last alone. The frame itself, summed, when nothing is to be cut.
    """
    at = places(frame)
    if at is None:
        return [frame]
    head, end = frame[: at.text], len(frame)
    starts = range(at.text, end, segsz) or (at.text,)
    return [
        _piece(head, frame[n : n + segsz], at, n - at.text, number, n + segsz >= end) for number, n in enumerate(starts)
    ]


def _piece(head: bytes, text: bytes, at: Places, offset: int, number: int, last: bool) -> bytes:
    made = bytearray(head + text)
    (seq,) = _U32.unpack_from(head, at.l4 + 4)
    _U32.pack_into(made, at.l4 + 4, (seq + offset) & 0xFFFFFFFF)
    flags = made[at.l4 + 13]
    if number:
        flags &= ~CWR
    made[at.l4 + 13] = flags if last else flags & ~_EDGES
    _say_length(made, at, number)
    return _summed(made, at)


def _say_length(made: bytearray, at: Places, number: int) -> None:
    """IP's length; for IPv4 also the identifier, ``number`` above that of the whole, and the header's checksum."""
    if at.six:
        _U16.pack_into(made, at.l3 + 4, len(made) - at.l4)
        return
    (ident,) = _U16.unpack_from(made, at.l3 + 4)
    _U16.pack_into(made, at.l3 + 2, len(made) - at.l3)
    _U16.pack_into(made, at.l3 + 4, (ident + number) & 0xFFFF)
    _U16.pack_into(made, at.l3 + 10, 0)
    _U16.pack_into(made, at.l3 + 10, internet(made[at.l3 : at.l4]))


def _addresses(frame: bytes | bytearray, at: Places) -> int:
    """The sum of both addresses, of either version (see `wire.checksum`: any width may be added whole)."""
    first, width = (at.l3 + 8, 16) if at.six else (at.l3 + 12, 4)
    middle = first + width
    return int.from_bytes(frame[first:middle], "big") + int.from_bytes(frame[middle : middle + width], "big")


def _pseudo(frame: bytes | bytearray, at: Places) -> int:
    return _addresses(frame, at) + tcp.PROTO + _end(frame, at) - at.l4


def _end(frame: bytes | bytearray, at: Places) -> int:
    """Where the packet ends: behind it may be the padding of a short frame (IEEE 802.3-2018 §3.2.8)."""
    if at.six:
        return min(at.l4 + int.from_bytes(frame[at.l3 + 4 : at.l3 + 6], "big"), len(frame))
    return min(at.l3 + int.from_bytes(frame[at.l3 + 2 : at.l3 + 4], "big"), len(frame))


def _summed(made: bytearray, at: Places) -> bytes:
    _U16.pack_into(made, at.l4 + CHECKSUM_AT, 0)
    value = internet(bytes(made[at.l4 : _end(made, at)]), _pseudo(made, at))
    _U16.pack_into(made, at.l4 + CHECKSUM_AT, value)
    return bytes(made)


# ---- in ------------------------------------------------------------------------------------------


class _Run:
    """Segments of one flow that have come in order, while more may follow."""

    __slots__ = ("at", "closed", "count", "first", "ident", "mbuf", "next_seq", "size", "texts")

    def __init__(self, m: Mbuf, at: Places, text: bytes) -> None:
        self.mbuf, self.at, self.first, self.texts = m, at, m.data, [text]
        (seq,) = _U32.unpack_from(m.data, at.l4 + 4)
        self.next_seq, self.size, self.count = seq + len(text) & 0xFFFFFFFF, len(text), 1
        self.ident = _U16.unpack_from(m.data, at.l3 + 4)[0]
        self.closed = bool(m.data[at.l4 + 13] & _EDGES)

    def takes(self, frame: bytes, at: Places, text: bytes) -> bool:
        """Whether the frame goes on where this ends, and says nothing else."""
        first = self.first
        return (
            not self.closed
            and at == self.at
            and _U32.unpack_from(frame, at.l4 + 4)[0] == self.next_seq
            and len(text) <= len(self.texts[0])
            and self.size + len(text) + at.text - at.l3 <= ipv4.MAXIMUM
            and (at.six or _U16.unpack_from(frame, at.l3 + 4)[0] == (self.ident + self.count) & 0xFFFF)
            and frame[at.l4 + 13] & ~_EDGES == first[at.l4 + 13] & ~CWR
            and _rest(frame, at) == _rest(first, at)
        )

    def add(self, frame: bytes, text: bytes) -> None:
        """One more; a short one, or one that ends a message, is the last."""
        self.texts.append(text)
        self.size += len(text)
        self.count += 1
        self.next_seq = self.next_seq + len(text) & 0xFFFFFFFF
        flags = frame[self.at.l4 + 13]
        if flags & _EDGES or len(text) < len(self.texts[0]):
            self.closed = True
        if flags & _EDGES:
            changed = bytearray(self.first)
            changed[self.at.l4 + 13] |= flags & _EDGES
            self.first = bytes(changed)

    def finish(self) -> Mbuf:
        """The long segment, as if its sender's device had been left to cut it."""
        if self.count == 1:
            return self.mbuf
        made, at = bytearray(self.first[: self.at.text] + b"".join(self.texts)), self.at
        _say_length(made, at, 0)
        _U16.pack_into(made, at.l4 + CHECKSUM_AT, fold(_pseudo(made, at)) % 0xFFFF or 0xFFFF)
        self.mbuf.data = bytes(made)
        self.mbuf.offload = Offload(len(self.texts[0]), partial=True)
        return self.mbuf


def _rest(frame: bytes, at: Places) -> tuple[bytes, ...]:
    """All of the headers that must be alike: not length, identifier, checksums, sequence number and flags."""
    link, network = frame[: at.l3], frame[at.l3 : at.l4]
    network = network[:4] + network[6:] if at.six else network[:2] + network[6:10] + network[12:]
    l4 = at.l4
    return (
        link,
        network,
        frame[l4 : l4 + 4],
        frame[l4 + 8 : l4 + 13],
        frame[l4 + 14 : l4 + 16],
        frame[l4 + 18 : at.text],
    )


def coalesce(vector: list[Mbuf]) -> tuple[list[Mbuf], list[Mbuf]]:
    """(frames, those that went into others): runs of TCP segments of one flow as one, in the place of their first.

    Joined is what came in order, with the same acknowledgement, window and options, whose checksum is right. A flow's
    segments never change their order.
    """
    found: list[Mbuf | _Run] = []
    runs: dict[bytes, _Run] = {}
    absorbed: list[Mbuf] = []
    for m in vector:
        at = places(m.data) if m.offload is None or not m.offload.segsz else None
        text = m.data[at.text : _end(m.data, at)] if at else b""
        key = m.data[at.l3 + (8 if at.six else 12) : at.l4 + 4] if at else b""
        run = runs.get(key)
        if at and text and run and run.takes(m.data, at, text) and _sound(m, at):
            run.add(m.data, text)
            absorbed.append(m)
            continue
        runs.pop(key, None)
        if at and text and not m.data[at.l4 + 13] & ~(ACK | _EDGES | CWR) and _sound(m, at):
            runs[key] = run = _Run(m, at, text)
            found.append(run)
        else:
            found.append(m)
    return [one.finish() if isinstance(one, _Run) else one for one in found], absorbed


def _sound(m: Mbuf, at: Places) -> bool:
    if m.offload is not None and m.offload.trusted:
        return True
    if internet(m.data[at.l4 : _end(m.data, at)], _pseudo(m.data, at)):
        return False
    m.offload = Offload(checked=True)
    return True
