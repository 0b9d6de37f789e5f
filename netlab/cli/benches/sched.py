"""What a scheduler's turn costs as the flows grow in number: constant for DRR, log N for WF2Q+."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from netlab.cli.benches import Row

if TYPE_CHECKING:
    from netlab.stack.sched import Scheduler

FLOWS = (2, 64, 4096)
TURNS = 60_000
SIZES = (64, 1514, 590)


def rows(flows_: tuple[int, ...] = FLOWS) -> list[Row]:
    """ns for an item in and one out, beside first come, first served."""
    from netlab.stack.sched import SCHEDULERS

    found: list[Row] = []
    for flows in flows_:
        plain = 0.0
        for name, make in SCHEDULERS.items():
            kinds = min(flows, 8) if name == "prio" else flows
            spent = min(_turn_ns(make({}), kinds) for _ in range(3))
            plain = plain or spent
            found.append(Row("sched", f"{name}, {kinds:,} flows", spent, "ns/turn", f"fifo {plain:.0f}", plain / spent))
    return found


def _turn_ns(scheduler: Scheduler[Any], flows: int) -> float:
    for flow in range(flows):
        scheduler.enqueue(flow, SIZES[flow % 3], flow)
    began = time.perf_counter()
    for _ in range(TURNS):
        flow = scheduler.dequeue()
        scheduler.enqueue(flow, SIZES[flow % 3], flow)
    return (time.perf_counter() - began) * 1e9 / TURNS
