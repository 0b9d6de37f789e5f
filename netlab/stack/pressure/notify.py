"""The program is told: nothing is taken while the interface is full, and it hears when it may go on."""

from __future__ import annotations

from netlab.stack.pressure.wakeall import WakeAll
from netlab.stack.stage import Hop

LOW = 16384
"""Bytes a program may have queued beyond what was sent. A choice; Linux has no limit unless one is set."""


class Notify(WakeAll):
    """A socket's send gives ENOBUFS while its interface is full, and "writable" comes at the low-water mark.

    The interface's mark is half of what may wait; the socket's (TCP_NOTSENT_LOWAT) is ``unsent`` bytes. With both, what
    a program has not yet sent stays with the program.
    """

    tells = True

    def __init__(self, limit: int | None = None, unsent: int = LOW) -> None:
        super().__init__(limit)
        self.unsent = unsent

    def space(self, now: int) -> list[Hop]:
        """Nobody hears of it until half of what waited has left."""
        boundary = self.boundary
        if self.waiters and 2 * boundary.room(self.limit) < boundary.whole(self.limit):
            return []
        return super().space(now)
