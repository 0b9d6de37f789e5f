"""IPv6 and its extension headers (RFC 8200)."""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

from netlab.wire import Octets

HOP_BY_HOP, ROUTING, FRAGMENT, ESP, AH, NO_NEXT, DESTINATION = 0, 43, 44, 50, 51, 59, 60
EXTENSIONS = frozenset((HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION))
"""Next-header values that are followed by another header, in the format of RFC 8200 §4 (AH: RFC 4302)."""
ROUTER_ALERT = b"\x05\x02\x00\x00"
"""The body of a hop-by-hop header that asks routers to look into a multicast listener message (RFC 2711)."""
SIZE = 40
FRAGMENT_SIZE = 8
MINIMUM_MTU = 1280

_STRUCT = Struct("!IHBBQQQQ")
_unpack, _pack, _new = _STRUCT.unpack_from, _STRUCT.pack, tuple.__new__
_FRAGMENT = Struct("!BBHI")
_LOW = (1 << 64) - 1


class Header(NamedTuple):
    """The fixed header; ``first`` is version, traffic class and flow label, ``length`` what follows these 40 bytes."""

    first: int
    length: int
    proto: int
    """The next header: a transport protocol or an extension."""
    hops: int
    src: int
    dst: int

    @property
    def size(self) -> int:
        """40 bytes."""
        return SIZE

    @property
    def tos(self) -> int:
        """The traffic class: DSCP and ECN."""
        return self.first >> 20 & 0xFF

    @property
    def ecn(self) -> int:
        """The ECN field, as in IPv4."""
        return self.first >> 20 & 3

    @property
    def flow(self) -> int:
        """The flow label, 20 bits."""
        return self.first & 0xFFFFF

    def pack(self) -> bytes:
        """The header as it stands."""
        src, dst = self.src, self.dst
        return _pack(*self[:4], src >> 64, src & _LOW, dst >> 64, dst & _LOW)


class Fragment(NamedTuple):
    """The fragment header (§4.5); ``fragment`` is the offset and the M flag."""

    proto: int
    reserved: int
    fragment: int
    id: int

    @property
    def size(self) -> int:
        """8 bytes."""
        return FRAGMENT_SIZE

    @property
    def offset(self) -> int:
        """Where this fragment's payload belongs, in bytes."""
        return self.fragment & 0xFFF8

    @property
    def more_fragments(self) -> bool:
        """The M flag."""
        return self.fragment & 1 != 0

    def pack(self) -> bytes:
        """The header as it stands."""
        return _FRAGMENT.pack(*self)


class Extension(NamedTuple):
    """Any other extension header: what follows it, and its body behind the first two bytes."""

    proto: int
    body: bytes

    @property
    def size(self) -> int:
        """The header's length in bytes."""
        return len(self.body) + 2


def parse(data: Octets, at: int = 0) -> Header | None:
    """The fixed header at ``at``; None when it is cut short or of another version."""
    try:
        first, length, proto, hops, a, b, c, d = _unpack(data, at)
    except error:
        return None
    return _new(Header, (first, length, proto, hops, a << 64 | b, c << 64 | d)) if first >> 28 == 6 else None


def parse_fragment(data: Octets, at: int = 0) -> Fragment | None:
    """The fragment header at ``at``; None when it is cut short."""
    try:
        return _new(Fragment, _FRAGMENT.unpack_from(data, at))
    except error:
        return None


def parse_extension(kind: int, data: Octets, at: int = 0) -> Extension | None:
    """The extension header of ``kind`` at ``at``; None when it is cut short."""
    if len(data) - at < 8:
        return None
    # Length is in units of 8 bytes beyond the first 8; AH counts units of 4 beyond the first 8 (RFC 4302 §2.2).
    size = (data[at + 1] + 2) << 2 if kind == AH else (data[at + 1] + 1) << 3
    if len(data) - at < size:
        return None
    return Extension(data[at], bytes(data[at + 2 : at + size]))


class Upper(NamedTuple):
    """Where the extension headers end: the transport protocol, its offset, and the fragment header if one was met."""

    proto: int
    at: int
    fragment: Fragment | None


def upper(data: Octets, at: int = 0) -> Upper | None:
    """What lies behind the extension headers of the packet at ``at``; None when one of them is malformed.

    Behind the header of a fragment that is not the first there is only payload, so the walk ends there.
    """
    header = parse(data, at)
    if header is None:
        return None
    kind, at = header.proto, at + SIZE
    fragment: Fragment | None = None
    while kind in EXTENSIONS:
        step = parse_fragment(data, at) if kind == FRAGMENT else parse_extension(kind, data, at)
        if step is None:
            return None
        if isinstance(step, Fragment):
            fragment = step
        kind, at = step.proto, at + step.size
        if fragment is not None and fragment.offset:
            break
    return Upper(kind, at, fragment)


def fault(data: Octets, at: int = 0) -> str:
    """Why a node must drop the packet at ``at``, in words; "" when nothing is wrong with its fixed header."""
    left = len(data) - at
    if left < SIZE:
        return f"{left} bytes are too few for an IPv6 header"
    if data[at] >> 4 != 6:
        return f"IP version is {data[at] >> 4}, not 6"
    length = data[at + 4] << 8 | data[at + 5]
    return f"IPv6 payload length {length} is impossible in {left} bytes" if length + SIZE > left else ""


def header(
    src: int, dst: int, proto: int, payload_length: int, *, hops: int = 64, tos: int = 0, flow: int = 0
) -> bytes:
    """A fixed header; ``payload_length`` counts extension headers too."""
    first = 6 << 28 | tos << 20 | flow
    return _pack(first, payload_length, proto, hops, src >> 64, src & _LOW, dst >> 64, dst & _LOW)


def build(src: int, dst: int, proto: int, payload: bytes, *, hops: int = 64, tos: int = 0, flow: int = 0) -> bytes:
    """A packet: `header` and ``payload``."""
    return header(src, dst, proto, len(payload), hops=hops, tos=tos, flow=flow) + payload


def fragment(proto: int, offset: int, more: bool, id: int, payload: bytes = b"") -> bytes:
    """A fragment header and its payload, to be put in a packet of protocol FRAGMENT; ``offset`` in bytes, of 8."""
    return _FRAGMENT.pack(proto, 0, offset | more, id) + payload


def extension(proto: int, body: bytes = b"", payload: bytes = b"") -> bytes:
    """A hop-by-hop, destination or routing header, padded to whole units of 8 bytes with PadN (§4.2)."""
    missing = -(len(body) + 2) % 8
    padding = b"" if missing == 0 else b"\0" if missing == 1 else bytes((1, missing - 2)) + bytes(missing - 2)
    return bytes((proto, (len(body) + missing + 2) // 8 - 1)) + body + padding + payload


def with_hops(packet: bytes, hops: int, at: int = 0) -> bytes:
    """The packet with another hop limit: what forwarding does to it. There is no checksum to update."""
    return packet[: at + 7] + bytes((hops,)) + packet[at + 8 :]


def with_ce(packet: bytes, at: int = 0) -> bytes:
    """The packet marked "congestion experienced" (RFC 3168 §5)."""
    return packet[: at + 1] + bytes((packet[at + 1] | 0x30,)) + packet[at + 2 :]
