"""A driver's transmit ring in virtual time: descriptors below the interface queue, freed by interrupts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from netlab.backend.sim.queues import TxQueue
from netlab.errors import BadInput
from netlab.stack.mbuf import Mbuf
from netlab.stack.pressure import DynamicQueueLimit
from netlab.stack.steering import Interrupts, Moderation


@dataclass(frozen=True)
class Ring:
    """How many frames the device takes at once, and when it says that they have left (``ethtool -G``, ``-C``)."""

    descriptors: int = 256
    moderation: Moderation = Moderation()  # noqa: RUF009  (immutable)


class RingedQueue:
    """An interface queue above a ring: what is put waits above, what is got comes from the ring.

    ``fill`` moves frames down while there are descriptors, and as far as ``bql`` lets it. A descriptor is free again
    only when `reclaim` was called, which is the interrupt's affair.
    """

    __slots__ = ("_above", "_done", "_ring", "bql", "interrupts", "ring", "ringed")

    def __init__(self, above: TxQueue, ring: Ring, *, bql: bool) -> None:
        if ring.descriptors < 1:
            raise BadInput(f"a ring of {ring.descriptors} descriptors sends nothing", right="give it 1 at least")
        self._above, self.ring = above, ring
        self._ring: deque[Mbuf] = deque()
        self._done: deque[Mbuf] = deque()
        """What has left, and whose descriptor nobody has freed."""
        self.bql = DynamicQueueLimit() if bql else None
        self.interrupts = Interrupts(ring.moderation)
        self.ringed = 0
        """Bytes in the ring."""

    def __len__(self) -> int:
        return len(self._above) + len(self._ring)

    @property
    def octets(self) -> int:
        """Bytes that wait, above and in the ring."""
        return self._above.octets + self.ringed

    @property
    def above(self) -> TxQueue:
        """The queue that nobody has handed to the device yet."""
        return self._above

    @property
    def ready(self) -> bool:
        """Whether the device has a frame to send."""
        return bool(self._ring)

    @property
    def holds(self) -> bool:
        """Whether an interrupt is still to come."""
        return bool(self._done)

    def put(self, item: Mbuf, size: int) -> bool:
        """Take a frame into the queue, or say False when it would pass the limit."""
        return self._above.put(item, size)

    def get(self) -> Mbuf:
        """The frame that the device sends next; IndexError when the ring is empty."""
        m = self._ring.popleft()
        self.ringed -= len(m.data)
        self._done.append(m)
        return m

    def fill(self) -> int:
        """Hand frames to the device; how many."""
        moved = 0
        while len(self._above) and len(self._ring) + len(self._done) < self.ring.descriptors:
            if self.bql is not None and self.bql.available < 0:
                break
            m = self._above.get()
            self._ring.append(m)
            self.ringed += len(m.data)
            if self.bql is not None:
                self.bql.queued(len(m.data))
            moved += 1
        return moved

    def reclaim(self, now: int) -> list[Mbuf]:
        """The interrupt: the frames that have left, whose descriptors are free now."""
        done = list(self._done)
        self._done.clear()
        if self.bql is not None and done:
            self.bql.completed(sum(len(m.data) for m in done), now)
        return done
