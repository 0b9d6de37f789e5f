"""An executor that tells a host's backpressure policies what became of packets, and drives transmit rings.

It costs an event a packet more than `HostExecutor`, so only hosts that have a policy or a ring run in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from netlab.backend.sim.account import AccountedExecutor
from netlab.backend.sim.costs import QUEUE_LIMIT
from netlab.backend.sim.executor import Port, Work
from netlab.backend.sim.queues import Scheduling, tx_queue
from netlab.backend.sim.txring import Ring, RingedQueue
from netlab.sim.core import Core
from netlab.stack.mbuf import Mbuf
from netlab.stack.pressure import Boundary, policy_named
from netlab.stack.pressure.boundary import FRAME
from netlab.stack.stage import Hop
from netlab.topology.spec import Limit

ENDLESS = Limit(1 << 50, "bytes")


class PortOutlet:
    """A port's queue as its policy sees it."""

    def __init__(self, port: Port, limit: Limit) -> None:
        self._port, self._limit = port, limit

    @property
    def octets(self) -> int:
        """Bytes that wait, in the queue and in the ring."""
        return self._port.txq.octets

    def room(self) -> int:
        """How many frames of full size it would still take."""
        txq = self._port.txq
        above = txq.above if isinstance(txq, RingedQueue) else txq
        if self._limit.unit == "bytes":
            return (self._limit.n - above.octets) // FRAME
        return self._limit.n - len(above)

    def capacity(self) -> int:
        """How many frames of full size it takes at most."""
        return self._limit.n // FRAME if self._limit.unit == "bytes" else self._limit.n

    def idle(self) -> bool:
        """Whether nothing waits, and the device is done with all that it had."""
        txq = self._port.txq
        return not len(txq) and not (isinstance(txq, RingedQueue) and txq.holds)


class PressuredExecutor(AccountedExecutor):
    """As `HostExecutor`, with boundaries at its ports."""

    keeps_books: ClassVar[bool] = False

    busy: int = 0
    """ns that its cores have worked."""
    _boundaries: dict[str, Boundary] | None = None

    @property
    def boundaries(self) -> dict[str, Boundary]:
        """By interface."""
        if self._boundaries is None:
            self._boundaries = {}
        return self._boundaries

    def press(
        self,
        port: Port,
        policy: str = "drop",
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        ring: Ring | None = None,
        *,
        bql: bool = False,
        scheduling: Scheduling | None = None,
    ) -> Boundary:
        """Give a port its policy and, if any, its ring; BadInput for what there is not.

        ``scheduling`` is what orders the port's queue, for a policy that makes another.
        """
        made = policy_named(policy, settings, where=port.ifp.name)
        if made.endless:
            port.txq = tx_queue(ENDLESS, scheduling)
        limit = ENDLESS if made.endless else port.ifp.queue or Limit(QUEUE_LIMIT, "packets")
        if ring is not None:
            port.txq = RingedQueue(port.txq, ring, bql=bql)
            port.waking = True  # nobody but the ring's own events sends
        boundary = Boundary(port.ifp.name, PortOutlet(port, limit), made, self.host.timers)
        self.boundaries[port.ifp.name] = boundary
        self.host.tcp.press(boundary)
        return boundary

    def stalled(self, patience: int = 0) -> tuple[str, ...]:
        """What the watchdogs of all boundaries say now."""
        return tuple(said for one in self.boundaries.values() for said in one.stalled(self.loop.now, patience))

    def _cost(self, stage: str, vector: list[Mbuf]) -> int:
        took = super()._cost(stage, vector)
        self.busy += took
        return took

    # ---- on the way to the queue -------------------------------------------------------------

    def _enqueue(self, m: Mbuf, core: Core) -> None:
        assert m.ifp is not None
        charge = m.charge
        if charge is not None and not charge.account.boundary.arrived(charge):
            self._drop(m.pkt, "ifq", "taken back by TCP", m.ifp.name, core.number)
            return
        super()._enqueue(m, core)
        port = self.ports[m.ifp.name]
        if isinstance(port.txq, RingedQueue):
            self._feed(port, port.txq)

    def _refuse(self, port: Port, m: Mbuf, core: Core) -> None:
        super()._refuse(port, m, core)
        if m.charge is not None:
            self._follow(m.charge.account.boundary.refused(m.charge, self.loop.now))

    def _sort(self, hops: list[Hop], core: Core, where: str) -> list[Work]:
        works = super()._sort(hops, core, where)
        for target, m, _ in hops:
            if not target and m.charge is not None:
                charge, m.charge = m.charge, None
                self._follow(charge.account.boundary.ended(charge, self.loop.now))
        return works

    def _follow(self, hops: list[Hop]) -> None:
        """Hops of a policy, as an event of their own: it may speak in the middle of something."""
        if hops:
            self.loop.at(self.loop.now, self.inject, hops)
        elif self.host.timers.changed:
            self.arm()

    # ---- leaving -----------------------------------------------------------------------------

    def _send(self, port: Port) -> Mbuf | None:
        m = super()._send(port)
        if isinstance(port.txq, RingedQueue):
            self.loop.at(port.free_at, self._sent if m is not None else self._goes_on, port)
        elif m is not None and port.ifp.name in self.boundaries:
            self.loop.at(port.free_at, self._left, (port, [m]))
        return m

    def _left(self, argument: tuple[Port, list[Mbuf]]) -> None:
        """The device is done with frames."""
        port, frames = argument
        boundary = self.boundaries[port.ifp.name]
        hops: list[Hop] = []
        for m in frames:
            charge, m.charge = m.charge, None
            owner = boundary if charge is None else charge.account.boundary
            hops += owner.left(charge, self.loop.now)
        if hops:
            self.inject(hops)
        elif self.host.timers.changed:
            self.arm()

    # ---- the ring ----------------------------------------------------------------------------

    def _feed(self, port: Port, queue: RingedQueue) -> None:
        """Fill the ring; start the wire if it rests."""
        queue.fill()
        self._goes_on(port)

    def _goes_on(self, port: Port) -> None:
        """The next frame, or the next piece of one, if the wire is free."""
        queue = port.txq
        assert isinstance(queue, RingedQueue)
        if (queue.ready or port.cut) and port.free_at <= self.loop.now:
            self._send(port)

    def _sent(self, port: Port) -> None:
        """A frame's last bit has left: the next, and the interrupt for it now or later."""
        queue, now = port.txq, self.loop.now
        assert isinstance(queue, RingedQueue)
        self._goes_on(port)
        interrupts = queue.interrupts
        fresh = interrupts.due() is None
        interrupts.received(now)
        due = interrupts.due()
        assert due is not None
        if due <= now:
            self._complete_ring(port)
        elif fresh:
            self.loop.at(due, self._complete_ring, port)

    def _complete_ring(self, port: Port) -> None:
        """The interrupt, unless another was quicker."""
        queue = port.txq
        assert isinstance(queue, RingedQueue)
        if not queue.interrupts.fire(self.loop.now):
            return
        done = queue.reclaim(self.loop.now)
        self._feed(port, queue)
        self._left((port, done))


class AccountedPressuredExecutor(PressuredExecutor):
    """Both: every mbuf is accounted for, and every byte charged."""

    # No mixing of two classes: what is compiled may have but one base.
    keeps_books: ClassVar[bool] = True
