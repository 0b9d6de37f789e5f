"""A study's charts as pictures: lines, points or bars over axes, and what others published as marks of their own.

A chart's ``axes`` are {"kind": "chart", "marks": …, "x": axis, "y": axis}; an axis has a ``label`` and a ``scale``
(linear, log or category). Its layers are ``marks`` and ``published``, both with the columns line, x and y; a line's
marks stand in order. ``hues`` numbers the lines: a case has its number, and so its colour, in all of a study's charts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from netlab.experiment.study import CASE, SERIES, Case, Chart, Metric, Number, Published, StudyResult
from netlab.view.figures import PUBLISHED, number
from netlab.view.picture import Picture, columns


class Mark(NamedTuple):
    """A point of a line; ``source`` numbers what a published one is from, 0 for our own."""

    line: str
    x: Any
    y: Any
    source: int = 0


def charts(result: StudyResult) -> tuple[Picture, ...]:
    """Every chart for which a case was run."""
    hues: dict[str, int] = {}
    drawn = (_picture(result, chart, hues) for chart in result.charts)
    return tuple(picture for picture in drawn if picture.layers["marks"]["x"])


def _picture(result: StudyResult, chart: Chart, hues: dict[str, int]) -> Picture:
    marks = [*_series(result, chart)] if chart.x == SERIES else [*_measured(result, chart)]
    published = [] if chart.x == SERIES else [*_published(result, chart)]
    lines = dict.fromkeys(mark.line for mark in (*marks, *published))
    own = hues if chart.x == SERIES else {}
    axes = {
        "kind": "chart",
        "marks": chart.kind,
        "x": _x_axis(result, chart),
        "y": _y_axis(result, chart),
        "hues": {line: own.setdefault(line, len(own)) for line in lines},
    }
    layers = {
        "marks": columns(Mark._fields[:3], (mark[:3] for mark in marks)),
        "published": columns(Mark._fields, published),
    }
    used = {mark.source for mark in published}
    sources = [f"{PUBLISHED} [{n}] {said}" for n, said in enumerate(_sources(result), 1) if n in used]
    caption = (*([chart.caption] if chart.caption else []), *sources)
    return Picture(chart.title, axes, layers, caption, tuple(_words(chart, marks)))


def _sources(result: StudyResult) -> list[str]:
    return list(dict.fromkeys(each.source for each in result.published))


# ---- marks -----------------------------------------------------------------------------------------


def _shown(chart: Chart, name: str) -> bool:
    return not chart.cases or any(fnmatchcase(name, pattern) for pattern in chart.cases)


def _series(result: StudyResult, chart: Chart) -> Iterator[Mark]:
    shown = [each for each in result.measured if _shown(chart, each.case.name)]
    for each in shown:
        for name in chart.y:
            parts = [each.case.name] * (len(shown) > 1 or len(chart.y) == 1) + [name] * (len(chart.y) > 1)
            line = ", ".join(parts)
            xs, ys = each.row.series.get(name, ((), ()))
            yield from (Mark(line, x, y) for x, y in zip(xs, ys, strict=True))


def _measured(result: StudyResult, chart: Chart) -> Iterator[Mark]:
    marks = []
    for each in result.measured:
        if _shown(chart, each.case.name):
            marks += _of_case(chart, each.case.name, each.case.settings, each.row.metrics, 0)
    yield from _in_order(chart, marks)


def _published(result: StudyResult, chart: Chart) -> Iterator[Mark]:
    sources, cases = _sources(result), {each.case.name: each.case for each in result.measured}
    marks = []
    for one in result.published:
        if _shown(chart, one.case):
            source = sources.index(one.source) + 1
            marks += _of_case(chart, one.case, _settings(one, cases), one.metrics, source)
    yield from _in_order(chart, marks)


def _settings(one: Published, cases: Mapping[str, Case]) -> Mapping[str, Any]:
    ours = cases[one.case].settings if one.case in cases else {}
    return {**ours, **one.settings}


def _of_case(
    chart: Chart, name: str, settings: Mapping[str, Any], metrics: Mapping[str, Number], source: int
) -> list[Mark]:
    x = name if chart.x == CASE else settings.get(chart.x, metrics.get(chart.x))
    by = _told_by(chart, settings.get(chart.by)) if chart.by else ""
    found = ((y, metrics.get(y)) for y in chart.y)
    several = len(chart.y) > 1
    return [
        Mark(", ".join(part for part in (y if several else "", by) if part) or y, x, value, source)
        for y, value in found
        if value is not None and x is not None
    ]


def _told_by(chart: Chart, value: Any) -> str:
    """Words stand for themselves, a number needs the name of what it counts."""
    return value if isinstance(value, str) else f"{chart.by} {value}"


def _in_order(chart: Chart, marks: list[Mark]) -> list[Mark]:
    """Line after line; along a line by x, but cases stay as the study has them."""
    lines = list(dict.fromkeys(mark.line for mark in marks))
    if chart.x == CASE:
        return sorted(marks, key=lambda mark: lines.index(mark.line))
    return sorted(marks, key=lambda mark: (lines.index(mark.line), mark.x))


# ---- axes and words --------------------------------------------------------------------------------


def _x_axis(result: StudyResult, chart: Chart) -> dict[str, Any]:
    if chart.x == CASE:
        return {"label": chart.x_label, "scale": "category"}
    label = chart.x_label or (chart.x if chart.x == SERIES else _label(result.metrics, chart.x))
    return {"label": label, "scale": "log" if chart.log_x else "linear"}


def _y_axis(result: StudyResult, chart: Chart) -> dict[str, Any]:
    label = chart.y_label or ", ".join(dict.fromkeys(_label(result.metrics, name) for name in chart.y))
    units = {metric.unit for metric in result.metrics if metric.name in chart.y}
    if not chart.y_label and len(chart.y) > 1 and len(units) == 1:
        label = f"{', '.join(chart.y)} ({units.pop()})"
    return {"label": label, "scale": "log" if chart.log_y else "linear"}


def _label(metrics: Iterable[Metric], name: str) -> str:
    unit = next((metric.unit for metric in metrics if metric.name == name), "")
    return f"{name} ({unit})" if unit else name


def _words(chart: Chart, marks: list[Mark]) -> Iterator[str]:
    """Each line in a sentence."""
    for line in dict.fromkeys(mark.line for mark in marks):
        ys = [mark for mark in marks if mark.line == line]
        if chart.x == SERIES or len(ys) > 12:
            low, high = (number(pick(mark.y for mark in ys)) for pick in (min, max))
            yield f"{line}: from {low} to {high}, at last {number(ys[-1].y)}."
        else:
            yield f"{line}: " + ", ".join(f"{number(mark.y)} at {_at(mark.x)}" for mark in ys) + "."


def _at(x: Any) -> str:
    return x if isinstance(x, str) else number(x)
