"""Runs a host's stage graph against the real clock: run to completion, one vector after the other.

The same stages as in virtual time. Between them stands what is measured: the time that each took, and what came and
went by each interface.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator

from netlab.stack.drivers.api import Attached, Driver
from netlab.stack.host import Host
from netlab.stack.ifcaps import Capability
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import Offload
from netlab.stack.stage import Hop, to
from netlab.trace.record import Row
from netlab.wire.decode import describe

Emit = Callable[[Row], None]
LONG = Capability.GRO
"""What a driver can do that gives long segments whole."""
BUDGET = 64
"""Frames taken from one interface before the next has its turn (Linux NAPI weight)."""


class LiveExecutor:
    """One host on real interfaces. ``base`` is CLOCK_MONOTONIC ns at the run's start; records count from there."""

    def __init__(
        self,
        host: Host,
        devices: dict[str, Driver],
        *,
        base: int,
        ids: Iterator[int],
        emit: Emit | None,
    ) -> None:
        self.host, self.base, self.emit = host, base, emit
        self.attached = {name: Attached(host.interfaces[name], driver) for name, driver in devices.items()}
        self._ids = ids

    def now(self) -> int:
        """ns since the run's start."""
        return time.monotonic_ns() - self.base

    def poll(self, interface: str, queue: int = 0) -> int:
        """Take what a queue of an interface has, up to the budget, all the way through; how many frames that was."""
        vector = self._take(interface, queue)
        if vector:
            self._complete([to("nic.rx", m) for m in vector])
        return len(vector)

    def inject(self, hops: list[Hop]) -> None:
        """Send on their way what a program or a timer of this host made."""
        self._complete(hops)

    def run_timers(self) -> float | None:
        """Do what is due; the seconds until the next deadline, None when there is none."""
        self._complete(self.host.timers.run(self.now()))
        deadline = self.host.timers.next()
        return None if deadline is None else max(0, deadline - self.now()) / 1e9

    def _take(self, interface: str, queue: int) -> list[Mbuf]:
        attached, ifp = self.attached[interface], self.host.interfaces[interface]
        vector: list[Mbuf] = []
        joined = bool(ifp.joins) and LONG in attached.driver.capabilities
        while len(vector) < BUDGET:
            found = attached.receive_long(queue) if joined else attached.receive(queue)
            if found is None:
                break
            frame, offload = found if isinstance(found, tuple) else (found, None)
            m = Mbuf(frame, pkt=next(self._ids), rcvif=ifp)
            m.offload = offload
            if self.emit:
                data = (ifp.peer, len(frame), frame)
                self.emit((self.now(), "wire.rx", self.host.name, interface, -1, m.pkt, data))
            vector.append(m)
        return vector

    def _complete(self, hops: list[Hop]) -> None:
        """Run stages until every packet has left, been dropped, or waits inside the host."""
        work: deque[tuple[str, list[Mbuf]]] = deque(self._group(hops, "program"))
        while work:
            stage, vector = work.popleft()
            began = self.now()
            hops = self.host.stages[stage].run(self.host, vector, began)
            if self.emit:
                self._record(stage, vector, began)
            work.extendleft(reversed(self._group(hops, stage)))

    def _record(self, stage: str, vector: list[Mbuf], began: int) -> None:
        """The stage's time is shared out evenly: what one packet of a vector took cannot be told."""
        assert self.emit is not None
        share = (self.now() - began) // len(vector)
        for n, m in enumerate(vector):
            ifp = m.ifp or m.rcvif
            data = (ifp.name if ifp else "", share)
            self.emit((began + n * share, "stage", self.host.name, stage, 0, m.pkt, data))

    def _group(self, hops: list[Hop], stage: str) -> list[tuple[str, list[Mbuf]]]:
        groups: dict[str, list[Mbuf]] = {}
        for target, m, reason in hops:
            if not m.pkt:
                m.pkt, m.born = next(self._ids), stage
            if target == "nic.tx":
                self._send(m)
            elif target:
                groups.setdefault(target, []).append(m)
            elif reason and self.emit:
                self._announce(m)
                data = (reason, m.rcvif.name if m.rcvif else "")
                self.emit((self.now(), "drop", self.host.name, stage, 0, m.pkt, data))
        return list(groups.items())

    def _send(self, m: Mbuf) -> bool:
        """To the driver; whether that took it."""
        ifp = m.ifp
        assert ifp is not None
        t = self.now()
        attached = self.attached[ifp.name]
        long: Offload | None = m.offload if m.offload is not None and m.offload.unfinished else None
        if not (attached.transmit_long(m.data, long) if long else attached.transmit(m.data)):
            if self.emit:
                self._announce(m)
                self.emit((t, "drop", self.host.name, "ifq", 0, m.pkt, (attached.refusal, ifp.name)))
            return False
        if self.emit:
            self._announce(m)
            data = (ifp.peer, len(m.data), None, None, m.data)
            self.emit((t, "wire.tx", self.host.name, ifp.name, 0, m.pkt, data))
        return True

    def _announce(self, m: Mbuf) -> None:
        """Say that a journey began here, once its frame can be put in words."""
        if m.born and self.emit:
            born, m.born = m.born, ""
            self.emit((self.now(), "packet", self.host.name, born, 0, m.pkt, (m.parent, describe(m.data))))
