"""A study asks one question of many cases: what is varied, what is measured, and what others have published about it.

A study is data beside a function that runs one case. `run_study` makes a `StudyResult` of it, which holds all that a
table or a chart needs: a kept one is shown by a netlab that no longer has the study. Published numbers stand beside the
measured ones and never enter them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from netlab.errors import BadInput

Number = int | float | None
"""None is what could not be measured."""
Points = tuple[Sequence[float], Sequence[float]]
"""The xs and the ys of a series, of equal length."""
CASE = "case"
SERIES = "series"


@dataclass(frozen=True)
class Metric:
    """A number that each case yields. ``says`` is what it means, in a few words."""

    name: str
    unit: str = ""
    says: str = ""


@dataclass(frozen=True)
class Case:
    """One thing to try. ``settings`` are plain data: numbers, strings, truth values."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """What a case yielded: numbers by metric, and lines by name (a queue's length over time)."""

    metrics: Mapping[str, Number]
    series: Mapping[str, Points] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """What somebody else measured. ``case`` is one of the study's, so that it stands beside ours, or says its own.

    ``settings`` place it on an axis; those of the case of that name when left out.
    """

    source: str
    case: str
    metrics: Mapping[str, Number]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chart:
    """A picture with axes.

    ``y`` names metrics, or with ``x="series"`` series. ``x`` is "case" (the cases side by side), "series" (each series
    has its own xs), or the name of a setting or a metric. ``by`` is a setting that tells lines apart. ``cases`` are
    names or patterns ("dctcp K=*"); all when left out. Labels are made of the metrics' names and units when left out.
    """

    title: str
    y: tuple[str, ...]
    x: str = CASE
    kind: Literal["line", "points", "bars"] = "bars"
    x_label: str = ""
    y_label: str = ""
    log_x: bool = False
    log_y: bool = False
    cases: tuple[str, ...] = ()
    by: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Study:
    """``says`` is the question, one sentence. ``run`` measures a case: same case and seed, same row."""

    name: str
    says: str
    cases: tuple[Case, ...]
    run: Callable[[Case, int], Row]
    metrics: tuple[Metric, ...]
    published: tuple[Published, ...] = ()
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know: what is a model, what is left out."""


@dataclass(frozen=True)
class Measured:
    """A case and what it yielded."""

    case: Case
    row: Row


@dataclass(frozen=True)
class StudyResult:
    """A study that has been run: all of it is data, and `to_data` and `from_data` lose nothing."""

    study: str
    says: str
    seed: int
    metrics: tuple[Metric, ...]
    measured: tuple[Measured, ...]
    published: tuple[Published, ...] = ()
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()

    def row(self, case: str) -> Row:
        """What the case of that name yielded; BadInput lists the cases."""
        for each in self.measured:
            if each.case.name == case:
                return each.row
        raise BadInput(f"there is no case '{case}'", where=self.study, right=_right(m.case for m in self.measured))

    def to_data(self) -> dict[str, Any]:
        """Dicts, lists, strings and numbers only; ``digest`` stands among them."""
        data: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {**data, "digest": self.digest()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> StudyResult:
        """The result whose data this is; ValueError, TypeError or LookupError when it is no such data."""
        return cls(
            data["study"],
            data["says"],
            data["seed"],
            tuple(Metric(**each) for each in data["metrics"]),
            tuple(Measured(Case(**each["case"]), _row(each["row"])) for each in data["measured"]),
            tuple(Published(**each) for each in data["published"]),
            tuple(_chart(each) for each in data["charts"]),
            tuple(data["notes"]),
        )

    def digest(self) -> str:
        """SHA-256 of what was measured: study, seed, cases and rows."""
        measured = [asdict(each) for each in self.measured]
        return hashlib.sha256(json.dumps([self.study, self.seed, measured]).encode()).hexdigest()


def _row(data: Mapping[str, Any]) -> Row:
    return Row(data["metrics"], {name: (xs, ys) for name, (xs, ys) in data["series"].items()})


def _chart(data: Mapping[str, Any]) -> Chart:
    return Chart(**{**data, "y": tuple(data["y"]), "cases": tuple(data["cases"])})


def chosen(cases: Sequence[Case], names: Sequence[str], where: str) -> tuple[Case, ...]:
    """The cases that one of ``names`` names or fits as a pattern; all for none; BadInput for a name without a case."""
    for name in names:
        if not any(fnmatchcase(case.name, name) for case in cases):
            raise BadInput(f"there is no case '{name}'", where=where, right=_right(cases))
    return tuple(case for case in cases if not names or any(fnmatchcase(case.name, name) for name in names))


def _right(cases: Any) -> str:
    return f"cases are {', '.join(case.name for case in cases)}"


Begun = Callable[[Case, int, int], None]
"""Is told of a case that is being waited for: its number from 1, and how many there are."""
Runner = Callable[[Study, Sequence[Case], int, Begun], Iterable[Row]]
"""Yields a row for each case, in order."""


def one_by_one(study: Study, cases: Sequence[Case], seed: int, begun: Begun) -> Iterator[Row]:
    """Run a case after the other, here."""
    for number, case in enumerate(cases, 1):
        begun(case, number, len(cases))
        yield study.run(case, seed)


def run_study(
    study: Study,
    seed: int = 1,
    cases: Sequence[str] = (),
    begun: Begun = lambda case, number, of: None,
    runner: Runner = one_by_one,
) -> StudyResult:
    """Run the cases. Same seed, same result, to the byte, whatever runs them.

    ``cases`` are names or patterns, all when empty. A study's row with a metric that it doesn't declare is its defect:
    ValueError.
    """
    wanted = chosen(study.cases, cases, study.name)
    rows = zip(wanted, runner(study, wanted, seed, begun), strict=True)
    measured = [Measured(case, _sound(study, case, row)) for case, row in rows]
    left_out = {case.name for case in study.cases} - {case.name for case in wanted}
    published = tuple(each for each in study.published if each.case not in left_out)
    return StudyResult(
        study.name, study.says, seed, study.metrics, tuple(measured), published, study.charts, study.notes
    )


def _sound(study: Study, case: Case, row: Row) -> Row:
    """The row, once it is seen to hold what the study declares."""
    undeclared = row.metrics.keys() - {metric.name for metric in study.metrics}
    if undeclared:
        raise ValueError(f"{study.name}, {case.name}: no such metrics are declared: {', '.join(sorted(undeclared))}")
    for name, (xs, ys) in row.series.items():
        if len(xs) != len(ys):
            raise ValueError(f"{study.name}, {case.name}: series {name} has {len(xs)} xs and {len(ys)} ys")
    return row
