"""VXLAN: Ethernet frames in UDP (RFC 7348)."""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

from netlab.wire import Octets

PORT, LEGACY_PORT = 4789, 8472
"""The assigned UDP port, and what Linux used before it was."""
SIZE = 8
OVERHEAD4, OVERHEAD6 = 50, 70
"""What a tunnel adds to an inner frame's payload: outer Ethernet, IP, UDP and VXLAN, less the outer Ethernet's own
place, that is IP + UDP + VXLAN + inner Ethernet."""
VNI_VALID = 0x08000000

_STRUCT = Struct("!II")
fields, _pack, _new = _STRUCT.unpack_from, _STRUCT.pack, tuple.__new__


class Header(NamedTuple):
    """Flags with 24 reserved bits, and the VNI with 8 of them."""

    flags: int
    tag: int

    @property
    def size(self) -> int:
        """8 bytes."""
        return SIZE

    @property
    def vni(self) -> int:
        """The network that the inner frame belongs to, 0 to 2**24 - 1."""
        return self.tag >> 8

    @property
    def valid(self) -> bool:
        """Whether the I flag says that there is a VNI; a frame without must be dropped (§5)."""
        return self.flags & VNI_VALID != 0

    @property
    def strict(self) -> bool:
        """Whether all reserved bits are zero: FreeBSD drops the frame otherwise, RFC 7348 §5 ignores them."""
        return self.flags == VNI_VALID and self.tag & 0xFF == 0

    def pack(self) -> bytes:
        """The header as it stands."""
        return _pack(*self)


def parse(data: Octets, at: int = 0) -> Header | None:
    """The header at ``at``; None when there are fewer than 8 bytes. Ask ``valid`` before believing the VNI."""
    try:
        return _new(Header, fields(data, at))
    except error:
        return None


def build(vni: int, frame: bytes = b"") -> bytes:
    """A UDP payload that carries ``frame`` in network ``vni``."""
    return _pack(VNI_VALID, vni << 8) + frame


def source_port(flow: int) -> int:
    """The outer UDP source port for an inner frame whose flow hashes to ``flow``: 49152 to 65535 (RFC 7348 §5).

    So routers that spread flows over paths by the outer header spread the inner ones (see `flow.flow_hash`).
    """
    return 49152 + flow % 16384
