"""The judge: a lab, a submission, and a row for every check, whatever the submission does.

Judge, simulator and checks run here; the student's file runs in a sandbox. The visible checks of ``nlab check`` and of
the notebook's button are judged by this same code, with the public secret and without the hidden checks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from netlab.backend.base import SlotCall, SlotFailure
from netlab.errors import Unavailable
from netlab.experiment.result import Result
from netlab.grade.sandbox import Limits, Sandbox, legible
from netlab.lab.check import Check, CheckResult, Evidence, Status, Verdict
from netlab.lab.lab import Lab
from netlab.lab.variant import PUBLIC, Variant, hidden_seeds, variant

BUDGET_S = 30.0
"""Wall seconds for one submission, simulation included."""


@dataclass(frozen=True)
class Graded:
    """One submission with a row for each check."""

    student: str
    file: str
    results: tuple[CheckResult, ...]
    isolation: str = ""
    """How well its code was shut in: see `netlab.grade.sandbox`."""
    printed: str = ""
    """What its code printed, up to a limit; where hidden checks were asked, in their runs too."""

    @property
    def points(self) -> int:
        """What it got."""
        return sum(result.points for result in self.results)

    @property
    def of(self) -> int:
        """What it could have got."""
        return sum(result.of for result in self.results)


def grade_submission(
    lab: Lab,
    path: Path,
    student: str,
    secret: bytes,
    seeds: tuple[int, ...] | None = None,
    *,
    limits: Limits | None = None,
    budget: float = BUDGET_S,
) -> list[CheckResult]:
    """A row for each of the lab's checks, in the lab's order. ``seeds`` are those of the visible checks."""
    return list(judge(lab, path, student, secret, seeds, limits=limits, budget=budget).results)


def check_file(lab: Lab, path: Path, student: str = "", *, limits: Limits | None = None) -> Graded:
    """The visible checks, as a student may run them: no secret is needed."""
    return judge(lab, path, student, None, limits=limits)


def judge(
    lab: Lab,
    path: Path,
    student: str,
    secret: bytes | None,
    seeds: tuple[int, ...] | None = None,
    *,
    limits: Limits | None = None,
    budget: float = BUDGET_S,
) -> Graded:
    """Judge one file. Without a secret there are no hidden checks."""
    limits = limits or Limits(total=budget)
    checks = [check for check in lab.checks if secret is not None or not check.hidden]
    with Sandbox(path, limits) as box:
        if box.failure is not None:
            told = _told(box.failure)
            return Graded(student, legible(path), same_row(checks, told.status, told.said), box.isolation, box.printed)
        bench = _Bench(lab, box, student, secret or PUBLIC, seeds or lab.seeds, time.monotonic() + budget)
        rows: dict[str, CheckResult] = {}
        for check in checks:
            rows[check.name] = _row(check, bench, rows)
        return Graded(student, legible(path), tuple(rows.values()), box.isolation, box.printed)


def same_row(checks: Iterable[Check], status: Status, said: str) -> tuple[CheckResult, ...]:
    """A row for each check when nothing can be asked of the submission at all."""
    return tuple(CheckResult(c.name, status, 0, c.points, said, hidden=c.hidden) for c in checks)


# ---- one check ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Finding:
    """How a check went on one seed."""

    status: Status
    said: str
    evidence: tuple[Evidence, ...] = ()


def _row(check: Check, bench: _Bench, before: dict[str, CheckResult]) -> CheckResult:
    finding = _blocked(check, before) or _ask(check, bench)
    points = check.points if finding.status == "passed" else 0
    return CheckResult(check.name, finding.status, points, check.points, finding.said, finding.evidence, check.hidden)


def _blocked(check: Check, before: dict[str, CheckResult]) -> _Finding | None:
    """A finding when a check that this one depends on isn't passed."""
    for name in check.after:
        row = before[name]
        if row.status == "absent":
            return _Finding(row.status, row.said)
        if row.status != "passed":
            return _Finding("blocked", f"can't be judged before '{name}' passes")
    return None


def _ask(check: Check, bench: _Bench) -> _Finding:
    """The check on every seed; the first seed on which it doesn't pass decides."""
    finding = _Finding("error", "it was asked on no seed")
    for seed in bench.seeds(check.hidden):
        finding = _ask_seed(check, bench, seed)
        if finding.status != "passed":
            break
    return finding


