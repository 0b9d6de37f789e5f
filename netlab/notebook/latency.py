"""How long a record takes to become pixels: a made-up flow, shown live, timed by the browser that paints it.

Run in a notebook cell with a browser in front of it: ``await measure(1000, 5)``.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from netlab.notebook.widget import PathWidget
from netlab.topology.codec import plan_to_data
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan
from netlab.trace.log import Header, Log
from netlab.units import SEC

PATIENCE = 60.0
"""Seconds that a browser has to show the empty picture."""


@dataclass(frozen=True)
class Latency:
    """ms from record to pixel, each an upper bound: the time of an update's oldest record, or before it."""

    packets: int
    updates: int
    p50: float
    p95: float
    worst: float


async def measure(rate: int, seconds: float, topology: str = "line,2", *, patience: float = PATIENCE) -> Latency:
    """Show ``rate`` packets a second for a while. TimeoutError when no browser paints."""
    from IPython.display import display

    plan = resolve(load_topology(topology))
    log = Log(Header("sim", 0, plan_to_data(plan), notes=("a made-up flow, to time the picture",)))
    view = PathWidget.live(log)
    display(view)  # type: ignore[no-untyped-call]
    _cross(log, plan, 0, 1)
    async with asyncio.timeout(patience):
        while not view.pacer.latencies:
            await asyncio.sleep(0.01)
    view.pacer.latencies.clear()
    packets = await view.during(lambda: _flow(log, plan, rate, seconds))
    found = sorted(view.pacer.latencies)
    if not found:
        raise TimeoutError("the browser painted nothing of the flow")
    at = [found[int(part * (len(found) - 1))] for part in (0.5, 0.95, 1.0)]
    return Latency(packets, len(found), *at)


def _flow(log: Log, plan: Plan, rate: int, seconds: float) -> int:
    """Packets evenly in time, by the wall clock; how many there were."""
    began, sent = time.monotonic(), 0
    while (now := time.monotonic() - began) < seconds:
        while sent < now * rate:
            sent += 1
            _cross(log, plan, round(now * SEC), sent + 1)
        time.sleep(0.001)
    return sent


def _cross(log: Log, plan: Plan, t: int, pkt: int) -> None:
    """One packet over every cable, from the first end to the second."""
    log.add((t, "packet", plan.nodes[0].name, "bench", 0, pkt, (0, "made up")))
    for link in plan.links:
        log.add((t, "wire.tx", plan.interface(link.a).node, link.a, 0, pkt, (link.b, 98, 0, 0, b"")))
