"""A study: cases in, rows out, the same each time; what others published stands beside and never enters."""

from __future__ import annotations

import json

import pytest

from netlab.errors import BadInput
from netlab.experiment.study import Case, Chart, Metric, Published, Row, Study, StudyResult, run_study
from netlab.sim.rng import Streams


def falls(case: Case, seed: int) -> Row:
    """How far a stone falls in so many seconds, measured a little badly."""
    wrong = Streams(seed).stream(case.name).below(100) / 10_000
    seconds = case.settings["seconds"]
    return Row({"metres": 4.9 * seconds**2 + wrong}, {"way": ([0, seconds], [0, 4.9 * seconds**2])})


STONE = Study(
    "stone",
    "How far does a stone fall?",
    tuple(Case(f"{s} s", {"seconds": s}) for s in (1, 2, 10)),
    falls,
    (Metric("metres", "m", "below where it was let go"),),
    published=(Published("Galileo, 1638", "2 s", {"metres": 19.6}),),
    charts=(Chart("the way", ("way",), "series", "line"), Chart("how far", ("metres",), "seconds", "points")),
)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    one, two, other = (json.dumps(run_study(STONE, seed).to_data()) for seed in (1, 1, 2))
    assert one == two != other
    assert run_study(STONE, 1).digest() != run_study(STONE, 2).digest()


def test_a_result_is_data_and_comes_back_from_it() -> None:
    result = run_study(STONE)
    again = StudyResult.from_data(json.loads(json.dumps(result.to_data())))
    assert again.to_data() == result.to_data()
    assert again.charts == STONE.charts and again.published == STONE.published
    assert again.row("2 s").metrics == result.row("2 s").metrics


def test_cases_are_chosen_by_name_or_pattern_in_the_studys_order() -> None:
    assert [m.case.name for m in run_study(STONE, cases=["10 s", "1*"]).measured] == ["1 s", "10 s"]
    with pytest.raises(BadInput, match="stone: there is no case '3 s'; cases are 1 s, 2 s, 10 s"):
        run_study(STONE, cases=["1 s", "3 s"])
    with pytest.raises(BadInput, match="there is no case '3 s'"):
        run_study(STONE, cases=["1 s"]).row("3 s")


def test_published_numbers_enter_no_row() -> None:
    without = Study(STONE.name, STONE.says, STONE.cases, STONE.run, STONE.metrics)
    assert run_study(without).digest() == run_study(STONE).digest()


def test_who_watches_hears_of_each_case_before_it_runs() -> None:
    heard: list[tuple[str, int, int]] = []
    run_study(STONE, cases=["2 s", "10 s"], begun=lambda case, number, of: heard.append((case.name, number, of)))
    assert heard == [("2 s", 1, 2), ("10 s", 2, 2)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (Row({"feet": 3}), "stone, 1 s: no such metrics are declared: feet"),
        (Row({}, {"way": ([1, 2], [1])}), "stone, 1 s: series way has 2 xs and 1 ys"),
    ],
)
def test_a_row_that_the_study_does_not_declare_is_its_defect(row: Row, says: str) -> None:
    careless = Study(STONE.name, STONE.says, STONE.cases, lambda case, seed: row, STONE.metrics)
    with pytest.raises(ValueError, match=says):
        run_study(careless)
