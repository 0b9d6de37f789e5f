"""IPv4 (RFC 791; DSCP and ECN after RFC 2474 and 3168)."""

from __future__ import annotations

from struct import Struct, error
from typing import Final, NamedTuple

from netlab.wire import Octets
from netlab.wire.checksum import internet, update16

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
IGMP, IPIP, IPV6, GRE, ICMPV6 = 2, 4, 41, 47, 58
SIZE: Final = 20
MAXIMUM: Final = 65535
DONT_FRAGMENT, MORE_FRAGMENTS = 0x4000, 0x2000
NOT_ECT, ECT1, ECT0, CE = 0, 1, 2, 3

_STRUCT = Struct("!BBHHHBBHII")
fields, _pack, _new = _STRUCT.unpack_from, _STRUCT.pack, tuple.__new__
_WORD = Struct("!H")


class Header(NamedTuple):
    """An IPv4 header as it stands in the packet; ``length`` is the total length, ``fragment`` flags and offset."""

    version_ihl: int
    tos: int
    length: int
    id: int
    fragment: int
    ttl: int
    proto: int
    checksum: int
    src: int
    dst: int

    @property
    def size(self) -> int:
        """The header's length with its options, in bytes."""
        return (self.version_ihl & 15) << 2

    @property
    def dscp(self) -> int:
        """The differentiated services code point, 0 to 63."""
        return self.tos >> 2

    @property
    def ecn(self) -> int:
        """The ECN field: NOT_ECT, ECT1, ECT0 or CE."""
        return self.tos & 3

    @property
    def dont_fragment(self) -> bool:
        """The DF flag."""
        return self.fragment & DONT_FRAGMENT != 0

    @property
    def more_fragments(self) -> bool:
        """The MF flag."""
        return self.fragment & MORE_FRAGMENTS != 0

    @property
    def offset(self) -> int:
        """Where this fragment's payload belongs, in bytes."""
        return (self.fragment & 0x1FFF) << 3

    @property
    def is_fragment(self) -> bool:
        """Whether the payload is a part of a larger one."""
        return self.fragment & 0x3FFF != 0

    def pack(self) -> bytes:
        """The fixed 20 bytes as they stand, without options."""
        return _pack(*self)


def parse(data: Octets, at: int = 0) -> Header | None:
    """The header at ``at``; None when it is cut short, of another version, or says lengths that cannot be.

    The packet may be shorter than ``length`` says, as a quote in an ICMP error is; `fault` tells.
    """
    try:
        found = fields(data, at)
    except error:
        return None
    first = found[0]
    if first != 0x45:
        size = (first & 15) << 2
        if first >> 4 != 4 or size < SIZE or len(data) - at < size or found[2] < size:
            return None
    elif found[2] < SIZE:
        return None
    return _new(Header, found)


def checksum_ok(data: Octets, at: int = 0) -> bool:
    """Whether the header that parses at ``at`` sums up (RFC 1122 §3.2.1.2 has a host drop it otherwise)."""
    return internet(data[at : at + ((data[at] & 15) << 2)]) == 0


def fault(data: Octets, at: int = 0) -> str:
    """Why a host must drop the packet at ``at`` (RFC 1812 §5.2.2), in words; "" when nothing is wrong with it."""
    left = len(data) - at
    if left < SIZE:
        return f"{left} bytes are too few for an IPv4 header"
    if data[at] >> 4 != 4:
        return f"IP version is {data[at] >> 4}, not 4"
    size = (data[at] & 15) << 2
    if size < SIZE or size > left:
        return f"IPv4 header length {size} is impossible in {left} bytes"
    length: int = _WORD.unpack_from(data, at + 2)[0]
    if length < size or length > left:
        return f"IPv4 total length {length} is impossible with a {size} byte header and {left} bytes"
    return "" if checksum_ok(data, at) else "IPv4 header checksum is wrong"


def sound(data: Octets) -> Header | None:
    """The header of a packet in which `fault` finds nothing wrong; None for any other."""
    found = parse(data)
    if found is None or found[2] > len(data):
        return None
    if found[0] != 0x45:
        return found if checksum_ok(data) else None
    # As `checksum_ok`; a header that begins with 0x45 is not 0.
    return None if int.from_bytes(data[:SIZE], "big") % 0xFFFF else found


def header(
    src: int,
    dst: int,
    proto: int,
    payload_length: int,
    *,
    ttl: int = 64,
    id: int = 0,
    fragment: int = 0,
    tos: int = 0,
    options: bytes = b"",
) -> bytes:
    """A header with its checksum. ``fragment`` is flags and offset/8; options are padded to whole words."""
    if options:
        return _with_options(src, dst, proto, payload_length, ttl, id, fragment, tos, options)
    length = SIZE + payload_length
    # The fields are summed as numbers, so the bytes need not be made twice (see `checksum`).
    number = 0x4500 + tos + length + id + fragment + (ttl << 8) + proto + src + dst
    return _pack(0x45, tos, length, id, fragment, ttl, proto, -number % 0xFFFF, src, dst)


def _with_options(
    src: int, dst: int, proto: int, payload_length: int, ttl: int, id: int, fragment: int, tos: int, options: bytes
) -> bytes:
    padded = options + bytes(-len(options) % 4)
    size = SIZE + len(padded)
    first = 0x40 | size >> 2
    fixed = (first, tos, size + payload_length, id, fragment, ttl, proto)
    return _pack(*fixed, internet(_pack(*fixed, 0, src, dst) + padded), src, dst) + padded


def build(
    src: int,
    dst: int,
    proto: int,
    payload: bytes,
    *,
    ttl: int = 64,
    id: int = 0,
    fragment: int = 0,
    tos: int = 0,
    options: bytes = b"",
) -> bytes:
    """A packet: `header` and ``payload``."""
    return header(src, dst, proto, len(payload), ttl=ttl, id=id, fragment=fragment, tos=tos, options=options) + payload


def options(data: Octets, at: int = 0) -> list[tuple[int, bytes]] | None:
    """(kind, value) for each option of the header at ``at`` (RFC 791 §3.1); None when they are malformed."""
    end = at + ((data[at] & 15) << 2)
    at += SIZE
    found: list[tuple[int, bytes]] = []
    while at < end and data[at] != 0:
        if data[at] == 1:
            at += 1
            continue
        size = data[at + 1] if at + 1 < end else 0
        if size < 2 or at + size > end:
            return None
        found.append((data[at], bytes(data[at + 2 : at + size])))
        at += size
    return found


def with_ttl(packet: bytes, ttl: int, at: int = 0) -> bytes:
    """The packet with another TTL, its checksum updated incrementally (RFC 1624): what forwarding does to it."""
    old = packet[at + 8]
    check = update16(packet[at + 10] << 8 | packet[at + 11], old << 8, ttl << 8)
    return packet[: at + 8] + bytes((ttl, packet[at + 9])) + _WORD.pack(check) + packet[at + 12 :]


def with_ce(packet: bytes, at: int = 0) -> bytes:
    """The packet marked "congestion experienced" (RFC 3168 §5), its checksum updated."""
    tos = packet[at + 1]
    check = update16(packet[at + 10] << 8 | packet[at + 11], tos, tos | CE)
    return packet[: at + 1] + bytes((tos | CE,)) + packet[at + 2 : at + 10] + _WORD.pack(check) + packet[at + 12 :]
