"""TCP segments (RFC 9293 §3.1) and their options (timestamps, window scale: RFC 7323; SACK: 2018; fast open: 7413)."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct, error
from typing import Final, NamedTuple

from netlab.wire import Octets
from netlab.wire.checksum import fold, internet, total

FIN: Final = 1
SYN: Final = 2
RST: Final = 4
PSH: Final = 8
ACK: Final = 16
URG: Final = 32
ECE: Final = 64
CWR: Final = 128
AE: Final = 256
FLAG_NAMES = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")
END, NOP, MSS, WINDOW_SCALE, SACK_OK, SACK, TIMESTAMPS, MPTCP, FAST_OPEN = 0, 1, 2, 3, 4, 5, 8, 30, 34
SIZE: Final = 20
MAXIMUM_OPTIONS = 40
PROTO: Final = 6

_STRUCT = Struct("!HHIIHHHH")
fields, _pack, _new = _STRUCT.unpack_from, _STRUCT.pack, tuple.__new__
_PAIR = Struct("!II")
_STAMPS = bytes((1, 1, 8, 10))
"""NOP NOP timestamps (RFC 7323 appendix A)."""


class Header(NamedTuple):
    """A TCP header; ``offset_flags`` is the data offset, reserved bits and flags."""

    src: int
    dst: int
    seq: int
    ack: int
    offset_flags: int
    window: int
    """As it stands, not scaled."""
    checksum: int
    urgent: int

    @property
    def size(self) -> int:
        """The header's length with its options, in bytes."""
        return self.offset_flags >> 12 << 2

    @property
    def flags(self) -> int:
        """FIN, SYN, … or-ed."""
        return self.offset_flags & 0x1FF

    def pack(self) -> bytes:
        """The fixed 20 bytes as they stand, without options."""
        return _pack(*self)


def parse(data: Octets, at: int = 0) -> Header | None:
    """The header at ``at``; None when it or its options are cut short, or its data offset is below 5."""
    try:
        found = fields(data, at)
    except error:
        return None
    size = found[4] >> 12 << 2
    return _new(Header, found) if SIZE <= size <= len(data) - at else None


def checksum_ok(data: Octets, at: int, end: int, src: int, dst: int) -> bool:
    """Whether the segment from ``at`` to ``end`` between two addresses sums up."""
    return internet(data[at:end], src + dst + PROTO + end - at) == 0


def build(
    src: int,
    dst: int,
    seq: int,
    ack: int,
    flags: int,
    window: int,
    payload: bytes,
    src_ip: int,
    dst_ip: int,
    *,
    options: bytes = b"",
    urgent: int = 0,
    partial: bool = False,
) -> bytes:
    """A segment with its checksum, for either IP version; ``options`` of whole words (see `pack_options`).

    ``partial`` leaves the checksum to a device: its field holds the pseudo header's sum (virtio §5.1.6.2).
    """
    size = SIZE + len(options)
    offset_flags = size << 10 | flags
    if partial:
        check = fold(src_ip + dst_ip + PROTO + size + len(payload)) % 0xFFFF or 0xFFFF
        return _pack(src, dst, seq, ack, offset_flags, window, check, urgent) + options + payload
    number = src + dst + seq + ack + offset_flags + window + urgent + src_ip + dst_ip + PROTO + size + len(payload)
    number += total(payload) + (int.from_bytes(options, "big") if options else 0)
    return _pack(src, dst, seq, ack, offset_flags, window, -number % 0xFFFF, urgent) + options + payload


def flag_names(flags: int) -> str:
    """Flags as people say them: "SYN ACK"; "none" for no flag at all."""
    return " ".join(name for bit, name in enumerate(FLAG_NAMES) if flags >> bit & 1) or "none"


# ---- options -------------------------------------------------------------------------------------


class Options(NamedTuple):
    """What a segment's options say. None stands for an option that is not there."""

    mss: int | None = None
    window_scale: int | None = None
    """The shift count; above 14 it counts as 14 (RFC 7323 §2.3)."""
    sack_ok: bool = False
    sack: tuple[tuple[int, int], ...] = ()
    """(left edge, right edge) of each block, in the segment's order."""
    timestamps: tuple[int, int] | None = None
    """(value, echo reply)."""
    fast_open: bytes | None = None
    """A cookie; empty asks for one."""
    mptcp: tuple[bytes, ...] = ()
    """The value of each MPTCP option, see `netlab.wire.mptcp`."""
    other: tuple[tuple[int, bytes], ...] = ()
    """(kind, value) of each option of another kind."""


