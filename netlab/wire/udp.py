"""UDP (RFC 768; over IPv6 RFC 8200 §8.1)."""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

from netlab.wire import Octets
from netlab.wire.checksum import fold, internet, total

SIZE = 8
PROTO = 17
MAXIMUM = 65535 - SIZE
"""The longest payload whose length the header can say."""

_STRUCT = Struct("!HHHH")
fields, _pack, _new = _STRUCT.unpack_from, _STRUCT.pack, tuple.__new__


class Header(NamedTuple):
    """Ports, the length of header and payload, and a checksum (0: the sender made none)."""

    src: int
    dst: int
    length: int
    checksum: int

    @property
    def size(self) -> int:
        """8 bytes."""
        return SIZE

    def pack(self) -> bytes:
        """The header as it stands."""
        return _pack(*self)


def parse(data: Octets, at: int = 0) -> Header | None:
    """The header at ``at``; None when it is cut short or says a length below its own size."""
    try:
        found = fields(data, at)
    except error:
        return None
    return _new(Header, found) if found[2] >= SIZE else None


def checksum_ok(data: Octets, at: int, src: int, dst: int) -> bool:
    """Whether the datagram at ``at`` between two addresses sums up; one without a checksum does.

    (Without one it must be dropped over IPv6: that is the caller's rule.)
    """
    _, _, length, checksum = fields(data, at)
    return checksum == 0 or internet(data[at : at + length], src + dst + PROTO + length) == 0


def header(src: int, dst: int, payload_length: int, checksum: int = 0) -> bytes:
    """A header with the checksum that is given: 0 for none, or what a device is left to finish."""
    return _pack(src, dst, SIZE + payload_length, checksum)


def left(src_ip: int, dst_ip: int, payload_length: int) -> int:
    """What the checksum field holds of a datagram that a device is left to sum: the pseudo header's sum, never 0."""
    size = SIZE + payload_length
    return fold(src_ip + dst_ip + PROTO + size) % 0xFFFF or 0xFFFF


def build(src: int, dst: int, payload: bytes, src_ip: int, dst_ip: int) -> bytes:
    """A datagram with its checksum, for either IP version (`checksum.pseudo`); a sum of 0 is sent as 0xffff."""
    length = SIZE + len(payload)
    number = total(payload) + src + dst + length + src_ip + dst_ip + PROTO + length
    return _pack(src, dst, length, -number % 0xFFFF or 0xFFFF) + payload


def partial(src: int, dst: int, payload: bytes, src_ip: int, dst_ip: int) -> bytes:
    """A datagram whose checksum holds the pseudo header's sum alone: a device is to add the rest."""
    length = SIZE + len(payload)
    number = src_ip + dst_ip + PROTO + length
    return _pack(src, dst, length, (number - 1) % 0xFFFF + 1) + payload
