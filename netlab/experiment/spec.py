"""An experiment as data: a network, its traffic, and where the student's part goes."""

from __future__ import annotations

from dataclasses import dataclass

from netlab.topology.spec import Topology
from netlab.workload.spec import Workload


@dataclass(frozen=True)
class Experiment:
    """``slots`` names the (node, slot) places that a submission fills; ``says`` is one sentence for people."""

    name: str
    says: str
    topology: Topology
    workloads: tuple[Workload, ...]
    slots: tuple[tuple[str, str], ...] = ()
