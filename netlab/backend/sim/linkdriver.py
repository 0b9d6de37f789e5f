"""A driver whose device is a simulated cable: what a port of the simulation does, for whoever holds a driver."""

from __future__ import annotations

from netlab.backend.sim.costs import QUEUE_LIMIT, RX_RING
from netlab.sim.link import LinkDirection
from netlab.sim.loop import EventLoop
from netlab.sim.queue import BoundedQueue
from netlab.stack.ifcaps import Capability


class LinkDriver:
    """One end: a queue, the wire at its rate and delay, and a ring at the ``far`` end. See `cable`."""

    capabilities = Capability.VLAN_MTU
    queues = 1

    def __init__(
        self,
        name: str,
        loop: EventLoop,
        link: LinkDirection,
        *,
        mtu: int = 1500,
        queue: int = QUEUE_LIMIT,
        ring: int = RX_RING,
    ) -> None:
        self.name, self.mtu = name, mtu
        self.far: LinkDriver | None = None
        self._loop, self._link = loop, link
        self._queue: BoundedQueue[bytes] = BoundedQueue(queue)
        self._ring: BoundedQueue[bytes] = BoundedQueue(ring)
        self._running = self._busy = False
        self.missed = 0
        """Frames that came when the ring was full, or while the end was down."""

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """Into the queue, and on the wire as soon as that is free."""
        if not self._running or not self._queue.put(frame, len(frame)):
            return False
        if not self._busy:
            self._send()
        return True

    def receive(self, queue: int = 0) -> bytes | None:
        """The ring's oldest."""
        return self._ring.get() if self._running and len(self._ring) else None

    def up(self) -> None:
        """Begin with nothing in queue and ring."""
        self._clear()
        self._running = True

    def down(self) -> None:
        """Stop; what is on the wire already still arrives at the far end."""
        self._running = False
        self._clear()

    def close(self) -> None:
        """As down."""
        self.down()

    def _clear(self) -> None:
        for held in (self._queue, self._ring):
            while len(held):
                held.get()

    def _send(self) -> None:
        frame = self._queue.get()
        self._busy = True
        took = self._link.serialisation(len(frame))
        self._loop.at(self._loop.now + took, self._sent, None)
        if self.far is not None and not self._link.loses():
            self._loop.at(self._loop.now + took + self._link.delay, self.far._arrived, frame)

    def _sent(self, _: None) -> None:
        self._busy = False
        if len(self._queue):
            self._send()

    def _arrived(self, frame: bytes) -> None:
        if not self._running or not self._ring.put(frame, len(frame)):
            self.missed += 1


def cable(a: LinkDriver, b: LinkDriver) -> None:
    """Join two ends."""
    a.far, b.far = b, a
