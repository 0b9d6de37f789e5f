"""A piece of a packet: some bytes inside a block, and the room before and behind them."""

from __future__ import annotations

from netlab.stack.mbufs.errors import Shared
from netlab.stack.mbufs.memory import Block


class Piece:
    """``off`` and ``length`` say where its bytes are in ``block``, of which the first ``low`` are not for data.

    ``cell`` is the mbuf that describes it where that is another block; ``next`` links a chain.
    """

    __slots__ = ("block", "cell", "length", "low", "next", "off")

    def __init__(self, block: Block, low: int = 0, cell: Block | None = None) -> None:
        self.block, self.low, self.cell = block, low, cell
        self.off, self.length = low, 0
        self.next: Piece | None = None

    @property
    def head(self) -> Block:
        """The mbuf that describes it."""
        return self.cell or self.block

    @property
    def writable(self) -> bool:
        """Whether nobody else holds its bytes (M_WRITABLE)."""
        return self.block.refs == 1

    @property
    def headroom(self) -> int:
        """Bytes that may be put in front without another piece."""
        return self.off - self.low if self.writable else 0

    @property
    def tailroom(self) -> int:
        """Bytes that may be put behind without another piece."""
        return self.block.size - self.off - self.length if self.writable else 0

    @property
    def data(self) -> memoryview:
        """Its bytes, read-only."""
        return memoryview(self.block.alive().memory)[self.off : self.off + self.length].toreadonly()

    def write(self, at: int, data: bytes | memoryview) -> None:
        """Put bytes into it, ``at`` bytes from its start. Shared when another packet holds them too."""
        if not self.writable:
            raise Shared(f"{self.block!r}, is held by {self.block.refs} pieces: unshare() before writing")
        start = self.off + at
        self.block.alive().memory[start : start + len(data)] = data

    def put_front(self, data: bytes | memoryview) -> None:
        """Use headroom."""
        self.off -= len(data)
        self.length += len(data)
        self.write(0, data)

    def put_back(self, data: bytes | memoryview) -> None:
        """Use tailroom."""
        self.length += len(data)
        self.write(self.length - len(data), data)

    def to_end(self) -> None:
        """An empty piece whose room is all in front (M_ALIGN)."""
        self.off = self.block.size

    def part(self, at: int, length: int, cell: Block | None) -> Piece:
        """Another piece that holds some of its bytes with it."""
        self.block.alive().refs += 1
        other = Piece(self.block, self.low, cell)
        other.off, other.length = self.off + at, length
        return other

    def release(self) -> None:
        """Give up its block, and the mbuf that described it."""
        self.block.pool.drop(self.block)
        if self.cell is not None:
            self.cell.pool.drop(self.cell)
