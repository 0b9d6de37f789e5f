"""The array: one mbuf lists all pieces side by side, 16 bytes each; the bytes lie in clusters.

The idea of FreeBSD's M_EXTPG, of Linux's frags[] and of netmap's slots: who looks for an offset reads descriptors that
share cache lines, and needn't wait for one mbuf to learn where the next one is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netlab.stack.mbufs.memory import HEADER, MCLBYTES, MSIZE, PKTHDR, Block
from netlab.stack.mbufs.packet import Pieces
from netlab.stack.mbufs.piece import Piece

DESCRIPTOR = 16
"""Bytes: an address, an offset, a length, flags."""
PER_CLUSTER = MCLBYTES // DESCRIPTOR


class Array(Pieces):
    """Descriptors that the first mbuf has no room for go on in clusters of their own."""

    headed = False

    def _open(self) -> None:
        self._head = self.pool.take("mbuf")
        self._more: list[Block] = []
        self._items: list[Piece] = []
        self._low = HEADER + PKTHDR + self.tags.room
        self._inside = (MSIZE - self._low) // DESCRIPTOR

    def _shut(self) -> None:
        self._items = []
        self._fit()
        self._head.pool.drop(self._head)

    def _fresh(self, need: int, *, head: bool) -> Piece:
        return Piece(self.pool.take("cluster"))

    def _list(self) -> Iterator[Piece]:
        return iter(tuple(self._items))

    def _set(self, pieces: Iterable[Piece]) -> None:
        self._items = list(pieces)
        self._fit()

    def _fit(self) -> None:
        """As many clusters for descriptors as there are descriptors for."""
        clusters = -(-max(0, len(self._items) - self._inside) // PER_CLUSTER)
        while len(self._more) < clusters:
            self._more.append(self.pool.take("cluster"))
        while len(self._more) > clusters:
            block = self._more.pop()
            block.pool.drop(block)

    def _part(self, piece: Piece, at: int, length: int) -> list[Piece]:
        if piece.block.shareable:
            return [piece.part(at, length, None)]
        return self._filled(bytes(piece.data[at : at + length]), 0, head=False)

    def _sweep(self) -> None:
        for piece in self._items:
            if not piece.length:
                piece.release()
        self._set([piece for piece in self._items if piece.length])

    def ranges(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
        """The header, the descriptors on the way, and the bytes."""
        self._alive()
        at, last = 0, len(self) if stop is None else stop
        yield self._head.address, self._low
        yield from self.tags.ranges()
        for index, piece in enumerate(self._items):
            if at >= last:
                return
            yield self._descriptor(index), DESCRIPTOR
            low, high = max(start - at, 0), min(last - at, piece.length)
            if low < high:
                yield piece.block.address + piece.off + low, high - low
            at += piece.length

    def _descriptor(self, index: int) -> int:
        if index < self._inside:
            return self._head.address + self._low + index * DESCRIPTOR
        cluster, slot = divmod(index - self._inside, PER_CLUSTER)
        return self._more[cluster].address + slot * DESCRIPTOR
