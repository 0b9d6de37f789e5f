"""The study of backpressure: its figures have the shapes that are known, on short runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.experiment.studies.backpressure import BACKPRESSURE, BDP, CASES, run
from netlab.experiment.study import Case, Number
from netlab.units import MS, SEC

NAMED = {case.name: case for case in CASES}


def measured(name: str, seed: int = 1, **changes: object) -> dict[str, Number]:
    """A case of the study, with other settings."""
    case = NAMED[name]
    return dict(run(replace(case, settings={**case.settings, **changes}), seed).metrics)


def number(found: Number) -> float:
    assert found is not None
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_accounting_and_scheduling_serve_two_hundred_sockets(seed: int) -> None:
    """The full wire, a queue within two bandwidth-delay products, a wake-up a packet, and the same for everybody."""
    row = measured("herd accounted+scheduled N=200", seed, until=1100 * MS)
    assert number(row["goodput"]) >= 95
    assert number(row["longest"]) * 1000 <= 2 * BDP
    assert number(row["wakeups"]) <= 1.2
    assert number(row["fairness"]) >= 0.95
    assert row["drops"] == 0


def test_rolling_back_saves_the_timeouts_that_dropping_costs() -> None:
    """ISDN with a queue of half a second: published are a half and all of what the line can carry."""
    shorter = {"since": 10 * SEC, "until": 70 * SEC}
    rolled = number(measured("isdn rollback", **shorter)["goodput"])
    dropped = number(measured("isdn drop", **shorter)["goodput"])
    assert rolled >= 99
    assert dropped <= 70
    assert number(measured("isdn drop, 5 s queue", **shorter)["drops"]) == 0, "five seconds hold all that a window has"


def test_the_herd_grows_with_its_number_and_a_schedule_does_not() -> None:
    short = {"since": 400 * MS, "until": 600 * MS}
    few = number(measured("herd wake all N=4", **short)["wakeups"])
    many = number(measured("herd wake all N=64", **short)["wakeups"])
    assert many > 8 * few
    scheduled = [measured(f"herd scheduled N={n}", **short) for n in (4, 64)]
    assert all(0.9 <= number(row["wakeups"]) <= 1.2 for row in scheduled)
    assert number(scheduled[1]["cpu"]) < number(measured("herd wake all N=64", **short)["cpu"]) / 2


def test_an_endless_queue_pays_with_delay_and_accounting_pays_nothing() -> None:
    short = {"since": 500 * MS, "until": 800 * MS}
    endless, accounted = measured("endless", **short), measured("accounted", **short)
    assert number(endless["goodput"]) >= 99 and number(accounted["goodput"]) >= 99
    assert number(endless["wait"]) > 100, "as long as the windows of all peers together"
    assert number(accounted["wait"]) < 8, "what small queues were published to leave on a link of this kind"
    assert number(accounted["ping p99"]) < 30 < 120 < number(endless["ping p99"])


def test_a_fair_queue_above_a_ring_is_in_vain_without_a_limit_on_the_ring() -> None:
    short = {"since": 500 * MS, "until": 900 * MS}
    free, limited = measured("drop, fair queue, ring", **short), measured("drop, fair queue, ring, bql", **short)
    assert number(limited["ping p99"]) < 30 < 60 < number(free["ping p99"])
    assert number(limited["goodput"]) >= 95


def test_every_case_names_a_policy_and_has_its_own_name() -> None:
    assert len(NAMED) == len(CASES)
    assert {row.case for row in BACKPRESSURE.published if row.case.startswith("isdn")} <= NAMED.keys()
    assert all(isinstance(case, Case) and case.settings["policy"] for case in CASES)
