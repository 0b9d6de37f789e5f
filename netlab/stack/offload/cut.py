"""One long segment, or many datagrams in one, as the frames that are sent on a wire."""

from __future__ import annotations

from netlab.stack.offload.places import (
    U32,
    Places,
    ip_place,
    packet_places,
    places,
    say_length,
    summed,
    unsummed,
)
from netlab.wire import ipv4
from netlab.wire.tcp import CWR, FIN, PSH

EDGES = FIN | PSH
"""Flags that a cut segment says with its last piece alone (CWR: with its first alone, RFC 3168 §6.1.2)."""


def finished(frame: bytes) -> bytes:
    """The frame with its transport's checksum whole, whatever stood there."""
    at = places(frame)
    return frame if at is None else summed(bytearray(frame), at)


def cut(frame: bytes, segsz: int) -> list[bytes]:
    """The frames that a frame with a long segment, or with many datagrams, stands for; each has lengths and checksums.

    Sequence numbers and IPv4 identifiers go up, options are the same in all, CWR is in the first alone, FIN and PSH
    are in the last alone. The frame itself, summed, when nothing is to be cut.
    """
    return _cut(frame, segsz, places(frame))


def cut_packet(packet: bytes, segsz: int) -> list[bytes]:
    """The same for what begins with its IP header."""
    return _cut(packet, segsz, packet_places(packet))


def _cut(data: bytes, segsz: int, at: Places | None) -> list[bytes]:
    if at is None:
        return [data]
    head, end = data[: at.text], len(data)
    starts = range(at.text, end, segsz) or (at.text,)
    return [
        _piece(head, data[n : n + segsz], at, n - at.text, number, n + segsz >= end) for number, n in enumerate(starts)
    ]


def _piece(head: bytes, text: bytes, at: Places, offset: int, number: int, last: bool) -> bytes:
    made = bytearray(head + text)
    if at.proto == ipv4.TCP:
        (seq,) = U32.unpack_from(made, at.l4 + 4)
        U32.pack_into(made, at.l4 + 4, (seq + offset) & 0xFFFFFFFF)
        flags = made[at.l4 + 13]
        if number:
            flags &= ~CWR
        made[at.l4 + 13] = flags if last else flags & ~EDGES
    say_length(made, at, number)
    return bytes(made) if unsummed(head, at) else summed(made, at)


def fragments(frame: bytes, mtu: int, ident: int) -> list[bytes]:
    """A frame with a long packet as frames with IP fragments of at most ``mtu`` bytes; ``ident`` is for IPv6.

    ValueError when the MTU leaves no room for 8 bytes behind the header.
    """
    from netlab.stack.fragment import cut as cut4  # their stages stand above this
    from netlab.stack.ip6.fragment import cut6

    ip = ip_place(frame)
    if ip is None:
        return [frame]
    at, six = ip
    link, packet = frame[:at], frame[at:]
    return [link + part for part in (cut6(packet, mtu, ident) if six else cut4(packet, mtu))]
