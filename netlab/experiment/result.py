"""What an experiment yields: the one thing that checks, views and sweeps read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from netlab.backend.base import Problem
from netlab.topology.codec import plan_from_data
from netlab.topology.spec import Plan
from netlab.trace.log import Log
from netlab.workload.spec import Outcome


@dataclass(frozen=True)
class Result:
    """One run of an experiment. ``facts`` are what was so (seed, world, sizes), ``metrics`` what was measured."""

    experiment: str
    facts: dict[str, Any]
    metrics: dict[str, Any]
    log: Log
    problems: tuple[Problem, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @cached_property
    def plan(self) -> Plan:
        """The network that it ran on."""
        return plan_from_data(self.log.header.plan)