def _ask_seed(check: Check, bench: _Bench, seed: int) -> _Finding:
    results: dict[str, Result] = {}
    for name in check.experiments:
        run = bench.run(name, check.hidden, seed)
        if isinstance(run, _Finding):
            return replace(run, evidence=(Evidence(name, seed),))
        results[name] = run
    finding: _Finding = _guarded(lambda: _judge(check, results, seed), f"check '{check.name}'")
    return finding


def _judge(check: Check, results: dict[str, Result], seed: int) -> _Finding:
    first = check.experiments[0]
    for need in check.needs:
        if not need.holds(results):
            return _Finding("failed", f"nothing could be judged: needs {need.said}", (Evidence(first, seed),))
    verdict: Verdict = check.judge(results)
    evidence = Evidence(verdict.experiment or first, seed, verdict.records)
    return _Finding("passed" if verdict.passed else "failed", verdict.said or check.said, (evidence,))


# ---- runs -----------------------------------------------------------------------------------------


@dataclass
class _Bench:
    """Runs experiments with one student's slots, each at most once for the same parameters."""

    lab: Lab
    box: Sandbox
    student: str
    secret: bytes
    visible: tuple[int, ...]
    deadline: float
    _runs: dict[tuple[str, bool, int], Result | _Finding] = field(default_factory=dict)
    _variants: dict[bool, Variant] = field(default_factory=dict)

    def seeds(self, hidden: bool) -> tuple[int, ...]:
        """The seeds on which a check is asked."""
        return hidden_seeds(self.lab.slug, self.student, self.secret, len(self.visible)) if hidden else self.visible

    def run(self, name: str, hidden: bool, seed: int) -> Result | _Finding:
        """The experiment's result, or why there is none."""
        key = (name, hidden, seed)
        if key not in self._runs:
            self._runs[key] = self._run(name, hidden, seed)
        return self._runs[key]

    def _run(self, name: str, hidden: bool, seed: int) -> Result | _Finding:
        if time.monotonic() > self.deadline:
            return _Finding("error", "its time for all checks together is used up")
        self.box.fresh()
        if self.box.failure is not None:
            return _told(self.box.failure)
        slots: dict[str, SlotCall] = {e.slot: self._in_time(self.box.slot(e.slot)) for e in self.lab.exercises}
        experiment = self.lab.experiments[name]
        run = _guarded(lambda: experiment(self._variant(hidden), seed, slots), f"experiment '{name}'")
        if isinstance(run, _Finding):
            return run
        if not isinstance(run, Result):
            return _Finding(
                "error", f"experiment '{name}' itself broke (it gave no Result); the answer is not to blame"
            )
        return _unfit(run) or run

    def _in_time(self, call: SlotCall) -> SlotCall:
        """The call while there is time: packets that an answer keeps alive would keep a simulation alive for ever."""

        def asked(*args: Any) -> Any:
            if time.monotonic() > self.deadline:
                raise SlotFailure("timeout", "its simulation does not come to an end: does a packet go round for ever?")
            return call(*args)

        return asked

    def _variant(self, hidden: bool) -> Variant:
        if hidden not in self._variants:
            self._variants[hidden] = variant(self.lab, self.student, self.secret if hidden else PUBLIC)
        return self._variants[hidden]


def _unfit(run: Result) -> _Finding | None:
    """Why a run may not be judged, if so."""
    refused = [str(problem) for problem in run.problems if problem.severity == "refuse"]
    if refused:
        return _Finding("error", f"this machine can't hold the experiment: {refused[0]}")
    if run.log.lost:  # what was lost might be what a check looks for, and an answer can make records without end
        return _Finding("error", f"its run made too many records: {run.log.lost} were lost, so it can't be judged")
    return None


def _told(failure: SlotFailure) -> _Finding:
    return _Finding("absent" if failure.kind == "absent" else "error", failure.said)


def _guarded(work: Callable[[], Any], what: str) -> Any:
    """The work's value, or a finding: this is a process edge, and a mistake of ours must still give its row."""
    try:
        return work()
    except SlotFailure as failure:
        return _told(failure)
    except Unavailable as lack:
        return _Finding("error", f"this machine can't hold the experiment: {lack}")
    except Exception as error:  # noqa: BLE001
        return _Finding("error", f"{what} itself broke ({type(error).__name__}: {error}); the answer is not to blame")
