"""Grades as a table for people and as JSON for programs."""

from __future__ import annotations

import json

from netlab.grade.judge import Graded
from netlab.grade.report import feedback, sentences, table, tame, to_json
from netlab.lab.check import CheckResult, Evidence
from netlab.lab.lab import Lab

PASSED = CheckResult("numbers", "passed", 2, 2, "doubled", (Evidence("small", 3, (1, 2)),))
FAILED = CheckResult("big-numbers", "failed", 0, 1, "7 went in, 15 came out")
BLOCKED = CheckResult("any-numbers", "blocked", 0, 3, "can't be judged before 'numbers' passes", hidden=True)

ADA = Graded("ada", "ada.py", (PASSED, FAILED, BLOCKED), "bubblewrap, seccomp", "hello\n")
BOB = Graded(
    "bob", "bob.py", tuple(CheckResult(c, "absent", 0, 2, "the file is empty") for c in ("numbers", "big-numbers", "x"))
)


def test_the_table_has_a_line_a_submission_and_says_what_is_wrong(toy: Lab) -> None:
    assert table(toy, [ADA, BOB]).splitlines() == [
        "submission  numbers  big-numbers  any-numbers*  points",
        "ada.py      ✓        ✗            ·             2/6",
        "bob.py      –        –            –             0/6",
        "",
        "ada.py: big-numbers failed: 7 went in, 15 came out",
        "ada.py: any-numbers blocked: can't be judged before 'numbers' passes",
        "bob.py: absent: the file is empty",
        "",
        "✓ passed  ✗ failed  – absent  · blocked  ! error  * hidden",
        "answers ran in: bubblewrap, seccomp",
    ]


def test_what_holds_for_several_checks_is_said_once() -> None:
    rows = (PASSED, *(CheckResult(c, "blocked", 0, 1, "not before 'a'") for c in "bc"))
    assert sentences(Graded("ada", "ada.py", rows)) == ["ada.py: b, c blocked: not before 'a'"]


def test_the_json_holds_every_row(toy: Lab) -> None:
    document = json.loads(to_json(toy, [ADA, BOB]))
    assert (document["schema"], document["lab"], document["of"]) == (1, "90-toy", 6)
    assert document["checks"][2] == {
        "name": "any-numbers",
        "points": 3,
        "said": "any-numbers are doubled",
        "hidden": True,
    }
    ada = document["submissions"][0]
    assert {key: ada[key] for key in ("student", "file", "points", "of", "isolation", "printed")} == {
        "student": "ada",
        "file": "ada.py",
        "points": 2,
        "of": 6,
        "isolation": "bubblewrap, seccomp",
        "printed": "hello\n",
    }
    assert ada["results"][0] == {
        "check": "numbers",
        "status": "passed",
        "points": 2,
        "of": 2,
        "said": "doubled",
        "hidden": False,
        "evidence": [{"experiment": "small", "seed": 3, "records": [1, 2]}],
    }


def test_feedback_is_for_one_student() -> None:
    assert feedback(ADA).splitlines() == [
        "✓ numbers (2/2) passed: doubled",
        "✗ big-numbers (0/1) failed: 7 went in, 15 came out",
        "· any-numbers (0/3) blocked: can't be judged before 'numbers' passes",
        "2 of 6 points",
        "your code printed:",
        "  hello",
    ]


def test_a_submission_cannot_steer_the_terminal(toy: Lab) -> None:
    evil = "\x1b[2J\x1b]0;gone\x07\nall\tpassed \u202e"
    assert tame(evil) == "\ufffd[2J\ufffd]0;gone\ufffd all passed \ufffd"
    rows = tuple(CheckResult(c.name, "failed", 0, c.points, evil) for c in toy.checks)
    shown = table(toy, [Graded(evil, evil, rows, "limits", evil)]) + feedback(Graded(evil, evil, rows, "limits", evil))
    assert "\x1b" not in shown and "\u202e" not in shown
