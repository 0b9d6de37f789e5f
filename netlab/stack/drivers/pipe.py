"""Drivers that need no device: two that are joined back to back, and one that is joined to itself."""

from __future__ import annotations

from collections import deque

from netlab.stack.ifcaps import Capability

RING = 256
"""Frames that wait to be received."""


class Pipe:
    """One end: what is transmitted is in the ``far`` end's ring at once, on the same queue. See `pipe`, `loopback`."""

    capabilities = Capability.VLAN_MTU

    def __init__(self, name: str, *, mtu: int = 1500, queues: int = 1, ring: int = RING) -> None:
        self.name, self.mtu, self.queues, self.ring = name, mtu, queues, ring
        self.rings: list[deque[bytes]] = [deque() for _ in range(queues)]
        self.far: Pipe = self
        self.running = False

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """Into the other end's ring; False when that is full. An end that is down lets it fall."""
        ring = self.far.rings[queue]
        if not self.running or len(ring) >= self.ring:
            return False
        if self.far.running:
            ring.append(frame)
        return True

    def receive(self, queue: int = 0) -> bytes | None:
        """The oldest of the queue."""
        return self.rings[queue].popleft() if self.running and self.rings[queue] else None

    def up(self) -> None:
        """Begin with empty rings."""
        self._clear()
        self.running = True

    def down(self) -> None:
        """Stop, and forget what came."""
        self.running = False
        self._clear()

    def close(self) -> None:
        """As down: there is nothing to give back."""
        self.down()

    def _clear(self) -> None:
        for ring in self.rings:
            ring.clear()


def pipe(a: str, b: str, *, mtu: int = 1500, queues: int = 1, ring: int = RING) -> tuple[Pipe, Pipe]:
    """Two ends that are joined."""
    one, two = Pipe(a, mtu=mtu, queues=queues, ring=ring), Pipe(b, mtu=mtu, queues=queues, ring=ring)
    one.far, two.far = two, one
    return one, two


def loopback(name: str = "lo0", *, mtu: int = 16_384, ring: int = RING) -> Pipe:
    """What it sends it receives (FreeBSD lo(4), with its MTU)."""
    return Pipe(name, mtu=mtu, ring=ring)
