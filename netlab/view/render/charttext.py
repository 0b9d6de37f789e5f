"""A chart as lines of text: each line of it a row of blocks, or bars of blocks, on one scale; few points in words."""

from __future__ import annotations

import math
from typing import Any

from netlab.view.figures import number
from netlab.view.picture import Picture

BLOCKS = " ▁▂▃▄▅▆▇█"
EIGHTHS = " ▏▎▍▌▋▊▉█"
FEW = 12
PLAIN = str.maketrans({**dict(zip(BLOCKS + EIGHTHS, " ._-~=+*# .:-~=+#", strict=False)), "◦": "o", "–": "-", "·": "-"})
"""For terminals that have no blocks."""


def render_chart(picture: Picture, *, width: int = 100, unicode: bool = True) -> str:
    """The chart, at most ``width`` characters wide where words allow."""
    rows = picture.rows("marks")
    if picture.axes["marks"] == "bars":
        lines = _bars(rows, width)
    elif len(rows) > FEW * len(picture.axes["hues"]):
        lines = _sparks(picture, rows, width)
    else:
        lines = [f"  {sentence}" for sentence in picture.narrative]
    text = "\n".join([f"{picture.title}: {_axes(picture)}", *lines])
    return text if unicode else text.translate(PLAIN).encode("ascii", "replace").decode()


def _axes(picture: Picture) -> str:
    x, y = picture.axes["x"], picture.axes["y"]
    if x["scale"] == "category":
        return str(y["label"])
    xs = picture.layers["marks"]["x"]
    return f"{y['label']} over {x['label']} from {number(min(xs))} to {number(max(xs))}"


def _sparks(picture: Picture, rows: list[dict[str, Any]], width: int) -> list[str]:
    names = list(picture.axes["hues"])
    margin = max(map(len, names))
    cells = max(20, width - margin - 22)
    top = max(row["y"] for row in rows) or 1
    along = _logarithm if picture.axes["x"]["scale"] == "log" else float
    xs = [along(row["x"]) for row in rows]
    drawn = []
    for name in names:
        own = [(along(row["x"]), row["y"]) for row in rows if row["line"] == name]
        if own:
            ys = [y for _, y in own]
            said = f"{number(round(min(ys), 3))} – {number(round(max(ys), 3))}"
            drawn.append(f"  {name:<{margin}}  {_spark(own, min(xs), max(xs), top, cells)}  {said}")
    return drawn


def _logarithm(x: float) -> float:
    return math.log(max(x, 0.5))


def _spark(points: list[tuple[float, float]], low: float, high: float, top: float, cells: int) -> str:
    """The mean of the points in each cell; nothing where there are none."""
    held: list[list[float]] = [[] for _ in range(cells)]
    for x, y in points:
        held[min(cells - 1, int((x - low) / ((high - low) or 1) * cells))].append(y)
    return "".join(BLOCKS[_level(sum(ys) / len(ys), top)] if ys else " " for ys in held)


def _level(y: float, top: float) -> int:
    return max(1, min(8, round(8 * y / top))) if y > 0 else 1


def _bars(rows: list[dict[str, Any]], width: int) -> list[str]:
    several, cases = len({row["line"] for row in rows}) > 1, list(dict.fromkeys(row["x"] for row in rows))
    rows = sorted(rows, key=lambda row: cases.index(row["x"]))
    names = [f"{row['x']}, {row['line']}" if several else str(row["x"]) for row in rows]
    margin, top = max(map(len, names)), max((row["y"] for row in rows), default=0) or 1
    cells = max(10, width - margin - 16)
    return [
        f"  {name:<{margin}}  {_bar(row['y'] / top * cells)} {number(row['y'])}"
        for name, row in zip(names, rows, strict=True)
    ]


def _bar(length: float) -> str:
    whole, rest = divmod(max(0, round(length * 8)), 8)
    return "█" * whole + (EIGHTHS[rest] if rest else "")
