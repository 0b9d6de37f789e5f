"""ARP for IPv4 over Ethernet (RFC 826)."""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

from netlab.wire import Octets
from netlab.wire.address import NO_MAC

REQUEST, REPLY = 1, 2
SIZE = 28

_STRUCT = Struct("!HHBBH6sI6sI")
_unpack, _pack, _new = _STRUCT.unpack_from, _STRUCT.pack, tuple.__new__
_KIND = (1, 0x0800, 6, 4)


class Header(NamedTuple):
    """A question ("who has ``target_ip``? tell ``sender_ip``") or its answer."""

    hardware: int
    protocol: int
    hardware_size: int
    protocol_size: int
    op: int
    sender_mac: bytes
    sender_ip: int
    target_mac: bytes
    target_ip: int

    @property
    def size(self) -> int:
        """28 bytes."""
        return SIZE

    @property
    def gratuitous(self) -> bool:
        """Whether the sender speaks of his own address: an announcement (RFC 5227 §3)."""
        return self.sender_ip == self.target_ip

    def pack(self) -> bytes:
        """The header as it stands."""
        return _pack(*self)


def parse(data: Octets, at: int = 0) -> Header | None:
    """The ARP packet; None when it is cut short or not about IPv4 over Ethernet."""
    try:
        fields = _unpack(data, at)
    except error:
        return None
    return _new(Header, fields) if fields[:4] == _KIND else None


def build(op: int, sender_mac: bytes, sender_ip: int, target_mac: bytes, target_ip: int) -> bytes:
    """An ARP packet, to be put in a frame of type 0x0806."""
    return _pack(*_KIND, op, sender_mac, sender_ip, target_mac, target_ip)


def request(sender_mac: bytes, sender_ip: int, target_ip: int) -> bytes:
    """Who has ``target_ip``? Goes to the broadcast address."""
    return build(REQUEST, sender_mac, sender_ip, NO_MAC, target_ip)


def reply(to: Header, mac: bytes) -> bytes:
    """The answer to the request ``to``: ``to.target_ip`` is at ``mac``."""
    return build(REPLY, mac, to.target_ip, to.sender_mac, to.sender_ip)
