"""A cable in memory between two stacks, each in a thread of its own: for a try, a test or a lesson without root."""

from __future__ import annotations

from collections import deque

from netlab.backend.native.sockets.wakeup import Wakeup
from netlab.stack.ifcaps import CHECKSUMS, SOFTWARE, Capability
from netlab.stack.offload import Offload, cut, finished

RING = 1024
"""Frames that wait at an end to be received."""


class CableEnd:
    """A driver: what one end transmits is in the other's ring at once. See `cable`."""

    def __init__(self, name: str, *, mtu: int = 1500, offload: bool = True, ring: int = RING) -> None:
        """With ``offload`` long segments cross whole, as between two ends of a veth."""
        self.name, self.mtu, self.ring, self.queues = name, mtu, ring, 1
        self.capabilities = Capability.VLAN_MTU | Capability.RXCSUM
        if offload:
            self.capabilities |= CHECKSUMS | Capability.TSO | Capability.USO | SOFTWARE
        self.far: CableEnd = self
        self.running = False
        self._frames: deque[tuple[bytes, Offload | None]] = deque()
        """Appended to by the far stack's thread, popped from by the own one's: single operations, which are atomic."""
        self._pieces: deque[bytes] = deque()
        self._wakeup = Wakeup()

    def filenos(self) -> list[int]:
        """For a selector."""
        return [self._wakeup.fileno()]

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """Into the far ring; False when that is full. An end that is down lets it fall."""
        return self._put(frame, None)

    def transmit_long(self, frame: bytes, offload: Offload, queue: int = 0) -> bool:
        """As `transmit`, and what is left to do is said beside it."""
        return self._put(frame, offload)

    def _put(self, frame: bytes, offload: Offload | None) -> bool:
        far = self.far
        if not self.running or len(far._frames) >= far.ring:
            return False
        if far.running:
            far._frames.append((frame, offload))
            far._wakeup.set()
        return True

    def receive_long(self, queue: int = 0) -> tuple[bytes, Offload | None] | None:
        """The oldest frame as it was sent."""
        if not self._frames:
            self._wakeup.clear()
        return self._frames.popleft() if self._frames else None

    def receive(self, queue: int = 0) -> bytes | None:
        """The oldest frame as it would be on a wire."""
        if self._pieces:
            return self._pieces.popleft()
        found = self.receive_long()
        if found is None:
            return None
        frame, offload = found
        if offload is None or not offload.unfinished:
            return frame
        if not offload.segsz:
            return finished(frame)
        self._pieces.extend(cut(frame, offload.segsz))
        return self._pieces.popleft()

    def up(self) -> None:
        """Begin with an empty ring."""
        self._frames.clear()
        self.running = True

    def down(self) -> None:
        """Stop, and forget what came."""
        self.running = False
        self._frames.clear()

    def close(self) -> None:
        """Down, and give the descriptors back."""
        self.down()
        self._wakeup.close()


def cable(a: str = "eth0", b: str = "eth0", *, mtu: int = 1500, offload: bool = True) -> tuple[CableEnd, CableEnd]:
    """Two ends that are joined, by the names of their interfaces."""
    one, two = CableEnd(a, mtu=mtu, offload=offload), CableEnd(b, mtu=mtu, offload=offload)
    one.far, two.far = two, one
    return one, two
