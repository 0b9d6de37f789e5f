"""Charts drawn by Bokeh: a figure for a notebook, or a page that loads nothing. Bokeh is imported when one is drawn."""

from __future__ import annotations

import math
from typing import Any

from netlab.view.figures import number
from netlab.view.picture import Picture

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's, which people who see few colours tell apart."""
MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex", "star")
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
WIDTH, HEIGHT = 980, 440
LETTERS = 95
"""What fits beside each other above a chart."""
BAR = 38
"""px of a bar's row."""


def figure(picture: Picture) -> Any:
    """The chart as a Bokeh figure; `bokeh.plotting.show` or a notebook displays it."""
    draw = _bars if picture.axes["marks"] == "bars" else _lines
    return draw(picture)


def _lines(picture: Picture) -> Any:
    from bokeh.models.annotations import Legend

    scales = {"x_axis_type": picture.axes["x"]["scale"], "y_axis_type": picture.axes["y"]["scale"]}
    drawn = _empty(picture, **scales, **_from_nought(picture))
    items = []
    dotted = picture.axes["marks"] == "points"
    for line, own, others in _by_line(picture):
        hue = picture.axes["hues"][line]
        colour, marker = COLOURS[hue % len(COLOURS)], MARKERS[hue % len(MARKERS)]
        dash = "solid" if hue < len(COLOURS) else "dashed"
        parts = [drawn.line(*own, color=colour, dash=dash, width=1.5 if dotted else 3, alpha=0.45 if dotted else 1)]
        if dotted:
            parts.append(drawn.scatter(*own, marker=marker, color=colour, size=13))
        if others[0]:
            parts.append(
                drawn.scatter(*others, marker="circle", size=21, line_color=colour, line_width=2.5, fill_color=None)
            )
        items.append((line, parts))
    if len(items) > 1 or picture.rows("published"):
        _legend(drawn, Legend(items=items))
    return drawn


def _from_nought(picture: Picture) -> dict[str, Any]:
    """An axis that begins at 0 where the values come near it."""
    values = [row["y"] for layer in ("marks", "published") for row in picture.rows(layer)]
    near = picture.axes["y"]["scale"] == "linear" and values and 0 <= min(values) < max(values) / 3
    return {"y_range": (0, max(values) * 1.06)} if near else {}