NONE = Options()
_NO_OTHER = tuple(NONE)


def raw_options(data: Octets, at: int, end: int) -> list[tuple[int, bytes]] | None:
    """(kind, value) of each option from ``at`` to ``end`` except NOP, in order; None when one is malformed."""
    found: list[tuple[int, bytes]] = []
    while at < end:
        kind = data[at]
        if kind == END:
            break
        if kind == NOP:
            at += 1
            continue
        size = data[at + 1] if at + 1 < end else 0
        if size < 2 or at + size > end:
            return None
        found.append((kind, bytes(data[at + 2 : at + size])))
        at += size
    return found


def options(data: Octets, at: int, header: Header) -> Options:
    """What the options of the segment at ``at`` say.

    An option of a wrong length counts as one of an unknown kind, and a malformed list says nothing: a receiver must
    go on without it (RFC 9293 §3.1, MUST-7).
    """
    size = header[4] >> 12 << 2
    if size == SIZE:
        return NONE
    # By far the commonest options of a segment with data: NOP NOP timestamps (RFC 7323 appendix A).
    if size == 32 and data[at + 20] == 1 and data[at + 21] == 1 and data[at + 22] == 8 and data[at + 23] == 10:
        return _new(Options, (None, None, False, (), _PAIR.unpack_from(data, at + 24), None, (), ()))
    found = raw_options(data, at + SIZE, at + size)
    return _understand(found) if found else NONE


def _understand(found: Iterable[tuple[int, bytes]]) -> Options:
    known: dict[str, object] = {}
    mptcp: list[bytes] = []
    other: list[tuple[int, bytes]] = []
    for kind, value in found:
        size = len(value)
        if kind == MPTCP:
            mptcp.append(value)
        elif (kind, size) in _FIXED:
            name, read = _FIXED[kind, size]
            known.setdefault(name, read(value))
        elif kind == SACK and size % 8 == 0 and size:
            known.setdefault("sack", tuple(_PAIR.iter_unpack(value)))
        elif kind == FAST_OPEN:
            known.setdefault("fast_open", value)
        else:
            other.append((kind, value))
    return Options(**known, mptcp=tuple(mptcp), other=tuple(other))  # type: ignore[arg-type]


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


_FIXED = {
    (MSS, 2): ("mss", _number),
    (WINDOW_SCALE, 1): ("window_scale", _number),
    (SACK_OK, 0): ("sack_ok", lambda value: True),
    (TIMESTAMPS, 8): ("timestamps", _PAIR.unpack),
}
"""(kind, length of the value) -> field of `Options` and how to read it."""


def option(kind: int, value: bytes = b"") -> bytes:
    """One option: kind, length, value."""
    return bytes((kind, len(value) + 2)) + value


def pack_options(said: Options) -> bytes:
    """The options as bytes, in the order that Linux sends them, padded with NOP to whole words.

    Only what fits in 40 bytes may be asked for; the caller counts (`Header` cannot hold more).
    """
    if said.timestamps is not None and said[:4] == _NO_OTHER[:4] and said[5:] == _NO_OTHER[5:]:
        return _STAMPS + _PAIR.pack(*said.timestamps)  # what every segment with data says
    parts: list[bytes] = []
    if said.mss is not None:
        parts.append(option(MSS, said.mss.to_bytes(2, "big")))
    if said.timestamps is not None:
        lead = b"" if said.sack_ok else b"\x01\x01"
        parts.append(lead + option(SACK_OK) if said.sack_ok else lead)
        parts.append(option(TIMESTAMPS, _PAIR.pack(*said.timestamps)))
    elif said.sack_ok:
        parts.append(b"\x01\x01" + option(SACK_OK))
    if said.window_scale is not None:
        parts.append(b"\x01" + option(WINDOW_SCALE, bytes((said.window_scale,))))
    if said.sack:
        parts.append(b"\x01\x01" + option(SACK, b"".join(_PAIR.pack(*block) for block in said.sack)))
    if said.fast_open is not None:
        parts.append(option(FAST_OPEN, said.fast_open))
    parts += [option(MPTCP, value) for value in said.mptcp]
    parts += [option(kind, value) for kind, value in said.other]
    packed = b"".join(parts)
    return packed + b"\x01" * (-len(packed) % 4)
