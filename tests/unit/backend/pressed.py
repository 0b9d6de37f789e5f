"""A host that pours into a short queue before a slow wire, under a policy: what the tests of backpressure share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netlab.backend.sim import SimSession
from netlab.backend.sim.pressing import Pressure
from netlab.stack.pressure import Boundary
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Limit, Link, Node, Plan, Topology
from netlab.units import MS
from netlab.workload.bulk import BulkSender, Sink, pattern

RATE, DELAY = 50_000_000, 10 * MS
BDP = RATE // 8 * 2 * DELAY // 1_000_000_000


def silent(program: str, now: int, said: str, value: int) -> None:
    """A program nobody listens to."""


def two_hosts(queue: Limit, rate: int = RATE, delay: int = DELAY) -> Plan:
    """h1 and h2 on one cable."""
    link = Link(End("h1"), End("h2"), rate=rate, delay=delay, queue=queue)
    return resolve(Topology("two", (Node("h1"), Node("h2")), (link,)))


class Pour:
    """``senders`` connections from h1 to h2, each with ``size`` bytes."""

    def __init__(
        self,
        policy: str,
        *,
        senders: int = 4,
        size: int = 100_000,
        queue: int = 30,
        rate: int = RATE,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        **session: Any,
    ) -> None:
        plan = two_hosts(Limit(queue, "packets"), rate)
        pressure = {"h1": Pressure(policy, settings or {})}
        self.session = SimSession(plan, traced=False, account=True, pressure=pressure, **session)
        self.data = pattern(size)
        hosts = {name: executor.host for name, executor in self.session.executors.items()}
        self.host = hosts["h1"]
        self.sink = Sink(hosts["h2"], 5001)
        [dst] = hosts["h2"].addresses
        self.programs = [BulkSender(hosts["h1"], dst, 5001, self.data, silent) for _ in range(senders)]

    def start(self) -> None:
        """Every program connects."""
        for program in self.programs:
            self.session.executors["h1"].inject(program.start(self.session.now))

    def run(self, until: int | None = None) -> Pour:
        """To the end, or up to a time."""
        self.start()
        self.session.loop.run(until)
        return self

    @property
    def boundary(self) -> Boundary:
        """Of h1's interface."""
        return self.host.tcp.boundaries["h1-eth0"]

    @property
    def wakeups_per_packet(self) -> float:
        """Of the packets that carried data."""
        return self.boundary.counts.wakeups / self.boundary.counts.frames
