"""The benches of routes and schedulers: each structure beside the plain one, in one run."""

from __future__ import annotations

from netlab.cli.benches import fib, sched
from netlab.stack.fib import FIBS
from netlab.stack.sched import SCHEDULERS


def test_every_structure_is_measured_beside_the_plain_list() -> None:
    found = fib.rows((300,))
    assert [row.what for row in found] == [f"{name}, 300 routes" for name in FIBS]
    assert found[0].ratio == 1.0 and all(row.value > 0 for row in found)
    assert min(row.ratio for row in found[1:]) > 2, "any structure beats 300 comparisons"


def test_every_scheduler_is_measured_beside_first_come() -> None:
    found = sched.rows((2,))
    assert [row.what.split(",")[0] for row in found] == list(SCHEDULERS)
    assert found[0].ratio == 1.0 and all(row.value > 0 for row in found)
