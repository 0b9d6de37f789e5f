"""Waiters are woken one by one, as there is room, in the order of a scheduler: each with a promise of its share."""

from __future__ import annotations

from collections.abc import Mapping

from netlab.stack.pressure.account import Account
from netlab.stack.pressure.boundary import FRAME
from netlab.stack.pressure.policy import Policy
from netlab.stack.sched import Drr
from netlab.stack.stage import Hop


class Scheduled(Policy):
    """Deficit round robin over the connections that wait: a wake-up for each packet that there is room for.

    While somebody waits, nobody overtakes: whoever asks joins the round. ``limit`` is how many bytes may wait in the
    queue, None for what it holds; ``weights`` are by local port.
    """

    def __init__(
        self, limit: int | None = None, quantum: int = FRAME, weights: Mapping[int, int] | None = None
    ) -> None:
        self.limit, self.quantum = limit, quantum
        self._round: Drr[tuple[Account, int, int]] = Drr(weights, quantum=quantum)
        """Who waits, for how many bytes, in pieces of which size."""
        self._waiting: set[Account] = set()

    def may(self, account: Account, wanted: int, piece: int) -> int:
        """What it was promised; or, while nobody waits, what the queue has room for."""
        if account.grant >= min(wanted, piece):
            return account.grant
        room = self.boundary.room(self.limit)
        if room > 0 and not self._waiting:
            return min(wanted, room * piece)
        self._join(account, wanted, piece)
        return self.boundary.wait(account)

    def _join(self, account: Account, wanted: int, piece: int) -> None:
        if account not in self._waiting:
            self._waiting.add(account)
            size = min(wanted, max(self.quantum // piece, 1) * piece)
            self._round.enqueue((account, size, piece), size, account.pair.local_port)

    def refused(self, account: Account, seq: int, now: int) -> list[Hop]:
        """Packets of others took the place."""
        account.take_back(seq)
        piece = account.connection.send_mss
        self._join(account, piece, piece)
        self.boundary.wait(account)
        return []

    def space(self, now: int) -> list[Hop]:
        """As many wake-ups as there is room for, each with its promise."""
        hops: list[Hop] = []
        boundary = self.boundary
        while len(self._round) and (room := boundary.room(self.limit)) > 0:
            account, size, piece = self._round.dequeue()
            self._waiting.discard(account)
            frames = min(-(-size // piece), room)
            boundary.promise(account, min(size, frames * piece), frames)
            hops += self.wake(account)
        return hops
