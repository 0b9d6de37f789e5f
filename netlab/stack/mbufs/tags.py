"""Notes that go with a packet: in a fixed room of its first mbuf, or in a list of blocks of their own (m_tag)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from netlab.stack.mbufs.errors import NoBuffers
from netlab.stack.mbufs.memory import TAG, Block, Pool

FIXED, EACH = 4, 16
"""How many tags the fixed room holds, and the bytes of each."""


class Tags(Protocol):
    """Kinds with values, a kind once."""

    room: int
    """Bytes that it takes of the first mbuf."""

    def set(self, kind: int, value: int) -> None: ...

    def get(self, kind: int) -> int | None: ...

    def remove(self, kind: int) -> None: ...

    def copy(self) -> Tags: ...

    def free(self) -> None: ...

    def ranges(self) -> Iterator[tuple[int, int]]:
        """The memory, (address, bytes), that is read to see all of them."""

    def __iter__(self) -> Iterator[tuple[int, int]]: ...


class InMbuf:
    """Up to four, in the mbuf itself: no allocation, no line more to touch; NoBuffers for a fifth."""

    room = FIXED * EACH

    def __init__(self) -> None:
        self._values: dict[int, int] = {}

    def set(self, kind: int, value: int) -> None:
        """Note a value, in place of an older one of the kind."""
        if kind not in self._values and len(self._values) == FIXED:
            raise NoBuffers(f"an mbuf has room for {FIXED} tags; this packet's are {sorted(self._values)}")
        self._values[kind] = value

    def get(self, kind: int) -> int | None:
        """The value, None when there is none."""
        return self._values.get(kind)

    def remove(self, kind: int) -> None:
        """Forget a kind, if it is there."""
        self._values.pop(kind, None)

    def copy(self) -> InMbuf:
        """The same for another packet."""
        other = InMbuf()
        other._values = dict(self._values)
        return other

    def free(self) -> None:
        """Nothing was allocated."""
        self._values.clear()

    def ranges(self) -> Iterator[tuple[int, int]]:
        """None: they lie in the header, which is read anyway."""
        return iter(())

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._values.items())


class TagList:
    """Any number, each in a block of its own: an allocation a tag, and a line to touch for each one looked at."""

    room = 0

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._values: dict[int, tuple[Block, int]] = {}

    def set(self, kind: int, value: int) -> None:
        """Note a value, in place of an older one of the kind."""
        block = self._values[kind][0] if kind in self._values else self._pool.take("tag")
        self._values[kind] = block, value

    def get(self, kind: int) -> int | None:
        """The value, None when there is none."""
        found = self._values.get(kind)
        return found[1] if found else None

    def remove(self, kind: int) -> None:
        """Free a kind, if it is there."""
        found = self._values.pop(kind, None)
        if found:
            self._pool.drop(found[0])

    def copy(self) -> TagList:
        """The same for another packet, in blocks of its own."""
        other = TagList(self._pool)
        for kind, value in self:
            other.set(kind, value)
        return other

    def free(self) -> None:
        """Give all back."""
        for kind in list(self._values):
            self.remove(kind)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Each tag's block."""
        return ((block.address, TAG) for block, _ in self._values.values())

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((kind, value) for kind, (_, value) in self._values.items())


def tags_of(sort: str, pool: Pool) -> Tags:
    """Empty tags: "mbuf" for the fixed room, "list" for blocks of their own."""
    makers: dict[str, Tags] = {"mbuf": InMbuf(), "list": TagList(pool)}
    return makers[sort]
