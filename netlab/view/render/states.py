"""The states of TCP as one SVG document, or as a page with the table below it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from netlab.view.picture import Picture
from netlab.view.render.svg import STYLE
from netlab.view.states import BOX, ENDS, rows

LINE = 17
"""px from one line of words to the next."""
_LEGEND = (
    ("client", "the way of who opens and closes first"),
    ("server", "the way of the other"),
    ("other", "other ways"),
)


def states_svg(picture: Picture, *, style: bool = True) -> str:
    """The diagram, as a document that needs nothing else."""
    width, height = picture.axes["width"], picture.axes["height"]
    sheet = f"<style>{STYLE.read_text(encoding='utf-8')}</style>" if style else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'class="netlab-drawing nl-states" role="img" aria-label="{escape(picture.title)}">'
        f"<title>{escape(picture.title)}</title><desc>{escape(' '.join(picture.narrative))}</desc>{sheet}"
        f'<rect class="nl-paper" width="{width}" height="{height}"/>{_heads()}'
        + "".join(_arrow(move) for move in _ways(picture))
        + "".join(_words(moves) for moves in _by_way(picture).values())
        + "".join(_state(row) for row in picture.rows("states"))
        + _legend()
        + "</svg>"
    )


def states_page(picture: Picture) -> str:
    """An HTML page: the diagram, and the table for who reads rather than looks."""
    from netlab.view.render.html import styles

    title = escape(picture.title)
    cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows())
    head = "<tr><th>state</th><th>event</th><th>what is done</th><th>next state</th></tr>"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{styles()}</style>'
        f'</head><body><main class="netlab-page" style="padding: 24px; box-sizing: border-box"><h1>{title}</h1>'
        f"{states_svg(picture, style=False)}"
        f'<table class="nl-tcp-table">{head}{cells}</table></main></body></html>\n'
    )


def _heads() -> str:
    """An arrow's head for each colour."""
    return "<defs>" + "".join(
        f'<marker id="nl-tcp-head-{side}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto" class="nl-by-{side}-head">'
        '<path d="M 0 0 L 10 5 L 0 10 z"/></marker>'
        for side, _ in _LEGEND
    ) + "</defs>"  # fmt: skip


def _by_way(picture: Picture) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for move in picture.rows("moves"):
        found.setdefault((move["a"], move["b"]), []).append(move)
    return found


def _ways(picture: Picture) -> list[Mapping[str, Any]]:
    """One move of each way: two events that lead the same way share an arrow."""
    return [moves[0] for moves in _by_way(picture).values()]


def _arrow(move: Mapping[str, Any]) -> str:
    side = move["side"]
    return f'<path class="nl-move nl-by-{side}" d="{move["path"]}" marker-end="url(#nl-tcp-head-{side})"/>'


def _words(moves: list[Mapping[str, Any]]) -> str:
    """What happens in bold, what is done about it below."""
    lines: list[str] = []
    for move in moves:
        lines.append(f'<tspan class="nl-tcp-event">{escape(move["event"])}</tspan>')
        if move["does"]:
            lines.append(f'<tspan class="nl-tcp-does">{escape(move["does"])}</tspan>')
    first = moves[0]
    placed = "".join(
        line.replace("<tspan ", f'<tspan x="{first["x"]}" y="{first["y"] + i * LINE}" ', 1)
        for i, line in enumerate(lines)
    )
    return f'<text class="nl-move-words" style="text-anchor: {first["anchor"]}">{placed}</text>'


def _state(row: Mapping[str, Any]) -> str:
    width, height = BOX
    x, y = row["x"], row["y"]
    name = row["name"].removesuffix(" again")
    badges = "".join(
        f'<g><circle class="nl-end-badge" cx="{x + width / 2 - 12 - 22 * i}" cy="{y + height / 2}" r="9.5"/>'
        f'<text class="nl-end-letter" x="{x + width / 2 - 12 - 22 * i}" y="{y + height / 2 + 4}">{letter}</text></g>'
        for i, letter in enumerate(reversed(row["ends"]))
    )
    return (
        f'<g class="nl-tcp-state"><rect class="nl-shape" x="{x - width / 2}" y="{y - height / 2}" width="{width}" '
        f'height="{height}" rx="10"/><text class="nl-tcp-name" x="{x}" y="{y + 6}">{escape(name)}</text>{badges}</g>'
    )


def _legend() -> str:
    lines = "".join(
        f'<path class="nl-move nl-by-{side}" d="M 40 {40 + 26 * i} L 84 {40 + 26 * i}" '
        f'marker-end="url(#nl-tcp-head-{side})"/>'
        f'<text class="nl-tcp-key" x="94" y="{45 + 26 * i}">{words}</text>'
        for i, (side, words) in enumerate(_LEGEND)
    )
    ends = "".join(
        f'<circle class="nl-end-badge" cx="52" cy="{118 + 24 * i}" r="9.5"/>'
        f'<text class="nl-end-letter" x="52" y="{122 + 24 * i}">{letter}</text>'
        f'<text class="nl-tcp-key" x="94" y="{123 + 24 * i}">{event}: to CLOSED</text>'
        for i, (event, letter) in enumerate(ENDS.items())
    )
    return lines + ends
