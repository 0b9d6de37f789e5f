"""A host of ours on kernel devices, in this process: for a bench, a test, or a program that brings its own stack."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping
from itertools import count

from netlab.backend.native.executor import LiveExecutor
from netlab.backend.native.pressed import PressedLiveExecutor
from netlab.stack.drivers.api import Driver
from netlab.stack.host import Host
from netlab.stack.stage import Hop

LONGEST_WAIT = 0.05
"""Seconds until ``done`` is asked again where nothing happens."""
ROUNDS = 8
"""How often the rings are emptied before deadlines are looked at, however much comes."""


class LiveHost:
    """``host`` at work on ``drivers`` (its interface's name -> driver, with `filenos`). Close it when done."""

    def __init__(self, host: Host, drivers: dict[str, Driver], pressure: Mapping[str, str] | None = None) -> None:
        """``pressure``: the backpressure policy of an interface, by its name."""
        self.host, self.drivers = host, drivers
        kind = PressedLiveExecutor if pressure else LiveExecutor
        self.executor = kind(host, drivers, base=time.monotonic_ns(), ids=count(1), emit=None)
        if isinstance(self.executor, PressedLiveExecutor):
            for name, policy in (pressure or {}).items():
                self.executor.press(name, policy)
        self._poller = select.epoll()
        self._rings: dict[int, tuple[str, int]] = {}
        for name, driver in drivers.items():
            for queue, fd in enumerate(getattr(driver, "filenos", list)()):
                self._rings[fd] = (name, queue)
                self._poller.register(fd, select.EPOLLIN)

    def do(self, act: Callable[[int], list[Hop]]) -> None:
        """Call a program with the time; what it sends goes on its way."""
        self.executor.inject(act(self.executor.now()))

    def run(self, done: Callable[[], bool], limit: float) -> bool:
        """Work until ``done``; False when ``limit`` seconds have passed before that."""
        end = time.monotonic() + limit
        while not done():
            if time.monotonic() > end:
                return False
            wait = self.executor.run_timers()
            self._poller.poll(LONGEST_WAIT if wait is None else min(wait, LONGEST_WAIT))
            self._take()
        return True

    def _take(self) -> None:
        """All that has come, before any deadline: where this process had to wait for its turn, the acknowledgement
        that a timer waits for may lie in a ring."""
        for _ in range(ROUNDS):
            # Every ring each time: a bad cable may give what its device gave long ago.
            if not sum(self.executor.poll(name, queue) for name, queue in self._rings.values()):
                return

    def close(self) -> None:
        """Let go of the devices."""
        for driver in self.drivers.values():
            driver.close()
        self._poller.close()
