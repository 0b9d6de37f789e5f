"""Capture files in pcapng (IETF draft-ietf-opsawg-pcapng): several interfaces by name, times in ns, comments.

The writer puts nothing of its own clock or machine into a file, so the same frames give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import Struct, error
from typing import BinaryIO, NamedTuple

from netlab.errors import BadInput
from netlab.wire import pcap
from netlab.wire.pcap import ETHERNET, Packet

_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
_BYTE_ORDER = 0x1A2B3C4D
_COMMENT, _END = 1, 0
_USER_APPLICATION = 4
_IF_NAME, _IF_DESCRIPTION, _IF_SPEED, _IF_TSRESOL, _IF_TSOFFSET = 2, 3, 8, 9, 14
_FLAGS = 2
_LARGEST = 1 << 24

INBOUND, OUTBOUND = 1, 2

_option = Struct("<HH")
_block = Struct("<II")
_length = Struct("<I")
_section = Struct("<IHHq")
_interface = Struct("<HHI")
_enhanced = Struct("<IIIII")


class Writer:
    """Frames of several interfaces to a file that is open for writing bytes. The caller closes it."""

    def __init__(self, file: BinaryIO, *, application: str = "netlab", comment: str = "") -> None:
        self._file = file
        self._interfaces: dict[str, int] = {}
        options = _text(_COMMENT, comment) + _text(_USER_APPLICATION, application)
        self._write(_SECTION, _section.pack(_BYTE_ORDER, 1, 0, -1), options)

    def interface(self, name: str, *, description: str = "", rate: int = 0, link: int = ETHERNET) -> int:
        """The number of the interface called ``name``, described in the file at its first mention.

        ``rate`` is in bit/s, 0 for unknown.
        """
        if name not in self._interfaces:
            self._interfaces[name] = len(self._interfaces)
            options = _text(_IF_NAME, name) + _text(_IF_DESCRIPTION, description)
            if rate:
                options += _bytes_option(_IF_SPEED, rate.to_bytes(8, "little"))
            options += _bytes_option(_IF_TSRESOL, b"\x09")
            self._write(_INTERFACE, _interface.pack(link, 0, 0), options)
        return self._interfaces[name]

    def packet(
        self, interface: int, t: int, frame: bytes, *, comment: str = "", direction: int = 0, length: int | None = None
    ) -> None:
        """One frame at ``t`` ns; ``direction`` is INBOUND, OUTBOUND or 0; ``length`` what it had on the wire."""
        size = len(frame)
        fixed = _enhanced.pack(interface, t >> 32, t & 0xFFFFFFFF, size, size if length is None else length)
        options = _text(_COMMENT, comment)
        if direction:
            options += _bytes_option(_FLAGS, direction.to_bytes(4, "little"))
        self._write(_ENHANCED, fixed + frame + bytes(-size % 4), options)

    def _write(self, kind: int, body: bytes, options: bytes) -> None:
        if options:
            options += bytes(4)  # opt_endofopt
        size = 12 + len(body) + len(options)
        self._file.write(_block.pack(kind, size) + body + options + _length.pack(size))


def _bytes_option(code: int, value: bytes) -> bytes:
    return _option.pack(code, len(value)) + value + bytes(-len(value) % 4)


def _text(code: int, text: str) -> bytes:
    """An option of text; none at all for "". What exceeds the format's 65535 bytes is cut."""
    value = text.encode()[:65535]
    return _bytes_option(code, value) if value else b""


class Interface(NamedTuple):
    """An interface as a file describes it; a time stamp counts ``base`` ** -``exponent`` seconds."""

    name: str
    link: int
    base: int = 10
    exponent: int = 6
    offset: int = 0
    """Seconds to add to every time stamp."""

    def ns(self, stamp: int) -> int:
        """A time stamp in ns."""
        return self.offset * 10**9 + stamp * 10**9 // int(self.base**self.exponent)