def _legend(drawn: Any, legend: Any) -> None:
    legend.orientation, legend.border_line_color, legend.click_policy = "horizontal", None, "hide"
    legend.label_text_font, legend.label_text_font_size = FONT, "17px"
    longest = max(len(item.label.value) for item in legend.items)
    legend.ncols, legend.padding, legend.margin = max(1, LETTERS // (longest + 5)), 0, 4
    drawn.add_layout(legend, "above")


def _bars(picture: Picture) -> Any:
    from bokeh.core.properties import value
    from bokeh.models import FactorRange

    several = len(_by_line(picture)) > 1
    rows = picture.rows("marks")
    factors = [_factor(row, several) for row in _grouped(rows)]
    height = max(220, 110 + BAR * len(factors))
    values = _value_range(picture)
    drawn = _empty(
        picture,
        height=height,
        y_range=FactorRange(*reversed(factors)),
        x_axis_type=picture.axes["y"]["scale"],
        **values,
    )
    drawn.xaxis.axis_label, drawn.yaxis.axis_label = picture.axes["y"]["label"], picture.axes["x"]["label"] or None
    drawn.ygrid.visible = False
    if several:
        drawn.yaxis.group_label_orientation, drawn.yaxis.separator_line_color = "horizontal", None
        drawn.yaxis.group_text_font, drawn.yaxis.group_text_font_size = FONT, "16px"
        drawn.yaxis.group_text_color, drawn.yaxis.group_text_font_style = "#15181c", "normal"
    for line, hue in picture.axes["hues"].items():
        own = [row for row in rows if row["line"] == line]
        where, lengths = [_factor(row, several) for row in own], [row["y"] for row in own]
        drawn.hbar(y=where, right=lengths, left=values["x_range"][0], height=0.72, color=COLOURS[hue % len(COLOURS)])
        look = {"x_offset": 7, "text_baseline": "middle", "text_font_size": "15px", "text_color": "#15181c"}
        drawn.text(lengths, where, [number(length) for length in lengths], text_font=value(FONT), **look)
    others = [row for row in picture.rows("published") if _factor(row, several) in factors]
    if others:
        where = [_factor(row, several) for row in others]
        look = {"marker": "circle", "size": 17, "line_color": "#15181c", "line_width": 2.5, "fill_color": "white"}
        drawn.scatter([row["y"] for row in others], where, **look)
    return drawn


def _grouped(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Case by case, within one in the order of the lines."""
    cases = list(dict.fromkeys(row["x"] for row in rows))
    return sorted(rows, key=lambda row: cases.index(row["x"]))


def _factor(row: dict[str, Any], several: bool) -> Any:
    return (row["x"], row["line"]) if several else row["x"]


def _value_range(picture: Picture) -> dict[str, Any]:
    values = [row["y"] for layer in ("marks", "published") for row in picture.rows(layer)]
    if picture.axes["y"]["scale"] == "log":
        positive = [value for value in values if value > 0] or [1]
        return {"x_range": (min(positive) / 2, max(positive) * 1.5)}
    return {"x_range": (min(0, *values, 0), (max(values, default=1) or 1) * 1.1)}


def _by_line(picture: Picture) -> list[tuple[str, tuple[list[Any], list[Any]], tuple[list[Any], list[Any]]]]:
    """(line, its xs and ys, those published of it), in the order of the lines."""
    rows = {layer: picture.rows(layer) for layer in ("marks", "published")}
    names = dict.fromkeys(row["line"] for layer in rows.values() for row in layer)

    def points(layer: str, name: str) -> tuple[list[Any], list[Any]]:
        own = [row for row in rows[layer] if row["line"] == name]
        return [row["x"] for row in own], [row["y"] for row in own]

    return [(name, points("marks", name), points("published", name)) for name in names]


def _empty(picture: Picture, **given: Any) -> Any:
    """Axes without marks, in the sizes of a slide."""
    from bokeh.plotting import figure as make

    options = {"width": WIDTH, "height": HEIGHT, "tools": "pan,box_zoom,reset,save,hover", **given}
    drawn = make(**options, sizing_mode="scale_width", tooltips=[("x", "$x{0.[000]}"), ("y", "$y{0.[0000]}")])
    drawn.toolbar.logo, drawn.toolbar.autohide = None, True
    drawn.xaxis.axis_label, drawn.yaxis.axis_label = picture.axes["x"]["label"], picture.axes["y"]["label"]
    drawn.outline_line_color = None
    drawn.grid.grid_line_color = "#e3e7eb"
    axes: list[Any] = [*drawn.xaxis, *drawn.yaxis]
    for axis in axes:
        axis.axis_label_text_font = axis.major_label_text_font = FONT
        axis.axis_label_text_font_size, axis.major_label_text_font_size = "18px", "16px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_color = axis.major_label_text_color = "#15181c"
        axis.axis_line_color = axis.major_tick_line_color = "#7b838d"
        axis.minor_tick_line_color = None
    upright = picture.axes["marks"] != "bars"
    _by_decades(drawn.xaxis[0], drawn.xgrid[0], picture, "x" if upright else "y")
    _by_decades(drawn.yaxis[0], drawn.ygrid[0], picture, "y" if upright else "x")
    return drawn


def _by_decades(axis: Any, grid: Any, picture: Picture, which: str) -> None:
    """A logarithmic axis has its ticks where people look for them, and says 1000 and not a power."""
    if picture.axes[which]["scale"] != "log":
        return
    from bokeh.models.formatters import BasicTickFormatter
    from bokeh.models.tickers import FixedTicker

    values = [row[which] for layer in ("marks", "published") for row in picture.rows(layer)]
    ticker = FixedTicker(ticks=decades(values))
    axis.update(ticker=ticker, formatter=BasicTickFormatter(use_scientific=False))
    grid.update(ticker=ticker)


def decades(values: list[float]) -> list[float]:
    """1, 2, 5, 10, … from below the smallest positive value to above the largest; powers alone where they are many."""
    positive = [value for value in values if value > 0] or [1]
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    return [float(f"{m}e{k}") for k in range(low, high + 1) for m in ((1, 2, 5) if high - low <= 3 else (1,))]
