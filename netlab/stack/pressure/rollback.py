"""Drop with local rollback: what the own interface refused was never sent, so nobody need miss it first."""

from __future__ import annotations

from collections.abc import Callable

from netlab.stack.pressure.account import Account
from netlab.stack.pressure.policy import Policy
from netlab.stack.stage import Hop
from netlab.units import MS

SHORTEST = 10 * MS
"""FreeBSD sys/netinet/tcp_stacks/rack.c waits no less after ENOBUFS."""


class Rollback(Policy):
    """snd_nxt goes back to the refused segment (FreeBSD 7734ea0612).

    It is tried again at the next acknowledgement, or when a short timer runs out, which grows with refusals in a row.
    """

    def may(self, account: Account, wanted: int, piece: int) -> int:
        """What there is room for, and one segment more: so it is with calls that end at the first refusal."""
        room = self.boundary.free()
        if room >= 0:
            return min(wanted, max(room, 1) * piece)
        if not account.waiting:
            self._come_again(account, account.connection.now)
        return self.boundary.wait(account)

    def refused(self, account: Account, seq: int, now: int) -> list[Hop]:
        """Take it back; come again soon."""
        account.take_back(seq)
        self.boundary.wait(account)
        self._come_again(account, now)
        return []

    def _come_again(self, account: Account, now: int) -> None:
        account.refusals += 1
        account.tries += 1
        self.boundary.timers.at(now + self._pause(account), self._again(account, account.tries))

    def _pause(self, account: Account) -> int:
        half = (account.connection.rto.srtt or 0) // 2
        return max(min((1 + account.refusals) * MS, half), SHORTEST)

    def _again(self, account: Account, tries: int) -> Callable[[int], list[Hop]]:
        """For the last refusal only: others have been overtaken."""

        def due(now: int) -> list[Hop]:
            return self.wake(account) if account.waiting and account.tries == tries else []

        return due
