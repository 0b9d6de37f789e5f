"""A check: one question to the results of experiments, and what its answer is worth.

A check judges results, never the text of the code. It is asked on several seeds and passes when it passes on each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from netlab.experiment.result import Result

Results = Mapping[str, Result]
"""The results of one seed, by experiment name: those that the check asked for."""

Status = Literal["passed", "failed", "absent", "blocked", "error"]


@dataclass(frozen=True)
class Evidence:
    """Where to look: records (by index) of the log of one experiment on one seed, so that a view can jump there."""

    experiment: str
    seed: int
    records: tuple[int, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """A judge's answer. ``said`` tells the story: what went in, what was right, what broke, and where."""

    passed: bool
    said: str = ""
    experiment: str = ""
    """The experiment whose log ``records`` index; empty: the check's first."""
    records: tuple[int, ...] = ()


@dataclass(frozen=True)
class Need:
    """What a run must contain before anything in it may be judged, so that an empty run can't pass.

    ``said`` completes the sentence "needs ..." ("3 journeys that crossed r1").
    """

    said: str
    holds: Callable[[Results], bool]


@dataclass(frozen=True)
class Check:
    """One check of a lab. ``judge`` sees the results of one seed at a time."""

    name: str
    points: int
    said: str
    """What is asked, in one sentence: "packets leave by the longest matching route"."""
    experiments: tuple[str, ...]
    judge: Callable[[Results], Verdict]
    needs: tuple[Need, ...]
    """At least one: what makes it impossible for an empty run to pass."""
    after: tuple[str, ...] = ()
    """Checks without which this one says nothing: it is blocked while one of them isn't passed."""
    hidden: bool = False
    """Run with parameters drawn from the instructor's secret; the same code."""


@dataclass(frozen=True)
class CheckResult:
    """What a submission got for one check.

    | status | meaning |
    |---|---|
    | passed | on every seed |
    | failed | the answer ran and did the wrong thing; ``said`` tells what |
    | absent | there is no answer: the file is empty, or has no such function |
    | blocked | a check that this one depends on isn't passed |
    | error | the answer could not be judged: it crashed, hung, was stopped by a limit; or the machine couldn't do it |
    """

    check: str
    status: Status
    points: int
    of: int
    said: str
    evidence: tuple[Evidence, ...] = ()
    hidden: bool = False

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        shown = [{"experiment": e.experiment, "seed": e.seed, "records": list(e.records)} for e in self.evidence]
        fields = {"check": self.check, "status": self.status, "points": self.points, "of": self.of, "said": self.said}
        return {**fields, "hidden": self.hidden, "evidence": shown}
