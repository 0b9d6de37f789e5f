"""What a packet of mbufs can do, however its pieces hang together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Protocol

from netlab.stack.mbufs.errors import DoubleFree, Escaped, UseAfterFree
from netlab.stack.mbufs.layers import Layers
from netlab.stack.mbufs.memory import MCLBYTES, Pool, caller
from netlab.stack.mbufs.piece import Piece
from netlab.stack.mbufs.tags import Tags, tags_of


class Packet(Protocol):
    """Bytes in pieces. Every method raises UseAfterFree once the packet was freed or given to another."""

    layers: Layers
    tags: Tags

    def __len__(self) -> int: ...
    def __bytes__(self) -> bytes: ...
    def prepend(self, header: bytes, layer: str = "") -> None: ...
    def append(self, data: bytes) -> None: ...
    def adj(self, n: int) -> None: ...
    def pullup(self, n: int) -> None: ...
    def contiguous(self, n: int) -> memoryview: ...
    def split(self, n: int) -> Packet: ...
    def copy(self, offset: int = 0, length: int | None = None) -> Packet: ...
    def write(self, offset: int, data: bytes) -> None: ...
    def writable(self) -> bool: ...
    def unshare(self) -> None: ...
    def free(self) -> None: ...
    @property
    def pieces(self) -> tuple[int, ...]: ...
    def ranges(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]: ...


class Pieces(ABC):
    """A packet, but for how its pieces are found one after the other.

    ``headroom`` bytes are left free in front of ``data``. ``tags`` is "mbuf" or "list", see `netlab.stack.mbufs.tags`.
    """

    headed = True
    """Whether there must be a first piece, even without bytes."""

    def __init__(self, pool: Pool, data: bytes = b"", *, headroom: int = 0, tags: str = "mbuf") -> None:
        if not 0 <= headroom <= MCLBYTES:
            raise ValueError(f"headroom of {headroom} bytes; a cluster has {MCLBYTES}")
        self.pool, self.made, self.gone = pool, caller(), ""
        self.layers, self._sort = Layers(), tags
        self.tags: Tags = tags_of(tags, pool)
        self._open()
        self._set(self._filled(data, headroom))

    # ---- what a variant says -------------------------------------------------------------------

    @abstractmethod
    def _open(self) -> None:
        """Take what the packet needs besides its pieces."""

    @abstractmethod
    def _shut(self) -> None:
        """Give that back."""

    @abstractmethod
    def _fresh(self, need: int, *, head: bool) -> Piece:
        """An empty piece with room for ``need`` bytes, or as many as a piece can have."""

    @abstractmethod
    def _list(self) -> Iterator[Piece]:
        """The pieces in order."""

    @abstractmethod
    def _set(self, pieces: Iterable[Piece]) -> None:
        """These are the pieces now."""

    @abstractmethod
    def _part(self, piece: Piece, at: int, length: int) -> list[Piece]:
        """Pieces for another packet with some of a piece's bytes: shared where that may be, else copied."""

    @abstractmethod
    def _sweep(self) -> None:
        """Free the pieces that have no bytes left, if they may go."""

    @abstractmethod
    def ranges(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
        """The memory, (address, bytes), that is read to go from the packet's front to its bytes start…stop."""

    # ---- looking -------------------------------------------------------------------------------

    def _alive(self) -> None:
        if self.gone:
            raise UseAfterFree(f"the packet made at {self.made} was used after it was {self.gone}")

    def __len__(self) -> int:
        self._alive()
        return sum(piece.length for piece in self._list())

    def __bytes__(self) -> bytes:
        self._alive()
        return b"".join(piece.data for piece in self._list())

    @property
    def pieces(self) -> tuple[int, ...]:
        """The length of each piece."""
        self._alive()
        return tuple(piece.length for piece in self._list())

    @property
    def headroom(self) -> int:
        """Bytes that may be prepended without another piece."""
        self._alive()
        return next((piece.headroom for piece in self._list()), 0)

    def contiguous(self, n: int) -> memoryview:
        """The first ``n`` bytes in one piece, read-only (mtod). ValueError unless `pullup` brought them together."""
        self._alive()
        front = next((piece for piece in self._list() if piece.length), None)
        if n and (front is None or front.length < n):
            held = front.length if front else 0
            raise ValueError(f"the first {n} bytes are not in one piece, which has {held}: pullup({n}) first")
        return front.data[:n] if front else memoryview(b"")

    def writable(self) -> bool:
        """Whether no other packet holds any of its bytes."""
        self._alive()
        return all(piece.writable for piece in self._list())

    # ---- growing and shrinking -----------------------------------------------------------------

    def prepend(self, header: bytes, layer: str = "") -> None:
        """Put bytes in front, in the headroom if there is enough.

        ``layer`` says which layer's header it is, in front of what is known of the higher ones.
        """
        self._alive()
        pieces, rest = list(self._list()), memoryview(header)
        if pieces and not pieces[0].length and pieces[0].writable:
            pieces[0].to_end()
        while rest:
            if not pieces or pieces[0].headroom < min(len(rest), MCLBYTES):
                pieces.insert(0, self._fresh(len(rest), head=True))
                pieces[0].to_end()
            n = min(len(rest), pieces[0].headroom)
            pieces[0].put_front(rest[-n:])
            rest = rest[:-n]
        self._set(pieces)
        self.layers.prepended(len(header), layer)

    def append(self, data: bytes) -> None:
        """Put bytes behind, in the tailroom as far as that goes."""
        self._alive()
        pieces, rest = list(self._list()), memoryview(data)
        n = min(len(rest), pieces[-1].tailroom) if pieces else 0
        if n:
            pieces[-1].put_back(rest[:n])
        if rest[n:]:
            self._set([*pieces, *self._filled(bytes(rest[n:]), 0, head=not pieces)])

    def adj(self, n: int) -> None:
        """Drop ``n`` bytes at the front, or -n at the back (m_adj). ValueError when there are fewer."""
        self._alive()
        if abs(n) > len(self):
            raise ValueError(f"adj({n}): the packet has {len(self)} bytes")
        if n >= 0:
            self._trim_front(n)
            self.layers.trimmed(n)
        else:
            self._trim_back(-n)
        self.layers.cut(len(self))

    def _trim_front(self, n: int) -> None:
        for piece in self._list():
            took = min(n, piece.length)
            piece.off, piece.length, n = piece.off + took, piece.length - took, n - took
        self._sweep()

    def _trim_back(self, n: int) -> None:
        for piece in reversed(list(self._list())):
            took = min(n, piece.length)
            piece.length, n = piece.length - took, n - took
        self._sweep()

    def cat(self, other: Pieces) -> None:
        """Take over another packet's pieces (m_cat): it is gone then, with its tags."""
        self._alive()
        other._alive()
        if type(other) is not type(self) or other.pool is not self.pool or other is self:
            raise ValueError("cat() joins two packets of one kind and one pool")
        if any(piece.block.pool.lent for piece in other._list()):
            raise Escaped(f"the ephemeral mbuf made at {other.made} would be kept by cat() at {caller()}: copy() it")
        self._set([*self._list(), *other._list()])
        other._leave(f"taken over by cat() at {caller()}")
        self._sweep()

    # ---- together and apart --------------------------------------------------------------------

    def pullup(self, n: int) -> None:
        """Bring the first ``n`` bytes into one piece (m_pullup). ValueError beyond the packet, or a cluster."""
        self._alive()
        if n > min(len(self), MCLBYTES):
            raise ValueError(f"pullup({n}): the packet has {len(self)} bytes, and a piece at most {MCLBYTES}")
        pieces = list(self._list())
        if not pieces or pieces[0].length >= n:
            return
        need, front = n - pieces[0].length, pieces[0]
        if front.tailroom >= need:
            front.put_back(self._read(front.length, need))
            self._skip(pieces[1:], need)
        else:
            brought = self._fresh(n, head=True)
            brought.put_back(self._read(0, n))
            self._skip(pieces, n)
            self._set([brought, *pieces])
        self._sweep()

    def _read(self, start: int, n: int) -> bytes:
        return bytes(self)[start : start + n]

    @staticmethod
    def _skip(pieces: list[Piece], n: int) -> None:
        for piece in pieces:
            took = min(n, piece.length)
            piece.off, piece.length, n = piece.off + took, piece.length - took, n - took

    def split(self, n: int) -> Pieces:
        """Keep the first ``n`` bytes; the others become a packet of their own (m_split), without tags."""
        self._alive()
        if not 0 <= n <= len(self):
            raise ValueError(f"split({n}): the packet has {len(self)} bytes")
        kept: list[Piece] = []
        moved: list[Piece] = []
        at = 0
        for piece in list(self._list()):
            begins, at = at, at + piece.length
            if begins < n or not kept:
                kept.append(piece)
                moved += self._cut_off(piece, max(0, n - begins))
            elif piece.block.pool is self.pool:
                moved.append(piece)
            else:
                moved += self._part(piece, 0, piece.length)
                piece.release()
        self._set(kept)
        self._sweep()
        self.layers.cut(n)
        return self._another(moved)

    def _cut_off(self, piece: Piece, at: int) -> list[Piece]:
        """The end of a piece from ``at`` on, for another packet."""
        rest = piece.length - at
        if rest <= 0:
            return []
        parts = self._part(piece, at, rest)
        piece.length = at
        return parts

    def copy(self, offset: int = 0, length: int | None = None) -> Pieces:
        """Another packet with these bytes, tags and layers (m_copym): clusters are shared, not copied."""
        self._alive()
        stop = len(self) if length is None else offset + length
        if not 0 <= offset <= stop <= len(self):
            raise ValueError(f"copy({offset}, {length}): the packet has {len(self)} bytes")
        parts: list[Piece] = []
        at = 0
        for piece in self._list():
            low, high = max(offset - at, 0), min(stop - at, piece.length)
            if low < high:
                parts += self._part(piece, low, high - low)
            at += piece.length
        other = self._another(parts)
        other.tags.free()
        other.tags, other.layers = self.tags.copy(), self.layers.copy()
        other.layers.trimmed(offset)
        other.layers.cut(stop - offset)
        return other

    def _another(self, pieces: list[Piece]) -> Pieces:
        other = type(self)(self.pool, tags=self._sort)
        other._set([*other._list(), *pieces])
        return other

    # ---- writing -------------------------------------------------------------------------------

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes over others. Shared when another packet holds them, and then nothing is written."""
        self._alive()
        if not 0 <= offset <= len(self) - len(data):
            raise ValueError(f"write({offset}, {len(data)} bytes): the packet has {len(self)}")
        at = 0
        touched: list[tuple[Piece, int, int]] = []
        for piece in self._list():
            low, high = max(offset - at, 0), min(offset + len(data) - at, piece.length)
            if low < high:
                touched.append((piece, low, at + low - offset))
                if not piece.writable:
                    piece.write(low, b"")
            at += piece.length
        for piece, low, start in touched:
            piece.write(low, data[start : start + piece.length - low])
        self.layers.written(offset)

    def unshare(self) -> None:
        """Have all bytes alone: what another packet holds too is copied (m_unshare)."""
        self._alive()
        pieces: list[Piece] = []
        for piece in list(self._list()):
            if piece.writable:
                pieces.append(piece)
            else:
                pieces += self._filled(bytes(piece.data), 0, head=not pieces)
                piece.release()
        self._set(pieces)

    def _filled(self, data: bytes, headroom: int, *, head: bool = True) -> list[Piece]:
        """Fresh pieces with these bytes."""
        pieces: list[Piece] = []
        rest = memoryview(data)
        while rest or (head and not pieces and (self.headed or headroom)):
            piece = self._fresh(headroom + len(rest), head=head and not pieces)
            piece.off += headroom
            n = min(len(rest), piece.tailroom)
            piece.put_back(rest[:n])
            rest, headroom = rest[n:], 0
            pieces.append(piece)
        return pieces

    # ---- the end -------------------------------------------------------------------------------

    def free(self) -> None:
        """Give everything back. DoubleFree when that was done."""
        if self.gone:
            raise DoubleFree(f"the packet made at {self.made} was freed again at {caller()}, after it was {self.gone}")
        for piece in list(self._list()):
            piece.release()
        self._leave(f"freed at {caller()}")

    def _leave(self, why: str) -> None:
        self.tags.free()
        self._shut()
        self.gone = why
