"""A row for every check of every submission, with the status it deserves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from netlab.backend.base import Problem, SlotFailure
from netlab.grade.child import CLOSED
from netlab.grade.judge import Graded, check_file, grade_submission, judge
from netlab.grade.sandbox import Limits, Sandbox
from netlab.lab.lab import Lab

SECRET = bytes(range(32))
Submit = Callable[..., Path]

QUICK = Limits(wall=1.5, total=20.0)


def statuses(graded: Graded) -> dict[str, str]:
    return {row.check: row.status for row in graded.results}


def test_a_right_answer_passes_every_check(toy: Lab, submit: Submit) -> None:
    rows = grade_submission(toy, submit("ada"), "ada", SECRET)
    assert [(row.check, row.status, row.points, row.of) for row in rows] == [
        ("numbers", "passed", 2, 2),
        ("big-numbers", "passed", 1, 1),
        ("any-numbers", "passed", 3, 3),
    ]


def test_a_wrong_answer_fails_the_check_that_it_gets_wrong_and_no_other(toy: Lab, submit: Submit) -> None:
    path = submit("bob", "def double(numbers): return [2 * n if n < 10**6 else n for n in numbers]")
    graded = judge(toy, path, "bob", SECRET)
    assert statuses(graded) == {"numbers": "passed", "big-numbers": "failed", "any-numbers": "failed"}


def test_a_failed_check_says_what_went_in_and_points_at_the_record(toy: Lab, submit: Submit) -> None:
    path = submit("bob", "def double(numbers): return [n + 2 for n in numbers]")
    row = judge(toy, path, "bob", SECRET).results[0]
    assert row.said == "1 went in, 2 is right, 3 came out"
    assert [(e.experiment, e.seed, e.records) for e in row.evidence] == [("small", 1, (0,))]


def test_what_depends_on_a_failed_check_is_blocked(toy: Lab, submit: Submit) -> None:
    row = judge(toy, submit("bob", "def double(numbers): return [0 for n in numbers]"), "bob", SECRET).results[2]
    assert (row.status, row.said) == ("blocked", "can't be judged before 'numbers' passes")


def test_an_empty_run_passes_nothing(toy: Lab, submit: Submit) -> None:
    graded = judge(toy, submit("nil", "def double(numbers): return []"), "nil", SECRET)
    assert statuses(graded) == {"numbers": "failed", "big-numbers": "failed", "any-numbers": "blocked"}
    assert graded.results[0].said == "nothing could be judged: needs 3 numbers that came back"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("", "absent", "the file is empty"),
        ("  \n\n", "absent", "the file is empty"),
        ("def halve(n): return n", "absent", "x.py defines no function 'double'"),
        ("double = 2", "absent", "x.py defines no function 'double'"),
        ("def double(numbers)\n    return 1\n", "error", "x.py:1: SyntaxError: expected ':'"),
        ("x = 1\nx.y", "error", "x.py:2: AttributeError: 'int' object has no attribute 'y'"),
        (b"\x7fELF\x00\x01", "error", "the file is binary, not Python source"),
        (b"x = 'caf\xe9'\n", "error", "x.py:1: SyntaxError"),
        ("import numpy", "error", "x.py:1: ModuleNotFoundError: No module named 'numpy'"),
        ("import sys; sys.exit(0)", "error", "x.py:1: SystemExit: 0"),
    ],
)
def test_a_file_that_cannot_be_asked_gets_every_row(
    toy: Lab, submit: Submit, text: str | bytes, status: str, said: str
) -> None:
    graded = judge(toy, submit("x", text), "x", SECRET)
    assert [row.status for row in graded.results] == [status] * 3
    assert graded.points == 0
    assert said in graded.results[0].said


def test_a_file_with_other_line_ends_and_a_mark_at_its_start_is_fine(toy: Lab, submit: Submit) -> None:
    text = b"\xef\xbb\xbfdef double(numbers):\r\n    return [2 * n for n in numbers]\r\n"
    assert judge(toy, submit("win", text), "win", SECRET).points == 6


def test_an_answer_that_hangs_on_one_thing_loses_only_what_asks_for_it(toy: Lab, submit: Submit) -> None:
    path = submit(
        "slow", "def double(numbers):\n    while numbers[0] >= 10**6: pass\n    return [2*n for n in numbers]"
    )
    graded = judge(toy, path, "slow", SECRET, limits=QUICK)
    assert statuses(graded)["numbers"] == "passed"
    assert (graded.results[1].status, graded.results[1].said) == ("error", "it gave no answer within 1.5 s")


def test_globals_of_one_run_are_gone_in_the_next(toy: Lab, submit: Submit) -> None:
    text = "n = 0\ndef double(numbers):\n    global n\n    n += 1\n    return [2*i for i in numbers] if n == 1 else []"
    assert judge(toy, submit("memo", text), "memo", SECRET).points == 6


def test_the_visible_checks_need_no_secret_and_leave_the_hidden_ones_out(toy: Lab, submit: Submit) -> None:
    graded = check_file(toy, submit("ada"), "ada")
    assert [row.check for row in graded.results] == ["numbers", "big-numbers"]


def test_visible_parameters_are_the_same_with_and_without_a_secret(toy: Lab, submit: Submit) -> None:
    text = "def double(numbers): print(len(numbers)); return [2*n for n in numbers]"
    path = submit("ada", text)
    seen = check_file(toy, path, "ada").printed
    assert judge(toy, path, "ada", SECRET).printed.startswith(seen)


def test_hidden_parameters_come_from_the_secret(toy: Lab, submit: Submit) -> None:
    text = "def double(numbers): print(numbers[0]); return [2*n for n in numbers]"
    path = submit("ada", text)
    printed = {judge(toy, path, "ada", secret).printed for secret in (SECRET, SECRET, bytes(32))}
    assert len(printed) == 2


def test_a_mistake_in_the_lab_is_an_error_row_and_not_the_answers_fault(toy: Lab, submit: Submit) -> None:
    def broken(variant: object, seed: int, slots: object) -> None:
        raise KeyError("h7")

    lab = replace(toy, experiments={**toy.experiments, "small": broken})  # type: ignore[dict-item]
    graded = judge(lab, submit("ada"), "ada", SECRET)
    assert statuses(graded) == {"numbers": "error", "big-numbers": "passed", "any-numbers": "blocked"}
    assert "the answer is not to blame" in graded.results[0].said


def test_nothing_is_graded_where_the_machine_cannot_hold_the_experiment(toy: Lab, submit: Submit) -> None:
    def refused(variant: object, seed: int, slots: object) -> object:
        result = toy.experiments["small"](variant, seed, slots)  # type: ignore[arg-type]
        return replace(result, problems=(Problem("refuse", "h1-s1", "has no rate; use the guest kernel"),))

    lab = replace(toy, experiments={**toy.experiments, "small": refused})  # type: ignore[dict-item]
    row = judge(lab, submit("ada"), "ada", SECRET).results[0]
    assert (row.status, row.points) == ("error", 0)
    assert row.said == "this machine can't hold the experiment: h1-s1: has no rate; use the guest kernel"


def test_a_simulation_that_an_answer_keeps_alive_ends_with_its_time(toy: Lab, submit: Submit) -> None:
    def endless(variant: object, seed: int, slots: dict[str, Callable[..., object]]) -> None:
        while slots["double"]((1,)):
            pass

    lab = replace(toy, experiments={**toy.experiments, "big": endless})  # type: ignore[dict-item]
    graded = judge(lab, submit("ada"), "ada", SECRET, budget=2.0)
    assert (graded.results[1].status, graded.results[1].points) == ("error", 0)
    assert graded.results[1].said.startswith("its simulation does not come to an end")


def test_a_run_that_lost_records_passes_nothing(toy: Lab, submit: Submit) -> None:
    def overflowing(variant: object, seed: int, slots: object) -> object:
        result = toy.experiments["small"](variant, seed, slots)  # type: ignore[arg-type]
        result.log.lost = 7
        return result

    lab = replace(toy, experiments={**toy.experiments, "small": overflowing})  # type: ignore[dict-item]
    row = judge(lab, submit("ada"), "ada", SECRET).results[0]
    assert (row.status, row.points) == ("error", 0)
    assert row.said == "its run made too many records: 7 were lost, so it can't be judged"


def test_the_time_of_all_calls_together_is_said_when_it_is_up(toy: Lab, submit: Submit) -> None:
    path = submit("slow", "import time\ndef double(numbers):\n    time.sleep(0.4)\n    return [2*n for n in numbers]")
    graded = judge(toy, path, "slow", SECRET, limits=replace(QUICK, total=1.0))
    assert "error" in statuses(graded).values()
    assert "all its calls together took more than 1 s" in {row.said for row in graded.results}


def test_the_result_says_how_well_the_answer_was_shut_in(toy: Lab, submit: Submit) -> None:
    graded = judge(toy, submit("ada"), "ada", SECRET)
    assert graded.isolation.split(", ")[0] in ("bubblewrap", "namespaces", "limits", "process")


def test_an_answer_that_ends_its_interpreter_is_told_from_a_sandbox_that_is_closed() -> None:
    with Sandbox(b"import os\ndef leave(): os._exit(0)\n") as box:
        with pytest.raises(SlotFailure, match="ended its own interpreter"):
            box.call("leave")
        box.fresh()
        child = box._child
        assert child is not None and child.end() == CLOSED
