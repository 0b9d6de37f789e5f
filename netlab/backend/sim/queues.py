"""What waits for a wire: first in first out, or in the order of a scheduler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from netlab.backend.sim.costs import QUEUE_LIMIT
from netlab.errors import BadInput
from netlab.sim.queue import BoundedQueue
from netlab.stack.mbuf import Mbuf
from netlab.stack.sched import SCHEDULERS
from netlab.stack.vlan import traffic_class
from netlab.topology.spec import Limit
from netlab.wire import vlan
from netlab.wire.decode import five_tuple, flow_hash

Classify = Callable[[bytes], int]
"""A frame -> its class or flow."""


class TxQueue(Protocol):
    """A queue at a port; ``octets`` is what it holds."""

    @property
    def octets(self) -> int: ...

    def __len__(self) -> int: ...

    def put(self, item: Mbuf, size: int) -> bool: ...

    def get(self) -> Mbuf: ...


def by_precedence(frame: bytes) -> int:
    """0 for the highest IP precedence (RFC 791 §3.1, the first three bits of TOS) to 7 for the lowest or for no IP."""
    return 7 - (frame[15] >> 5) if frame[12:14] == b"\x08\x00" and len(frame) > 15 else 7


def by_port(frame: bytes) -> int:
    """The smaller of the two ports, which mostly is the service's; 0 without ports."""
    flow = five_tuple(frame)
    return min(flow.src_port, flow.dst_port) if flow else 0


def by_pcp(frame: bytes) -> int:
    """0 for the most urgent priority code point to 7 for the least, in the standard's order: 7 6 5 4 3 2 0 1."""
    tags = vlan.tags(frame)
    return 7 - traffic_class(tags[0][1].pcp if tags else 0, 8)


CLASSIFIERS: dict[str, Classify] = {"flow": flow_hash, "precedence": by_precedence, "port": by_port, "pcp": by_pcp}


@dataclass(frozen=True)
class Scheduling:
    """A scheduler for an interface: which (`SCHEDULERS`), what makes the classes (`CLASSIFIERS`), and their weights."""

    scheduler: str
    by: str = "flow"
    weights: Mapping[int, int] = field(default_factory=dict)


class ScheduledQueue:
    """Bounded as a whole, whatever the class; BadInput for a scheduler or a classifier that there is not."""

    __slots__ = ("_classify", "_limit", "_scheduler", "octets")

    def __init__(self, scheduling: Scheduling, limit: Limit) -> None:
        for name, table in ((scheduling.scheduler, SCHEDULERS), (scheduling.by, CLASSIFIERS)):
            if name not in table:
                raise BadInput(f"there is no '{name}'", right=f"there are {', '.join(table)}")
        self._scheduler = SCHEDULERS[scheduling.scheduler](scheduling.weights)
        self._classify = CLASSIFIERS[scheduling.by]
        self._limit = limit
        self.octets = 0

    def __len__(self) -> int:
        return len(self._scheduler)

    def put(self, item: Mbuf, size: int) -> bool:
        """Take a frame, or say False when it would pass the limit."""
        used, more = (self.octets, size) if self._limit.unit == "bytes" else (len(self), 1)
        if used + more > self._limit.n:
            return False
        self._scheduler.enqueue(item, size, self._classify(item.data))
        self.octets += size
        return True

    def get(self) -> Mbuf:
        """The frame whose turn it is; IndexError when there is none."""
        item: Mbuf = self._scheduler.dequeue()
        self.octets -= len(item.data)
        return item


def tx_queue(limit: Limit | None, scheduling: Scheduling | None = None) -> TxQueue:
    """The queue of a port: `QUEUE_LIMIT` packets where the topology does not say."""
    held = limit or Limit(QUEUE_LIMIT, "packets")
    if scheduling is not None:
        return ScheduledQueue(scheduling, held)
    return BoundedQueue(held.n, in_bytes=held.unit == "bytes")
