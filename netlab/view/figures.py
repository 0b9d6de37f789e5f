"""The numbers of a study as a table: what was measured, and below each case what others have published of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from netlab.experiment.study import Metric, Number, Published, StudyResult

PUBLISHED = "◦"
"""Stands before a row that somebody else measured; a number after it points to the source."""


class Figures(NamedTuple):
    """``rows`` are texts as wide as ``head``; ``sources`` are what the numbers in brackets point to, from 1."""

    head: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sources: tuple[str, ...]


def figures(result: StudyResult) -> Figures:
    """A row for each case, below it a row for each that was published of it, at the end those of no case."""
    sources = tuple(dict.fromkeys(each.source for each in result.published))
    rows = []
    for measured in result.measured:
        rows.append((measured.case.name, *_cells(result.metrics, measured.row.metrics)))
        rows += [_published(result, sources, p) for p in result.published if p.case == measured.case.name]
    ours = {measured.case.name for measured in result.measured}
    rows += [_published(result, sources, p) for p in result.published if p.case not in ours]
    head = ("case", *(metric.name for metric in result.metrics))
    return Figures(head, ("", *(metric.unit for metric in result.metrics)), tuple(rows), sources)


def _published(result: StudyResult, sources: tuple[str, ...], one: Published) -> tuple[str, ...]:
    own = next((each.row.metrics for each in result.measured if each.case.name == one.case), None)
    name = "" if own is not None else f" {one.case}"
    cells = [
        number(one.metrics.get(m.name)) + apart((own or {}).get(m.name), one.metrics.get(m.name))
        for m in result.metrics
    ]
    return (f"  {PUBLISHED} [{sources.index(one.source) + 1}]{name}", *cells)


def apart(ours: Number, published: Number) -> str:
    """How far our number is from a published one, of that: " (ours +2 %)"; "" where one of them is missing or 0."""
    if not ours or not published:
        return ""
    return f" (ours {100 * (ours / published - 1):+.0f} %)"


def _cells(metrics: tuple[Metric, ...], numbers: Mapping[str, Number]) -> list[str]:
    return [number(numbers.get(metric.name)) for metric in metrics]


def number(value: Number) -> str:
    """As people read it: four digits, and as many before the point as there are; "-" for none."""
    if value is None:
        return "-"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"
