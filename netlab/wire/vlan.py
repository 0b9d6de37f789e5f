"""VLAN tags: 802.1Q and, nested, 802.1ad (IEEE 802.1Q-2018 §9).

A tag stands between the source address and what was the EtherType. `Header` is the four bytes after the tag's own
EtherType: the TCI, and the type of what follows. ``push`` and ``pop`` work on whole frames.
"""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

from netlab.wire import Octets

CTAG, STAG, OLD_STAG = 0x8100, 0x88A8, 0x9100
"""EtherTypes: customer tag (802.1Q), service tag (802.1ad), and what service tags had before 802.1ad."""
TAGS = frozenset((CTAG, STAG, OLD_STAG))
SIZE = 4
PRIORITY_ONLY, RESERVED = 0, 4095
"""VIDs that name no VLAN."""
SERVICE_ORDER = (1, 0, 2, 3, 4, 5, 6, 7)
"""Priorities (PCP) from the least to the most urgent: 1 is background, below the best effort of 0."""

_STRUCT = Struct("!HH")
fields, _pack, _new = _STRUCT.unpack_from, _STRUCT.pack, tuple.__new__


class Header(NamedTuple):
    """A tag's control information, and the EtherType of what follows it."""

    tci: int
    type: int

    @property
    def size(self) -> int:
        """4 bytes."""
        return SIZE

    @property
    def vid(self) -> int:
        """The VLAN, 1 to 4094; 0 for a tag that carries priority alone."""
        return self.tci & 0xFFF

    @property
    def pcp(self) -> int:
        """The priority code point, 0 to 7 (not in order of urgency: see SERVICE_ORDER)."""
        return self.tci >> 13

    @property
    def dei(self) -> bool:
        """Whether the frame may be dropped first."""
        return self.tci & 0x1000 != 0

    def pack(self) -> bytes:
        """The tag as it stands."""
        return _pack(*self)


def tci(vid: int, pcp: int = 0, dei: bool = False) -> int:
    """Tag control information from its parts."""
    return pcp << 13 | dei << 12 | vid


def parse(data: Octets, at: int = 0) -> Header | None:
    """The tag whose control information is at ``at``, behind its EtherType; None when it is cut short."""
    try:
        return _new(Header, fields(data, at))
    except error:
        return None


def build(vid: int, type: int, payload: bytes = b"", *, pcp: int = 0, dei: bool = False) -> bytes:
    """A tag and what it tags, to be put in a frame of type CTAG or STAG."""
    return _pack(tci(vid, pcp, dei), type) + payload


def is_tagged(frame: Octets) -> bool:
    """Whether the frame has a tag."""
    return int.from_bytes(frame[12:14], "big") in TAGS


def push(frame: bytes, vid: int, *, pcp: int = 0, dei: bool = False, tpid: int = CTAG) -> bytes:
    """The frame with one more tag, outside those that it has."""
    return frame[:12] + _pack(tpid, tci(vid, pcp, dei)) + frame[12:]


def pop(frame: bytes) -> tuple[int, Header, bytes] | None:
    """(EtherType of the tag, tag, frame without it) for the outermost tag; None when there is none."""
    tpid = int.from_bytes(frame[12:14], "big")
    header = parse(frame, 14) if tpid in TAGS else None
    return None if header is None else (tpid, header, frame[:12] + frame[16:])


def swap(frame: bytes, vid: int) -> bytes:
    """The frame with the VLAN of its outermost tag replaced, priority kept; an untagged frame is left alone."""
    popped = pop(frame)
    if popped is None:
        return frame
    return frame[:14] + _pack(popped[1].tci & 0xF000 | vid, popped[1].type) + frame[18:]


def tags(frame: Octets) -> list[tuple[int, Header]]:
    """(EtherType, tag) for each of the frame's tags, outermost first."""
    found: list[tuple[int, Header]] = []
    kind, at = int.from_bytes(frame[12:14], "big"), 14
    while kind in TAGS and (header := parse(frame, at)) is not None:
        found.append((kind, header))
        kind, at = header.type, at + SIZE
    return found
