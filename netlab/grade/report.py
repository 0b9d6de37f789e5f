"""Grades for people (a table) and for programs (JSON).

The JSON document:

    {"schema": 1, "lab": "01-packet-path", "of": 10,
     "checks": [{"name": "forwards", "points": 3, "said": "...", "hidden": false}, ...],
     "submissions": [{"student": "ada", "file": "ada.py", "points": 7, "of": 10, "isolation": "bubblewrap, seccomp",
                      "printed": "...",
                      "results": [{"check": "forwards", "status": "passed", "points": 3, "of": 3, "said": "...",
                                   "hidden": false,
                                   "evidence": [{"experiment": "line", "seed": 1, "records": [17]}]}, ...]}, ...]}

``status`` is passed, failed, absent, blocked or error (see `netlab.lab.check.CheckResult`). There is a result for every
check of every submission, in the lab's order; submissions are in the order of their files' names.

``printed`` is all that the code printed, in the runs of hidden checks too: it may tell a student what is asked there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from netlab.grade.judge import Graded
from netlab.lab.check import Check
from netlab.lab.lab import Lab

SCHEMA = 1

SIGNS = {"passed": "✓", "failed": "✗", "absent": "–", "blocked": "·", "error": "!"}


def document(lab: Lab, graded: Sequence[Graded]) -> dict[str, Any]:
    """The JSON document as plain data."""
    checks = [{"name": c.name, "points": c.points, "said": c.said, "hidden": c.hidden} for c in lab.checks]
    shown = [_submission(one) for one in graded]
    return {"schema": SCHEMA, "lab": lab.slug, "of": lab.points, "checks": checks, "submissions": shown}


def to_json(lab: Lab, graded: Sequence[Graded]) -> str:
    """The JSON document as text; the same grades give the same text."""
    return json.dumps(document(lab, graded), indent=2, ensure_ascii=False) + "\n"


def _submission(one: Graded) -> dict[str, Any]:
    head = {"student": one.student, "file": one.file, "points": one.points, "of": one.of}
    results = [result.plain() for result in one.results]
    return {**head, "isolation": one.isolation, "printed": one.printed, "results": results}


# ---- for people -----------------------------------------------------------------------------------


def table(lab: Lab, graded: Sequence[Graded]) -> str:
    """A line for each submission, then a sentence for each check that wasn't passed, then what the signs mean."""
    head = ["submission", *(_heading(check) for check in lab.checks), "points"]
    rows = [[tame(one.file), *(SIGNS[r.status] for r in one.results), f"{one.points}/{one.of}"] for one in graded]
    lines = _columns([head, *rows])
    lines += ["", *(line for one in graded for line in sentences(one))]
    hidden = "  * hidden" if any(check.hidden for check in lab.checks) else ""
    lines += ["", "  ".join(f"{sign} {status}" for status, sign in SIGNS.items()) + hidden]
    levels = sorted({one.isolation for one in graded if one.isolation})
    return "\n".join([*lines, f"answers ran in: {' | '.join(levels) or 'nothing: none could be run'}"])


def skipped(others: Sequence[tuple[str, str]]) -> str:
    """One line about what was passed over, and why; "" when nothing was."""
    shown = ", ".join(f"{tame(name)} ({why})" for name, why in others[:8])
    more = f" and {len(others) - 8} more" if len(others) > 8 else ""
    return f"passed over: {shown}{more}" if others else ""


def sentences(one: Graded) -> list[str]:
    """What is to be said about one submission, each thing once with the checks that it is true of."""
    about: dict[tuple[str, str], list[str]] = {}
    for result in one.results:
        if result.status != "passed":
            about.setdefault((result.status, result.said), []).append(result.check)
    file, every = tame(one.file), len(one.results)
    return [
        f"{file}: {status}: {tame(said)}"
        if len(names) == every
        else f"{file}: {', '.join(names)} {status}: {tame(said)}"
        for (status, said), names in about.items()
    ]


def feedback(one: Graded) -> str:
    """For the student himself: a line for each check, and what his code printed."""
    lines = [f"{SIGNS[r.status]} {r.check} ({r.points}/{r.of}) {r.status}: {tame(r.said)}" for r in one.results]
    lines.append(f"{one.points} of {one.of} points")
    if one.printed:
        lines += ["your code printed:", *(f"  {tame(line)}" for line in one.printed.splitlines()[:50])]
    return "\n".join(lines)


def tame(text: str) -> str:
    """The text on one line, without what could steer a terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _heading(check: Check) -> str:
    return f"{check.name}*" if check.hidden else check.name


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
