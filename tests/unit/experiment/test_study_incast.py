"""Many senders at one port: who loses whole windows waits for a timer, and who keeps windows short does not."""

from __future__ import annotations

import pytest

from netlab.experiment.studies.convergence import CONVERGENCE, active, jain
from netlab.experiment.studies.incast import INCAST, incast
from netlab.experiment.study import Number, run_study


def query(case: str) -> dict[str, Number]:
    (found,) = (each for each in INCAST.cases if each.name == case)
    return dict(incast(found, 1).metrics)


def test_forty_servers_are_too_many_for_reno_and_not_for_dctcp() -> None:
    reno, dctcp = query("reno, RTO 300 ms, 40 servers"), query("dctcp, RTO 300 ms, 40 servers")
    assert (reno["late"] or 0) > 0.8 and (reno["mean"] or 0) > 250, reno
    assert (dctcp["late"] or 0) < 0.2 and (dctcp["mean"] or 0) < 60, dctcp
    half = query("dctcp, RTO 300 ms, 20 servers")
    assert half["late"] == 0 and 8.2 < (half["mean"] or 0) < 9, half


def test_where_two_segments_of_each_overflow_the_buffer_dctcp_is_late_too() -> None:
    row = query("dctcp, RTO 10 ms, 60 servers")
    assert row["late"] == 1 and 17 < (row["mean"] or 0) < 25, row


def test_flows_join_one_by_one_and_leave_in_the_same_order() -> None:
    assert [list(active(step)) for step in (0, 1, 4, 5, 8)] == [[0], [0, 1], [0, 1, 2, 3, 4], [1, 2, 3, 4], [4]]


def test_jains_index_is_one_for_equal_shares_and_the_part_of_those_who_have_something() -> None:
    assert jain([3, 3, 3]) == 1
    assert jain([5, 0, 0, 0]) == 0.25
    assert jain([0, 0]) == 0


@pytest.mark.long
def test_dctcp_is_fair_and_keeps_the_link_full_while_flows_come_and_go() -> None:
    row = run_study(CONVERGENCE, 2, ["dctcp*"]).row("dctcp K=20").metrics
    assert (row["fairness"] or 0) > 0.95 and (row["throughput"] or 0) > 975, row
