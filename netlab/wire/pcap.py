"""Classic capture files (libpcap savefile format), with times in ns."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO, NamedTuple

from netlab.errors import BadInput

ETHERNET, RAW = 1, 101
"""Link types: Ethernet frames, bare IP packets."""

_MAGIC_US, _MAGIC_NS = 0xA1B2C3D4, 0xA1B23C4D
_LARGEST = 1 << 24
"""A record that claims more bytes than this is garbage, not a frame."""


class Packet(NamedTuple):
    """A captured frame: ``t`` in ns, the interface's name where the file knows one, its length on the wire."""

    t: int
    interface: str
    data: bytes
    length: int
    comment: str = ""
    link: int = ETHERNET


class Writer:
    """Frames to a file that is open for writing bytes. The caller closes it."""

    def __init__(self, file: BinaryIO, *, link: int = ETHERNET, snaplen: int = 262144) -> None:
        self._file = file
        self._snaplen = snaplen
        self._record = Struct("<IIII")
        file.write(Struct("<IHHiIII").pack(_MAGIC_NS, 2, 4, 0, 0, snaplen, link))

    def packet(self, t: int, frame: bytes, *, length: int | None = None) -> None:
        """One frame at ``t`` ns; ``length`` is what it had on the wire, where ``frame`` is cut short."""
        kept = frame[: self._snaplen]
        self._file.write(self._record.pack(*divmod(t, 10**9), len(kept), length or len(frame)) + kept)


def is_pcap(head: bytes) -> bool:
    """Whether a file that starts with these bytes is a classic capture."""
    return _layout(head) is not None


def _layout(head: bytes) -> tuple[str, int] | None:
    """(byte order, ns per unit of the fraction) from the magic number."""
    for order in "<>":
        magic = int.from_bytes(head[:4], "little" if order == "<" else "big")
        if magic in (_MAGIC_US, _MAGIC_NS):
            return order, 1 if magic == _MAGIC_NS else 1000
    return None


class Reader:
    """The packets of a file, one after another. ``cut_short`` says afterwards that the last one was incomplete."""

    def __init__(self, file: BinaryIO, *, where: str = "") -> None:
        head = file.read(24)
        layout = _layout(head)
        if layout is None or len(head) < 24:
            raise BadInput("this is no pcap capture", where=where, right="give a file that tcpdump -w wrote")
        self._file = file
        self._order, self._unit = layout
        self.link: int = Struct(self._order + "I").unpack_from(head, 20)[0] & 0xFFFF
        self.cut_short = False

    def __iter__(self) -> Iterator[Packet]:
        record = Struct(self._order + "IIII")
        while head := self._file.read(16):
            if len(head) < 16:
                break
            seconds, fraction, size, length = record.unpack(head)
            data = self._file.read(size) if size < _LARGEST else b""
            if len(data) < size:
                break
            yield Packet(seconds * 10**9 + fraction * self._unit, "", data, length, "", self.link)
        self.cut_short = bool(head)
