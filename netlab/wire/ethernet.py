"""Ethernet II frames (IEEE 802.3 §3), without preamble and frame check sequence."""

from __future__ import annotations

from struct import Struct, error
from typing import Final, NamedTuple

from netlab.wire import Octets

IPV4: Final = 0x0800
ARP: Final = 0x0806
IPV6: Final = 0x86DD
VLAN, QINQ, LOOPBACK = 0x8100, 0x88A8, 0x9000
LENGTH_LIMIT = 1536
"""A type below this is no type: to 1500 it is the length of an IEEE 802.3 frame."""
SIZE: Final = 14
MINIMUM = 60
"""The shortest frame on a real wire, without its check sequence; shorter ones are padded with zeros."""

_STRUCT = Struct("!6s6sH")
fields, _pack, _new = _STRUCT.unpack_from, _STRUCT.pack, tuple.__new__


class Header(NamedTuple):
    """Who gets the frame, who sent it, and the EtherType of what is inside."""

    dst: bytes
    src: bytes
    type: int

    @property
    def size(self) -> int:
        """14 bytes."""
        return SIZE

    def pack(self) -> bytes:
        """The header as it stands."""
        return _pack(*self)


def parse(data: Octets, at: int = 0) -> Header | None:
    """The frame's header; None when there are fewer than 14 bytes."""
    try:
        return _new(Header, fields(data, at))
    except error:
        return None


def build(dst: bytes, src: bytes, type: int, payload: bytes = b"") -> bytes:
    """A frame, not padded."""
    return _pack(dst, src, type) + payload


def pad(frame: bytes) -> bytes:
    """The frame with zeros up to the 60 bytes that a real wire asks for."""
    return frame if len(frame) >= MINIMUM else frame.ljust(MINIMUM, b"\0")
