"""Who fills a session's log: a probe where the network is watched, and the programs that say how they fare."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING

from netlab.backend.mininet.arena import Arena
from netlab.probe.source import NATIVE_LATENCY, SETTLING, TICK, UNFINISHED, KernelProbe
from netlab.topology.spec import Plan
from netlab.trace.log import Log
from netlab.trace.record import Row

if TYPE_CHECKING:
    import socket


class Observer:
    """Brings records into ``log``, from when it is started; without a probe only what programs say."""

    def __init__(self, plan: Plan, log: Log) -> None:
        self.plan, self.log = plan, log
        self.base = time.monotonic_ns()
        """The CLOCK_MONOTONIC time that records count from."""
        self._probe: KernelProbe | None = None

    def start(self, arena: Arena, *, tracing: bool) -> None:
        """Watch the arena's interfaces, and the kernel where it may be traced."""
        self.base = time.monotonic_ns()
        names = {d.name: d.kernel for d in arena.devices.values() if d.cabled}
        # The probe's thread must not keep an arena alive that nobody else holds.
        held = weakref.ref(arena)

        def open_socket(interface: str) -> socket.socket:
            there = held()
            assert there is not None
            return there.packet_socket(interface)

        probe = KernelProbe(self.plan, names, open_socket, self.log, self.base, tracing=tracing)
        probe.start()
        self._probe = probe

    def tell(self, t: int, node: str, program: str, said: str, value: int) -> None:
        """A program's words; from any thread."""
        row = (t, "app", node, program, -1, 0, (said, value))
        if self._probe is not None:
            self._probe.add(row)
        else:
            self.log.add((t - self.base, *row[1:]))

    def add_native(self, rows: list[Row]) -> None:
        """Records of nodes that run our own stack; from any thread."""
        if self._probe is not None:
            self._probe.add_native(rows)

    def settle(self) -> None:
        """Return when the log has what has happened so far."""
        probe = self._probe  # the session may be closed meanwhile, in another thread
        if probe is not None:
            latency = NATIVE_LATENCY if probe.has_native else UNFINISHED
            time.sleep((latency + SETTLING) / 1e9 + TICK)
            probe.poll()

    def stop(self) -> None:
        """Watch no more; the log has all that was seen. A second call does nothing."""
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.stop()
