"""The pool: blocks of modelled memory with addresses, reference counts, and the place where each was taken.

Sizes are FreeBSD 13's on a 64-bit machine (sys/param.h, sys/mbuf.h): an mbuf of 256 bytes begins with a header of 32,
the first of a packet with 56 more; a cluster has 2048.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import NamedTuple

from netlab.stack.mbufs.errors import DoubleFree, Leak, NoBuffers, UseAfterFree

MSIZE, MCLBYTES, LINE = 256, 2048, 64
HEADER, PKTHDR = 32, 56
MLEN = MSIZE - HEADER
MHLEN = MLEN - PKTHDR
TAG = 64
"""Bytes of a tag that is allocated by itself."""


class Kind(NamedTuple):
    """A sort of block: its size, and the address of the first."""

    size: int
    base: int


KINDS = {
    "mbuf": Kind(MSIZE, 0x1000_0000),
    "cluster": Kind(MCLBYTES, 0x2000_0000),
    "tag": Kind(TAG, 0x3000_0000),
}
_HERE = (__name__.rpartition(".")[0], "contextlib")


def caller() -> str:
    """The nearest line of code outside of this package."""
    frame = sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__", "")).startswith(_HERE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno} in {frame.f_code.co_name}"


class Block:
    """Some memory of a pool. ``freed`` is empty while it is in use; ``refs`` counts the pieces that hold it."""

    __slots__ = ("address", "freed", "kind", "made", "memory", "pool", "refs", "size")

    def __init__(self, pool: Pool, kind: str, address: int, size: int) -> None:
        self.pool, self.kind, self.address, self.size = pool, kind, address, size
        self.memory = bytearray(size)
        self.refs = 1
        self.made, self.freed = caller(), ""

    def __repr__(self) -> str:
        return f"{self.kind} at {self.address:#x}, taken at {self.made}"

    @property
    def shareable(self) -> bool:
        """Whether packets may hold it together: the inside of an mbuf and lent memory may not be."""
        return self.kind == "cluster" and not self.pool.lent

    def alive(self) -> Block:
        """Itself; UseAfterFree when it was given back."""
        if self.freed:
            raise UseAfterFree(f"{self!r}, was used after it was freed at {self.freed}")
        return self


class Pool:
    """Takes and gives blocks. ``limits`` bound how many of a kind may be in use; `check` finds what was forgotten.

    As a context manager it checks at the end. A ``lent`` pool stands for the memory of a running function: what is in
    it must not outlive the call.
    """

    def __init__(self, *, limits: dict[str, int] | None = None, lent: bool = False) -> None:
        self.limits, self.lent = limits or {}, lent
        self.peak: Counter[str] = Counter()
        self._live: dict[int, Block] = {}
        self._in_use: Counter[str] = Counter()
        self._made: Counter[str] = Counter()
        self._free: dict[str, list[int]] = {kind: [] for kind in KINDS}

    def take(self, kind: str) -> Block:
        """A block whose address is the one given back last, as per-CPU caches do. NoBuffers at the limit."""
        limit = self.limits.get(kind)
        if limit is not None and self._in_use[kind] >= limit:
            raise NoBuffers(f"all {limit} of kind {kind} are in use; the oldest is a {self.live(kind)[0]!r}")
        size, base = KINDS[kind]
        if self._free[kind]:
            address = self._free[kind].pop()
        else:
            address = base + (0x4000_0000 if self.lent else 0) + self._made[kind] * size
            self._made[kind] += 1
        block = self._live[address] = Block(self, kind, address, size)
        self._in_use[kind] += 1
        self.peak[kind] = max(self.peak[kind], self._in_use[kind])
        return block

    def drop(self, block: Block) -> None:
        """One piece less holds it; the last gives it back. DoubleFree when none did."""
        if block.freed:
            raise DoubleFree(f"{block!r}, was freed at {block.freed} and again at {caller()}")
        block.refs -= 1
        if not block.refs:
            block.freed = caller()
            del self._live[block.address]
            self._in_use[block.kind] -= 1
            self._free[block.kind].append(block.address)

    def live(self, kind: str = "") -> list[Block]:
        """The blocks in use, the oldest first; of one kind if it is named."""
        return [block for block in self._live.values() if kind in ("", block.kind)]

    def in_use(self) -> dict[str, int]:
        """Kind -> how many are in use; kinds of which none is are left out."""
        return {kind: n for kind, n in self._in_use.items() if n}

    def check(self) -> None:
        """Leak when something is still in use: what, how much of it, and where it was taken."""
        if self._live:
            sites = Counter(f"{block.kind} taken at {block.made}" for block in self._live.values())
            told = "; ".join(f"{n} × {site}" if n > 1 else site for site, n in sites.items())
            raise Leak(f"never freed: {told}")

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:  # or the leak would hide what went wrong
            self.check()
