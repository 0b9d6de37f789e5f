"""Schedulers: who goes next of those that wait, at any queue. Pure: no clock, no packet, only items, sizes, flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netlab.stack.sched.drr import Drr
from netlab.stack.sched.fifo import Fifo
from netlab.stack.sched.priority import StrictPriority
from netlab.stack.sched.protocol import Scheduler
from netlab.stack.sched.wf2q import Wf2qPlus

__all__ = ["SCHEDULERS", "Drr", "Fifo", "Scheduler", "StrictPriority", "Wf2qPlus"]

SCHEDULERS: dict[str, Callable[[Mapping[int, int]], Scheduler[Any]]] = {
    "fifo": lambda weights: Fifo(),
    "prio": lambda weights: StrictPriority(),
    "drr": Drr,
    "wf2q+": Wf2qPlus,
}
"""Name -> what makes one of weights by flow (a flow not named has weight 1; FIFO and priority know no weights)."""