class Reader:
    """The packets of a file, one after another, of either byte order.

    Blocks of unknown kinds are skipped. ``cut_short`` says afterwards that the file ended (or turned to garbage)
    inside a block, as it does when the program that wrote it was killed: what was whole has been given.
    """

    def __init__(self, file: BinaryIO, *, where: str = "") -> None:
        self._file = file
        self._order = "<"
        self.interfaces: list[Interface] = []
        self.cut_short = False
        first = self._next_block()
        if first is None or first[0] != _SECTION:
            raise BadInput("this is no pcapng capture", where=where, right="give a file that tshark -w wrote")
        self._begin()

    def __iter__(self) -> Iterator[Packet]:
        while (block := self._next_block()) is not None:
            kind, body = block
            try:
                packet = self._read(kind, body)
            except (error, IndexError):  # a body too short for its kind, or an interface that was never described
                self.cut_short = True
                return
            if packet is not None:
                yield packet

    def _next_block(self) -> tuple[int, bytes] | None:
        """(kind, body) of the next block, and None at the end; a section's header decides on the byte order."""
        head = self._file.read(12)
        if len(head) == 12 and head[:4] == b"\x0a\x0d\x0d\x0a":
            self._order = "<" if head[8:] == b"\x4d\x3c\x2b\x1a" else ">"
        if len(head) == 12:
            kind, size = Struct(self._order + "II").unpack_from(head)
            rest = self._file.read(size - 12) if 12 <= size <= _LARGEST and size % 4 == 0 else b""
            if len(rest) == size - 12:
                return kind, (head[8:] + rest)[:-4]
        self.cut_short = bool(head)
        return None

    def _read(self, kind: int, body: bytes) -> Packet | None:
        if kind == _ENHANCED:
            return self._read_enhanced(body)
        if kind == _SIMPLE:
            return self._read_simple(body)
        if kind == _INTERFACE:
            self.interfaces.append(self._read_interface(body))
        elif kind == _SECTION:
            self._begin()
        return None

    def _begin(self) -> None:
        self.interfaces = []

    def _read_enhanced(self, body: bytes) -> Packet:
        number, high, low, size, length = Struct(self._order + "IIIII").unpack_from(body)
        interface = self.interfaces[number]
        comment = self._options(body, 20 + size + -size % 4).get(_COMMENT, b"").decode(errors="replace")
        data = body[20 : 20 + size]
        if len(data) < size:
            raise IndexError
        return Packet(interface.ns(high << 32 | low), interface.name, data, length, comment, interface.link)

    def _read_simple(self, body: bytes) -> Packet:
        interface = self.interfaces[0]
        length = Struct(self._order + "I").unpack_from(body)[0]
        return Packet(0, interface.name, body[4 : 4 + length], length, "", interface.link)

    def _read_interface(self, body: bytes) -> Interface:
        link = Struct(self._order + "H").unpack_from(body)[0]
        options = self._options(body, 8)
        resolution = options.get(_IF_TSRESOL, b"\x06")[0]
        order: str = "little" if self._order == "<" else "big"
        return Interface(
            name=options.get(_IF_NAME, b"").decode(errors="replace"),
            link=link,
            base=2 if resolution & 0x80 else 10,
            exponent=resolution & 0x7F,
            offset=int.from_bytes(options.get(_IF_TSOFFSET, b""), order, signed=True),  # type: ignore[arg-type]
        )

    def _options(self, body: bytes, at: int) -> dict[int, bytes]:
        """The options from ``at`` on, the first of each code."""
        option = Struct(self._order + "HH")
        found: dict[int, bytes] = {}
        while at + 4 <= len(body):
            code, size = option.unpack_from(body, at)
            if code == _END:
                break
            found.setdefault(code, body[at + 4 : at + 4 + size])
            at += 4 + size + -size % 4
        return found


def read(path: Path) -> list[Packet]:
    """Every packet of a capture file, pcapng or classic pcap; BadInput when it is neither."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(0)
            reader = pcap.Reader if pcap.is_pcap(head) else Reader
            return list(reader(file, where=str(path)))
    except OSError as problem:
        raise BadInput(f"the capture cannot be read ({problem.strerror})", where=str(path)) from problem
