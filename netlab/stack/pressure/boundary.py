"""Between TCP and one interface: who drives the interface says what became of packets, a policy says what follows.

Nothing waits here. A connection that may not send is remembered by the policy; when its time has come, a wake-up goes
through "socket.deliver" like any news for a socket, and costs what that costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from netlab.stack.mbuf import Mbuf
from netlab.stack.pressure.account import Account, Charge, Wake
from netlab.stack.pressure.policy import Policy
from netlab.stack.stage import Hop, to
from netlab.stack.tcp.state import CLOSED
from netlab.stack.timers import Timers

SOCKETS = ("tcp", 0)
"""Where "socket.deliver" finds TCP."""
FRAME = 1514
SPARE = 8
"""Places in a queue that data leave to others, and one of how many places at most. A choice."""


class Outlet(Protocol):
    """An interface's queue, as far as a policy may know it."""

    @property
    def octets(self) -> int:
        """Bytes that wait."""

    def room(self) -> int:
        """How many frames of full size it would still take."""

    def capacity(self) -> int:
        """How many it would take if it were empty."""

    def idle(self) -> bool:
        """Whether nothing waits, and nothing is under way to the wire."""


@dataclass(slots=True)
class Counts:
    """What happened at a boundary."""

    refused: int = 0
    """Packets that found the queue full."""
    withdrawn: int = 0
    """Packets that TCP had taken back before they came to the queue."""
    blocked: int = 0
    """How often output was told to wait."""
    wakeups: int = 0
    in_vain: int = 0
    """Wake-ups that sent nothing."""
    frames: int = 0
    """Packets with a charge that left."""


class Boundary:
    """One interface's. ``timers`` are the host's."""

    def __init__(self, name: str, outlet: Outlet, policy: Policy, timers: Timers) -> None:
        self.name, self.outlet, self.policy, self.timers = name, outlet, policy, timers
        policy.boundary = self
        self.coming = 0
        """Frames that left TCP and are not yet in the queue."""
        self.taken = 0
        """Frames that ever left TCP."""
        self.reserved = 0
        """Frames that were promised to connections that have been woken."""
        self.counts = Counts()
        self.accounts: dict[Account, None] = {}
        """Those that wait, or have something below TCP."""

    def free(self) -> int:
        """How many frames the queue has room for, once what is under way will have come; negative: too many are."""
        return self.outlet.room() - self.coming - self.reserved

    def room(self, limit: int | None = None) -> int:
        """How many frames may still leave TCP, if no more than ``limit`` bytes are to wait.

        Without a limit the queue's own counts, less a few places for what has no socket that could wait.
        """
        if limit is None:
            return self.free() - min(SPARE, self.outlet.capacity() // SPARE)
        return min(self.free(), (limit - self.outlet.octets) // FRAME - self.coming - self.reserved)

    def whole(self, limit: int | None = None) -> int:
        """How many frames `room` would say if nothing waited and nothing were under way."""
        held = self.outlet.capacity()
        return held if limit is None else min(held, limit // FRAME)

    # ---- TCP says ----------------------------------------------------------------------------

    def took(self, account: Account, size: int, frames: int) -> None:
        """Segments left TCP."""
        self.accounts[account] = None
        self.coming += frames
        self.taken += frames
        if account.promised:
            used = min(frames, account.promised)
            account.promised -= used
            self.reserved -= used
            account.grant = max(account.grant - size, 0) if account.promised else 0

    def wait(self, account: Account) -> int:
        """It waits from now on; 0, which is what it may send."""
        self.counts.blocked += 1
        if account.since is None:
            account.since = account.connection.now
        self.accounts[account] = None
        return 0

    def woken(self, account: Account, sent: bool, now: int) -> list[Hop]:
        """A wake-up has been heard: what it was promised and did not use goes to others."""
        self.counts.in_vain += not sent
        self._forget(account)
        if not account.promised:
            return []
        self.reserved -= account.promised
        account.grant = account.promised = 0
        return self.policy.space(now)

    def promise(self, account: Account, size: int, frames: int) -> None:
        """Keep room for a connection that is about to be woken."""
        account.grant, account.promised = size, frames
        self.reserved += frames

    # ---- who drives the interface says -------------------------------------------------------

    def arrived(self, charge: Charge) -> bool:
        """A packet has come to the queue; False: throw it away, it has been taken back."""
        self.coming -= charge.frames
        if not charge.stale:
            return True
        self.counts.withdrawn += 1
        charge.account.charged -= charge.size
        self._forget(charge.account)
        return False

    def refused(self, charge: Charge, now: int) -> list[Hop]:
        """The queue was full."""
        self.counts.refused += 1
        charge.account.charged -= charge.size
        hops = self.policy.refused(charge.account, charge.seq, now)
        self._forget(charge.account)
        return hops

    def ended(self, charge: Charge, now: int) -> list[Hop]:
        """A packet ended on its way to the queue: no route, no neighbour."""
        self.coming -= charge.frames
        return self._released(charge, now)

    def left(self, charge: Charge | None, now: int) -> list[Hop]:
        """The device is done with a packet, whoever's it was."""
        if charge is None:
            return self.policy.space(now)
        self.counts.frames += charge.frames
        charge.account.refusals = 0
        return self._released(charge, now)

    def _released(self, charge: Charge, now: int) -> list[Hop]:
        account = charge.account
        account.charged -= charge.size
        self._forget(account)
        return [*self.policy.released(account, now), *self.policy.space(now)]

    def _forget(self, account: Account) -> None:
        if not account.charged and account.since is None:
            self.accounts.pop(account, None)

    # ---- policies say ------------------------------------------------------------------------

    def wake(self, account: Account) -> Hop:
        """A wake-up for a connection."""
        self.counts.wakeups += 1
        account.since = None
        m = Mbuf(b"")
        m.tag = (SOCKETS, Wake(account))
        return to("socket.deliver", m)

    def stalled(self, now: int, patience: int = 0) -> tuple[str, ...]:
        """The watchdog: a sentence for each connection that has waited longer than ``patience`` ns for an idle device.

        Only a wake-up that was forgotten leaves one so.
        """
        if not self.outlet.idle() or self.coming:
            return ()
        return tuple(
            f"port {a.pair.local_port} has waited {now - a.since} ns for {self.name}, which is idle: a wake-up was lost"
            for a in self.accounts
            if a.since is not None and now - a.since > patience and a.connection.state != CLOSED
        )
