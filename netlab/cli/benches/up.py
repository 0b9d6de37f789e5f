"""A star of 20 hosts, up: ours beside stock Mininet, both until every bridge port forwards."""

from __future__ import annotations

import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from statistics import median

from netlab.cli.benches import Row
from netlab.cli.topo import plan_of
from netlab.errors import Unavailable

HOSTS = 20
ROUNDS = 3


def rows() -> list[Row]:
    """With and without records of what happens in the network; stock Mininet makes none."""
    if sys.platform != "linux":
        raise Unavailable("the Mininet world exists on Linux only")
    from netlab.backend.mininet.bench import bench_up

    with redirect_stdout(StringIO()):
        try:
            took = bench_up(HOSTS, ROUNDS)
        except RuntimeError as error:
            raise Unavailable(str(error), right="'nlab doctor' says what is missing") from error
    recorded = median(_recorded() for _ in range(ROUNDS))
    stock = took["stock"]
    beside = f"stock Mininet {stock:.2f} s"
    return [
        Row("up", f"star,{HOSTS} on Mininet", took["netlab"], "s", beside, stock / took["netlab"]),
        Row("up", f"star,{HOSTS} on Mininet, with its records", recorded, "s", beside, stock / recorded),
    ]


def _recorded() -> float:
    from netlab.backend.mininet import MininetSession

    plan = plan_of(f"star,{HOSTS}")
    began = time.perf_counter()
    with MininetSession(plan):
        return time.perf_counter() - began
