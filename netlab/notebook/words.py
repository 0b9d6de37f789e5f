"""What the notebook's widgets say, as small pieces of HTML. Every text of a run or a student is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from inspect import cleandoc
from typing import Any

from netlab.backend.base import SlotFailure
from netlab.errors import NetlabError
from netlab.experiment.result import Result
from netlab.experiment.spec import Experiment
from netlab.grade.judge import Graded
from netlab.grade.report import SIGNS
from netlab.lab.check import CheckResult, Verdict
from netlab.lab.exercise import Exercise
from netlab.lab.lab import Lab
from netlab.topology.resolve import resolve
from netlab.trace.log import Log
from netlab.units import format_time

COLOURS = {"passed": "#009E73", "failed": "#D55E00", "error": "#D55E00"}
"""Of Okabe and Ito's palette; the sign and the word say the same without it."""


def question(text: str) -> str:
    """Something that the reader is asked."""
    return f'<div style="font-size:1.1em;line-height:1.4;font-weight:600">{escape(text)}</div>'


def quiet(text: str) -> str:
    """A hint."""
    return f'<div style="color:var(--jp-ui-font-color2,#555);line-height:1.4">{escape(text)}</div>'


def _box(colour: str, inside: str) -> str:
    return (
        f'<div role="status" style="border-left:4px solid {colour};padding:.3em .8em;margin:.3em 0;line-height:1.45">'
        f"{inside}</div>"
    )


def waits(questions: Sequence[str]) -> str:
    """A run that is not unlocked yet."""
    asks = "".join(f"<li>{escape(ask)}</li>" for ask in questions)
    return _box("#0072B2", f"This runs as soon as you have committed to a guess above:<ul>{asks}</ul>")


def refused(said: str) -> str:
    """Something that could not be done, in the words of the error."""
    return _box("#D55E00", "<b>That did not work.</b> " + "<br>".join(escape(line) for line in said.splitlines()))


def broken(error: Exception) -> str:
    """The same for any error; one that is not told in a user's words is named by its class."""
    return refused(str(error) if isinstance(error, NetlabError | SlotFailure) else f"{type(error).__name__}: {error}")


def guessed(guess: str, truth: str, because: str) -> str:
    """The guess beside what the run showed."""
    if guess == truth:
        return _box(COLOURS["passed"], f"✓ You said <b>{escape(guess)}</b>, and so it was. {escape(because)}")
    said = f"✗ You said <b>{escape(guess)}</b>; the run shows <b>{escape(truth)}</b>. {escape(because)}"
    return _box(COLOURS["failed"], said)


def verdict(found: Verdict, log: Log, index: int) -> str:
    """The judgement of a step that was picked; its time is counted from the packet's first record, as pictures do."""
    record = log[index]
    began = min(row[0] for row in log.rows if row[5] == record.pkt)
    where = f"+{format_time(record.t - began)}, {record.node}, {record.obj}"
    sign, colour = ("✓", COLOURS["passed"]) if found.passed else ("✗", COLOURS["failed"])
    return _box(colour, f"{sign} <b>{escape(where)}</b>: {escape(found.said)}")


def yours(file: str, result: Result) -> str:
    """That it was the student's own code which ran, and where it broke down."""
    said = dict.fromkeys(f"{failure['node']}: {failure['said']}" for failure in result.facts["slot_failures"])
    if not said:
        return _box(COLOURS["passed"], f"This run had your {escape(file)} in it.")
    lines = "<br>".join(escape(line) for line in said)
    return _box(COLOURS["failed"], f"This run had your {escape(file)} in it, and lost packets there:<br>{lines}")


def outcome(experiment: Experiment, result: Result) -> str:
    """What the traffic came to, in a line for each workload."""
    lines = [escape(experiment.says) + "."]
    for one in result.outcomes:
        for reply in one.replies:
            what = f"answered after {format_time(reply.rtt)}" if reply.result == "answered" else reply.said or "silence"
            src, dst = one.workload.src, getattr(one.workload, "dst", "")
            lines.append(f"{escape(src)} → {escape(dst)}, request {reply.seq}: {escape(what)}")
        for n, flow in enumerate(one.flows, 1):
            src, dst = one.workload.src, getattr(one.workload, "dst", "")
            lines.append(f"{escape(src)} → {escape(dst)}, connection {n}: {escape(str(flow))}")
    lines += [f"Note: {escape(str(problem))}" for problem in result.problems]
    return "<br>".join(lines)


def assignment(exercise: Exercise) -> str:
    """What a slot's function gets and gives, folded away."""
    head = f"<summary><code>{escape(exercise.signature)}</code></summary>"
    return f"<details>{head}<pre>{escape(cleandoc(exercise.doc))}</pre></details>"


def feedback(graded: Graded) -> str:
    """A row for each check, and what the code printed."""
    rows = "".join(_row(result) for result in graded.results)
    head = f"<b>{graded.points} of {graded.of} points</b> from the visible checks"
    level = f" (run in: {escape(graded.isolation)})" if graded.isolation else ""
    printed = f"<details><summary>what it printed</summary><pre>{escape(graded.printed)}</pre></details>"
    table = f'<table style="border-collapse:collapse;line-height:1.4">{rows}</table>'
    return f'<div class="netlab-feedback">{head}{level}{table}{printed if graded.printed else ""}</div>'


def _row(result: CheckResult) -> str:
    colour = COLOURS.get(result.status, "inherit")
    cells = (
        f'<td style="color:{colour};font-weight:700;padding:.2em .6em;text-align:left;white-space:nowrap">'
        f"{SIGNS[result.status]} {result.status}</td>",
        f'<td style="padding:.2em .6em;text-align:left;white-space:nowrap"><b>{escape(result.check)}</b></td>',
        f'<td style="padding:.2em .6em;text-align:right">{result.points}/{result.of}</td>',
        f'<td style="padding:.2em .6em;text-align:left">{escape(result.said)}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


class Opening:
    """A lab that has just been opened: its network drawn, and where it can run."""

    def __init__(self, lab: Lab, numbers: Mapping[str, Any]) -> None:
        self.lab, self.numbers = lab, numbers

    def _repr_html_(self) -> str:
        from netlab.view.path import network
        from netlab.view.render.svg import snapshot

        first: Any = next(iter(self.lab.experiments.values()))
        plan = resolve(first.build(self.numbers, 1).topology)
        return f"<h3>{escape(self.lab.title)}</h3>{snapshot(network(plan))}{self._worlds(plan)}"

    def _worlds(self, plan: Any) -> str:
        from netlab.experiment.run import BACKENDS, backend_named

        lines = []
        for name in BACKENDS:
            refusals = [str(p) for p in backend_named(name).problems(plan) if p.severity == "refuse"]
            state = "; ".join(refusals) if refusals else "ready"
            lines.append(f"<li><b>{name}</b>: {escape(state)}</li>")
        return f"Worlds on this machine:<ul>{''.join(lines)}</ul>"

    def __repr__(self) -> str:
        return f"{self.lab.slug}: {self.lab.title}"
