"""What every policy answers: may a connection send, and what follows when the queue refuses or a packet has left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netlab.stack.pressure.account import Account
    from netlab.stack.pressure.boundary import Boundary
    from netlab.stack.stage import Hop


class Policy:
    """Drop, and leave it to TCP's own means: the acknowledgements that will be missing, or the timer.

    What all others differ in is a method here. One object serves one interface; ``boundary`` is its own.
    """

    boundary: Boundary
    onward: Callable[[Account], list[Hop]] | None = None
    """Who decides further when this policy would wake a connection; None: it is woken."""
    endless = False
    """Whether the interface's queue has no limit."""
    tells = False
    """Whether a program that wants to send hears of a full queue at once (ENOBUFS)."""
    unsent: int | None = None
    """How many bytes a program may have queued beyond what was sent (TCP_NOTSENT_LOWAT); None: its send buffer."""

    def may(self, account: Account, wanted: int, piece: int) -> int:
        """How many of ``wanted`` bytes may leave, in segments of ``piece``. Less than a piece: it shall wait."""
        return wanted

    def refused(self, account: Account, seq: int, now: int) -> list[Hop]:
        """The queue was full for what begins at ``seq``."""
        return []

    def released(self, account: Account, now: int) -> list[Hop]:
        """A packet of this connection is gone from the host."""
        return []

    def space(self, now: int) -> list[Hop]:
        """There may be room in the queue."""
        return []

    def wake(self, account: Account) -> list[Hop]:
        """As far as this policy goes, the connection may go on."""
        return [self.boundary.wake(account)] if self.onward is None else self.onward(account)
