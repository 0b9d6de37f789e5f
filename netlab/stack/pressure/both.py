"""Two policies at one interface: each may say no, and both hear of everything but of a refusal."""

from __future__ import annotations

from netlab.stack.pressure.account import Account
from netlab.stack.pressure.boundary import Boundary
from netlab.stack.pressure.policy import Policy
from netlab.stack.stage import Hop


class Both(Policy):
    """``first`` is asked first (a connection's own limit), then ``then`` (the interface's), which hears refusals."""

    def __init__(self, first: Policy, then: Policy) -> None:
        self.first, self.then = first, then
        first.onward = self._next
        self.endless, self.tells = first.endless or then.endless, first.tells or then.tells
        self.unsent = first.unsent if then.unsent is None else then.unsent

    @property
    def boundary(self) -> Boundary:
        """The interface's."""
        return self.then.boundary

    @boundary.setter
    def boundary(self, boundary: Boundary) -> None:
        self.first.boundary = self.then.boundary = boundary

    def may(self, account: Account, wanted: int, piece: int) -> int:
        """As much as both allow."""
        allowed = min(self.first.may(account, wanted, piece), wanted)
        return min(allowed, self.then.may(account, allowed, piece)) if allowed >= min(wanted, piece) else 0

    def _next(self, account: Account) -> list[Hop]:
        """The first has nothing against it: then it joins the second's queue, and is woken but once."""
        least = min(account.wanted, account.piece)
        return [self.boundary.wake(account)] if self.then.may(account, account.wanted, account.piece) >= least else []

    def refused(self, account: Account, seq: int, now: int) -> list[Hop]:
        """The interface's affair."""
        return self.then.refused(account, seq, now)

    def released(self, account: Account, now: int) -> list[Hop]:
        """Either may have waited for it."""
        return [*self.first.released(account, now), *self.then.released(account, now)]

    def space(self, now: int) -> list[Hop]:
        """Either may have waited for it."""
        return [*self.first.space(now), *self.then.space(now)]
