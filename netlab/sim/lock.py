"""A virtual lock with an owner, readers and a fair queue of waiters."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

Mode = Literal["read", "write"]


class Lock:
    """Readers share, a writer excludes; waiters are served in order, so a reader behind a writer waits."""

    __slots__ = ("_readers", "_waiters", "_writer", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._readers = 0
        self._writer = False
        self._waiters: deque[tuple[Mode, Callable[[], None]]] = deque()

    def acquire(self, mode: Mode, granted: Callable[[], None]) -> None:
        """Call ``granted`` now if the lock is free for ``mode``, else when its turn comes."""
        if self._waiters or not self._free_for(mode):
            self._waiters.append((mode, granted))
        else:
            self._take(mode)
            granted()

    def release(self, mode: Mode) -> None:
        """Give up one hold and let in whoever may now come."""
        if mode == "read":
            self._readers -= 1
        else:
            self._writer = False
        while self._waiters and self._free_for(self._waiters[0][0]):
            next_mode, granted = self._waiters.popleft()
            self._take(next_mode)
            granted()

    def _free_for(self, mode: Mode) -> bool:
        return not self._writer and (mode == "read" or self._readers == 0)

    def _take(self, mode: Mode) -> None:
        if mode == "read":
            self._readers += 1
        else:
            self._writer = True
