"""The linked list: every piece has an mbuf of 256 bytes that links to the next; few bytes lie in the mbuf itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netlab.stack.mbufs.memory import HEADER, MSIZE, PKTHDR
from netlab.stack.mbufs.packet import Pieces
from netlab.stack.mbufs.piece import Piece


class Chain(Pieces):
    """``m_next`` links the pieces. The first mbuf stays even when it has no bytes: it has the packet's header."""

    _first: Piece | None = None

    def _open(self) -> None:
        self._low = HEADER + PKTHDR + self.tags.room

    def _shut(self) -> None:
        self._first = None

    def _fresh(self, need: int, *, head: bool) -> Piece:
        cell, low = self.pool.take("mbuf"), self._low if head else HEADER
        if need <= MSIZE - low:
            return Piece(cell, low)
        return Piece(self.pool.take("cluster"), 0, cell)

    def _list(self) -> Iterator[Piece]:
        piece = self._first
        while piece is not None:
            following = piece.next
            yield piece
            piece = following

    def _set(self, pieces: Iterable[Piece]) -> None:
        self._first = None
        for piece in reversed(list(pieces)):
            piece.next, self._first = self._first, piece

    def _part(self, piece: Piece, at: int, length: int) -> list[Piece]:
        if piece.block.shareable:
            return [piece.part(at, length, self.pool.take("mbuf"))]
        return self._filled(bytes(piece.data[at : at + length]), 0, head=False)

    def _sweep(self) -> None:
        kept: list[Piece] = []
        for piece in list(self._list()):
            if piece.length or not kept:
                kept.append(piece)
            else:
                piece.release()
        self._set(kept)

    def ranges(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
        """The header of every mbuf on the way, and the bytes."""
        self._alive()
        at, last = 0, len(self) if stop is None else stop
        yield from self.tags.ranges()
        for index, piece in enumerate(self._list()):
            if at >= last and index:
                return
            yield piece.head.address, self._low if not index else HEADER
            low, high = max(start - at, 0), min(last - at, piece.length)
            if low < high:
                yield piece.block.address + piece.off + low, high - low
            at += piece.length
