"""Backpressure on real interfaces: the policies of `netlab.stack.pressure` above the kernel's own queue.

What a device still holds of ours is what the kernel charges to our socket until it has left (SIOCOUTQ). Nothing tells
us when that changes, so as long as something is out we look every millisecond.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

from netlab.backend.native.executor import LiveExecutor
from netlab.errors import BadInput
from netlab.stack.drivers.api import Driver
from netlab.stack.mbuf import Mbuf
from netlab.stack.pressure import Boundary, policy_named
from netlab.stack.pressure.account import Charge
from netlab.stack.stage import Hop
from netlab.units import MS

FRAME = 2304
"""What Linux charges for a full frame (struct sk_buff, its data and what goes with them)."""
LOOK = 1 * MS


class Holding(Protocol):
    """What some drivers can tell besides."""

    def waiting(self) -> int:
        """Bytes that were sent and have not left, as the kernel counts them."""

    def buffer(self) -> int:
        """How many there may be."""


class DeviceOutlet:
    """The queue below a driver. Of a driver that cannot tell, nothing ever waits."""

    def __init__(self, driver: Driver) -> None:
        self._holding: Holding | None = driver if hasattr(driver, "waiting") else None  # type: ignore[assignment]
        self.out: deque[tuple[Charge | None, int]] = deque()
        """Frames that may not have left: whose they are, and what the kernel charged."""
        self._total = 0
        self.deepest = 0
        """The most that ever waited."""

    @property
    def octets(self) -> int:
        """Bytes that wait."""
        return 0 if self._holding is None else self._holding.waiting()

    def room(self) -> int:
        """How many frames of full size the device would still take."""
        return self.capacity() - self.octets // FRAME

    def capacity(self) -> int:
        """How many it takes in all."""
        return 1 << 20 if self._holding is None else self._holding.buffer() // FRAME

    def idle(self) -> bool:
        """Whether all has left."""
        return not self.octets

    def sent(self, charge: Charge | None, before: int) -> None:
        """A frame was sent, when ``before`` bytes waited: so much more are now its own."""
        after = self.octets
        self.deepest = max(self.deepest, after)
        cost = max(after - before, 1)
        self.out.append((charge, cost))
        self._total += cost

    def left(self) -> list[Charge | None]:
        """Those that have left since the last look, the oldest first."""
        waiting = self.octets
        found = []
        while self.out and (self._total > waiting or not waiting):
            charge, cost = self.out.popleft()
            self._total -= cost
            found.append(charge)
        return found


class PressedLiveExecutor(LiveExecutor):
    """As `LiveExecutor`, with boundaries at its interfaces."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.boundaries: dict[str, Boundary] = {}
        self.outlets: dict[str, DeviceOutlet] = {}
        self._looking: set[str] = set()
        self._later: list[Hop] = []
        """What policies said while hops were being sorted."""

    def press(self, interface: str, policy: str, settings: Mapping[str, Mapping[str, Any]] | None = None) -> Boundary:
        """Give an interface its policy; BadInput for one that there is not."""
        asked = policy_named(policy, settings, where=interface)
        if asked.endless:
            raise BadInput("the queue below a device is the kernel's, and has its limit", where=interface)
        outlet = DeviceOutlet(self.attached[interface].driver)
        made = Boundary(interface, outlet, asked, self.host.timers)
        self.boundaries[interface], self.outlets[interface] = made, outlet
        self.host.tcp.press(made)
        return made

    def poll(self, interface: str, queue: int = 0) -> int:
        """As `LiveExecutor.poll`; what has left meanwhile is looked at first."""
        if interface in self._looking:
            self._complete(self._look(interface))
        return super().poll(interface, queue)

    def _group(self, hops: list[Hop], stage: str) -> list[tuple[str, list[Mbuf]]]:
        found = super()._group(hops, stage)
        for target, m, _ in hops:
            if not target and m.charge is not None:
                charge, m.charge = m.charge, None
                self._later += charge.account.boundary.ended(charge, self.now())
        while self._later:
            later, self._later = self._later, []
            found += super()._group(later, "pressure")
        return found

    def _send(self, m: Mbuf) -> bool:
        assert m.ifp is not None
        boundary, charge = self.boundaries.get(m.ifp.name), m.charge
        if boundary is None:
            return super()._send(m)
        m.charge = None
        if charge is not None and not charge.account.boundary.arrived(charge):
            return False
        outlet = self.outlets[m.ifp.name]
        before = outlet.octets
        sent = super()._send(m)
        if sent:
            outlet.sent(charge, before)
            self._watch(m.ifp.name)
        elif charge is not None:
            self._later += charge.account.boundary.refused(charge, self.now())
        return sent

    def _watch(self, interface: str) -> None:
        if interface not in self._looking:
            self._looking.add(interface)
            self.host.timers.at(self.now() + LOOK, lambda now: self._due(interface))

    def _due(self, interface: str) -> list[Hop]:
        hops = self._look(interface)
        self._looking.discard(interface)
        if self.outlets[interface].out:
            self._watch(interface)
        return hops

    def _look(self, interface: str) -> list[Hop]:
        """What follows from what has left."""
        boundary, now = self.boundaries[interface], self.now()
        hops: list[Hop] = []
        for charge in self.outlets[interface].left():
            owner = boundary if charge is None else charge.account.boundary
            hops += owner.left(charge, now)
        return hops
