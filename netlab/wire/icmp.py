"""ICMP for IPv4 (RFC 792, with RFC 1191's next-hop MTU and RFC 1812's longer quotes)."""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

from netlab.wire import Octets
from netlab.wire.checksum import internet

ECHO_REPLY, UNREACHABLE, SOURCE_QUENCH, REDIRECT, ECHO_REQUEST, TIME_EXCEEDED, PARAMETER_PROBLEM = 0, 3, 4, 5, 8, 11, 12
NET_UNREACHABLE, HOST_UNREACHABLE, PROTOCOL_UNREACHABLE, PORT_UNREACHABLE, FRAGMENTATION_NEEDED = 0, 1, 2, 3, 4
ADMIN_PROHIBITED = 13
TTL_EXCEEDED, REASSEMBLY_EXCEEDED = 0, 1
ERRORS = frozenset((UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM))
"""The types that quote a packet, and that no error may ever answer (RFC 1122 §3.2.2)."""
SIZE = 8
QUOTE = 548
"""How much of a packet an error quotes, so that it stays within 576 bytes (RFC 1812 §4.3.2.3)."""

_STRUCT = Struct("!BBHI")
_unpack, _pack, _new = _STRUCT.unpack_from, _STRUCT.pack, tuple.__new__


class Header(NamedTuple):
    """An ICMP header; what ``rest`` means depends on the type."""

    type: int
    code: int
    checksum: int
    rest: int

    @property
    def size(self) -> int:
        """8 bytes."""
        return SIZE

    @property
    def id(self) -> int:
        """Of an echo: the identifier."""
        return self.rest >> 16

    @property
    def seq(self) -> int:
        """Of an echo: the sequence number."""
        return self.rest & 0xFFFF

    @property
    def mtu(self) -> int:
        """Of "fragmentation needed": the next hop's MTU in bytes, 0 from very old routers (RFC 1191 §4)."""
        return self.rest & 0xFFFF

    @property
    def is_error(self) -> bool:
        """Whether it quotes a packet."""
        return self.type in ERRORS

    def pack(self) -> bytes:
        """The header as it stands."""
        return _pack(*self)


def parse(data: Octets, at: int = 0) -> Header | None:
    """The header at ``at``; None when there are fewer than 8 bytes."""
    try:
        return _new(Header, _unpack(data, at))
    except error:
        return None


def checksum_ok(data: Octets, at: int = 0, end: int | None = None) -> bool:
    """Whether the message from ``at`` to ``end`` (where the packet ends) sums up."""
    return internet(data[at:end]) == 0


def build(type: int, code: int, rest: int = 0, payload: bytes = b"") -> bytes:
    """A message with its checksum."""
    return _pack(type, code, internet(payload, (type << 8) + code + rest), rest) + payload


def echo_request(id: int, seq: int, payload: bytes = b"") -> bytes:
    """A ping."""
    return build(ECHO_REQUEST, 0, id << 16 | seq, payload)


def echo_reply(id: int, seq: int, payload: bytes = b"") -> bytes:
    """The answer to a ping: same id, seq and payload."""
    return build(ECHO_REPLY, 0, id << 16 | seq, payload)


def unreachable(code: int, packet: bytes, *, mtu: int = 0) -> bytes:
    """An error "destination unreachable" about ``packet``; ``mtu`` with FRAGMENTATION_NEEDED alone."""
    return build(UNREACHABLE, code, mtu, packet[:QUOTE])


def time_exceeded(packet: bytes, *, code: int = TTL_EXCEEDED) -> bytes:
    """An error "time exceeded" about ``packet``."""
    return build(TIME_EXCEEDED, code, 0, packet[:QUOTE])


def redirect(gateway: int, packet: bytes, *, code: int = 1) -> bytes:
    """An advice to send what is like ``packet`` by way of ``gateway``; code 1 for its host, 0 for its network."""
    return build(REDIRECT, code, gateway, packet[:QUOTE])


def parameter_problem(pointer: int, packet: bytes) -> bytes:
    """An error about the byte of ``packet`` at ``pointer``."""
    return build(PARAMETER_PROBLEM, 0, pointer << 24, packet[:QUOTE])
