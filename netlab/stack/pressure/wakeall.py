"""The interface stops its senders when it is full, and wakes them all when there is space."""

from __future__ import annotations

from netlab.stack.pressure.account import Account
from netlab.stack.pressure.policy import Policy
from netlab.stack.stage import Hop


class WakeAll(Policy):
    """Nobody sends into a full queue; each packet that leaves wakes everybody.

    ``limit`` is how many bytes may wait in the queue, None for what it holds.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.waiters: dict[Account, None] = {}

    def may(self, account: Account, wanted: int, piece: int) -> int:
        """What the queue has room for."""
        room = self.boundary.room(self.limit)
        if room > 0:
            return min(wanted, room * piece)
        self.waiters[account] = None
        return self.boundary.wait(account)

    def refused(self, account: Account, seq: int, now: int) -> list[Hop]:
        """Somebody else took the place: back, and wait."""
        account.take_back(seq)
        self.waiters[account] = None
        self.boundary.wait(account)
        return []

    def space(self, now: int) -> list[Hop]:
        """Wake them all: most will find it full again."""
        if not self.waiters or self.boundary.room(self.limit) <= 0:
            return []
        woken, self.waiters = self.waiters, {}
        return [hop for account in woken for hop in self.wake(account)]
