"""What stands in a picture, as SVG: the network, the insides of hosts, and one packet's path over them.

The interactive module moves things over the very same drawing, so nothing is drawn in two ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from netlab.units import format_time
from netlab.view.geometry import LANE
from netlab.view.layout import Point, around
from netlab.view.picture import Picture
from netlab.view.render.room import Room, Text
from netlab.view.stagemap import STATION

STYLE = Path(__file__).with_name("drawing.css")
Row = Mapping[str, Any]
CABLE_WORDS = (("nic.rx", "↑ from the cable"), ("nic.tx", "↓ to the cable"))


def snapshot(picture: Picture, *, style: bool = True) -> str:
    """The network with the path of the packet in front, as one SVG document that needs nothing else."""
    width, height = picture.axes["width"], picture.axes["height"]
    focus = picture.axes.get("focus", 0)
    words = " ".join(picture.narrative) or picture.title
    room = Room(picture)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'class="netlab-drawing" role="img" aria-label="{escape(picture.title)}">'
        f"<title>{escape(picture.title)}</title><desc>{escape(words)}</desc>"
        + (f"<style>{STYLE.read_text(encoding='utf-8')}</style>" if style else "")
        + f'<rect class="nl-paper" width="{width}" height="{height}"/>'
        + _cables(picture)
        + _path(picture.rows("lanes"), _by(picture, "steps", "pkt").get(focus, []), room)
        + _nodes(picture)
        + _ends(picture)
        + _drops(picture, [row for row in picture.rows("drops") if row["pkt"] == focus], room)
        + "</svg>"
    )


def network_svg(picture: Picture) -> str:
    """The network alone, in parts that the module finds by class: ``nl-over`` is where it draws paths."""
    width, height = picture.axes["width"], picture.axes["height"]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" class="netlab-drawing nl-network" '
        f'role="group" aria-label="The network">'
        + _cables(picture)
        + '<g class="nl-over"></g>'
        + _nodes(picture, focusable=True)
        + _ends(picture)
        + '<g class="nl-top"></g></svg>'
    )


def map_svgs(picture: Picture) -> dict[str, str]:
    """The inside of each host, by node."""
    stations, tracks = _by(picture, "stations", "node"), _by(picture, "tracks", "node")
    sizes = picture.axes.get("maps", {})
    return {node: _map(node, found, tracks.get(node, []), *sizes[node]) for node, found in stations.items()}


# ---- the network ---------------------------------------------------------------------------------


def _cables(picture: Picture) -> str:
    lines = [
        f'<line class="nl-cable" x1="{r["x1"]}" y1="{r["y1"]}" x2="{r["x2"]}" y2="{r["y2"]}"/>'
        for r in picture.rows("links")
    ]
    return "<g>" + "".join(lines) + "</g>"


def _nodes(picture: Picture, *, focusable: bool = False) -> str:
    return "<g>" + "".join(_node(row, focusable) for row in picture.rows("nodes")) + "</g>"


def _node(row: Row, focusable: bool) -> str:
    x, y, w, h = row["x"], row["y"], row["w"], row["h"]
    if row["kind"] == "router":
        shape = f'<circle class="nl-shape" cx="{x}" cy="{y}" r="{w / 2}"/>'
    else:
        round_ = 14 if row["kind"] == "host" else 1
        shape = f'<rect class="nl-shape" x="{x - w / 2}" y="{y - h / 2}" width="{w}" height="{h}" rx="{round_}"/>'
    role = f' tabindex="0" role="button" aria-label="{escape(row["tells"])}. Enter shows its inside."'
    below = row["address"] or row["kind"]
    return (
        f'<g class="nl-node nl-{row["kind"]}" data-node="{escape(row["name"])}"{role if focusable else ""}>'
        f"<title>{escape(row['tells'])}</title>{shape}"
        f'<text class="nl-name" x="{x}" y="{y - 1}">{escape(row["name"])}</text>'
        f'<text class="nl-small" x="{x}" y="{y + 17}">{escape(below)}</text></g>'
    )


def _ends(picture: Picture) -> str:
    drawn = []
    for r in picture.rows("ends"):
        drawn.append(f'<circle class="nl-port" cx="{r["px"]}" cy="{r["py"]}" r="4"/>')
        for k, text in enumerate(r["lines"]):
            drawn.append(f'<text class="nl-end" x="{r["x"]}" y="{r["y"] + 13 + 17 * k}">{escape(text)}</text>')
    drawn += [
        f'<text class="nl-end nl-quality" x="{r["lx"]}" y="{r["ly"] + 4}">{escape(r["said"])}</text>'
        for r in picture.rows("links")
        if r["said"]
    ]
    drawn += [
        f'<text class="nl-end nl-tunnel" x="{r["x"]}" y="{r["y"] + 13}">{escape(r["text"])}</text>'
        for r in picture.rows("tunnels")
    ]
    return f'<g aria-hidden="true">{"".join(drawn)}</g>'


# ---- one packet ----------------------------------------------------------------------------------


def packet_svgs(picture: Picture) -> tuple[dict[str, str], dict[str, str]]:
    """For each packet (as text, for JSON) its path, for ``nl-over``; and the marks of its drops, for ``nl-top``."""
    lanes, steps, drops = picture.rows("lanes"), _by(picture, "steps", "pkt"), _by(picture, "drops", "pkt")
    empty = Room(picture)
    paths, ends = {}, {}
    for pkt in _packets(picture):
        room = empty.copy()
        paths[str(pkt)] = _path(lanes, steps.get(pkt, []), room)
        if pkt in drops:
            ends[str(pkt)] = _drops(picture, drops[pkt], room)
    return paths, ends


def _packets(picture: Picture) -> list[int]:
    return picture.layers.get("journeys", {}).get("pkt", [])


def _by(picture: Picture, layer: str, column: str) -> dict[Any, list[Row]]:
    """A layer's marks, grouped by one of its columns."""
    groups: dict[Any, list[Row]] = {}
    for row in picture.rows(layer):
        groups.setdefault(row[column], []).append(row)
    return groups


def _path(lanes: Sequence[Row], steps: Sequence[Row], room: Room) -> str:
    """The path, and what is written along it, which takes its room."""
    start = steps[0]["t"] if steps else 0
    legs: dict[int, list[Row]] = {}
    for row in steps:
        if row["leg"]:
            legs.setdefault(row["lane"], []).append(row)
    marks = [_clear(mark, room) for lane, found in legs.items() for mark in _marks(lanes[lane], found)]
    for mark in marks:
        room.take(around(Point(mark.x, mark.y), 2 * _half(mark.number) + 4, 32))
    drawn = [_leg(lanes[lane], found[0]["n"]) for lane, found in legs.items()]
    drawn += [_marked(mark, room, start) for mark in marks]
    return "<g>" + "".join(drawn) + "</g>"


class _Mark(NamedTuple):
    """A leg's number, on its lane."""

    lane: Row
    x: float
    y: float
    number: str
    leg: Row


def _marks(lane: Row, legs: list[Row]) -> list[_Mark]:
    """One for each time that the lane was taken; of more than three the first stands for all."""
    x1, y1, x2, y2 = lane["x1"], lane["y1"], lane["x2"], lane["y2"]
    shown = legs if len(legs) <= 3 else legs[:1]
    made = []
    for k, leg in enumerate(shown):
        part = (k + 1) / (len(shown) + 1)
        number = str(leg["leg"]) if len(legs) <= 3 else f"{leg['leg']}…{legs[-1]['leg']}"
        made.append(_Mark(lane, x1 + (x2 - x1) * part, y1 + (y2 - y1) * part, number, leg))
    return made


def _clear(mark: _Mark, room: Room) -> _Mark:
    """The mark moved along its lane, as little as needed, to where it covers no label."""
    wide, high = mark.lane["x2"] - mark.lane["x1"], mark.lane["y2"] - mark.lane["y1"]
    for by in (0, 0.05, -0.05, 0.1, -0.1, 0.15, -0.15):
        x, y = mark.x + by * wide, mark.y + by * high
        if room.is_free(around(Point(x, y), 2 * _half(mark.number), 28)):
            return mark._replace(x=x, y=y)
    return mark


def _leg(lane: Row, step: int) -> str:
    x1, y1, x2, y2 = lane["x1"], lane["y1"], lane["x2"], lane["y2"]
    line = f'<line class="nl-leg" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>{_arrow(x1, y1, x2, y2)}'
    return f'<g data-step="{step}">{line}</g>'


def _marked(mark: _Mark, room: Room, start: int) -> str:
    text = f"+{format_time(mark.leg['t'] - start)}"
    at = room.settle(_beside_mark(mark), len(text))
    when = f'<text class="nl-when" {at.attributes()}>{text}</text>'
    return f'<g data-step="{mark.leg["n"]}">{_badge(mark.x, mark.y, mark.number)}{when}</g>'


def _beside_mark(mark: _Mark) -> list[Text]:
    """Places for a time: above a flat cable or below it, beside a steep one; then further off, and to and fro."""
    lane, x, y = mark.lane, mark.x, mark.y
    dx, dy = lane["x2"] - lane["x1"], lane["y2"] - lane["y1"]
    right, left = Text(x + _half(mark.number) + 6, y + 5, "start"), Text(x - _half(mark.number) - 6, y + 5, "end")
    over = [Text(x, y - 20 - k, "middle") for k in (0, 2 * LANE)]
    under = [Text(x, y + 33 + k, "middle") for k in (0, 2 * LANE)]
    near = [over[0], under[0], over[1], under[1]] if dx > 0 else [under[0], over[1], over[0], under[1]]
    if abs(dx) <= abs(dy):
        near = [right, left, *near] if dy > 0 else [left, right, *near]
    aside = [
        Text(at.x + k, at.y + j, at.anchor)
        for far in (0, 12, 24, 36)
        for at in (*near, right, left)
        for k in (0, -far, far, -2 * far, 2 * far)
        for j in (0, -far, far)
    ]
    return [*near, *aside]


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    points = ((x2, y2), (x2 - 15 * ux - 8 * uy, y2 - 15 * uy + 8 * ux), (x2 - 15 * ux + 8 * uy, y2 - 15 * uy - 8 * ux))
    return f'<polygon class="nl-arrow" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _half(number: str) -> int:
    """Half a badge's width."""
    return max(14, 5 + 5 * len(number))


def _badge(x: float, y: float, number: str) -> str:
    half = _half(number)
    return (
        f'<rect class="nl-badge" x="{x - half:.1f}" y="{y - 14:.1f}" width="{2 * half}" height="28" rx="14"/>'
        f'<text class="nl-number" x="{x:.1f}" y="{y + 5.5:.1f}">{number}</text>'
    )


def _drops(picture: Picture, drops: list[Row], room: Room) -> str:
    if not drops:
        return ""
    nodes = {r["name"]: r for r in picture.rows("nodes")}
    return "".join(_drop(row, nodes[row["node"]], room) for row in drops)


def _drop(row: Row, node: Row, room: Room) -> str:
    """A cross, and the reason where there is room."""
    x, y = (row["x"], row["y"]) if row["on_cable"] else (row["x"] + node["w"] / 2 - 10, row["y"] - node["h"] / 2 + 6)
    room.take(around(Point(x, y), 28, 28))
    reason, at = escape(row["reason"]), room.settle(_beside_cross(x, y, node), len(row["reason"]))
    return (
        f'<g data-step="{row["n"]}"><circle class="nl-drop" cx="{x}" cy="{y}" r="13"/>'
        f'<path class="nl-cross" d="M{x - 6} {y - 6}l12 12m0 -12l-12 12"/>'
        f'<text class="nl-reason" {at.attributes()}>{reason}</text></g>'
    )


def _beside_cross(x: float, y: float, node: Row) -> list[Text]:
    sides = [Text(x + 18, y - 4, "start"), Text(x + 18, y - 14, "start"), Text(x, y - 19, "middle")]
    sides += [Text(x - 18, y - 14, "end"), Text(x, y - 30, "start"), Text(x, y - 30, "end"), Text(x, y + 31, "middle")]
    under = node["y"] + node["h"] / 2 + 18
    sides += [Text(node["x"], under, "middle"), Text(x, y - 46, "middle"), Text(node["x"], under + 34, "middle")]
    grid = ((across, down) for down in (0, -12, 12, -24, 24, -36, 36, -60, 60) for across in (26, 44, 62, 90))
    further = [Text(x + side * k, y + j, anchor) for k, j in grid for side, anchor in ((1, "start"), (-1, "end"))]
    return [*sides, *further]


# ---- the inside of a host ---------------------------------------------------------------------------


def _map(node: str, stations: list[Row], tracks: list[Row], width: int, height: int) -> str:
    at = {row["stage"]: row for row in stations}
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" class="netlab-drawing nl-map" '
        f'role="group" aria-label="The stages inside {escape(node)}">'
        + "".join(_track(at[r["a"]], at[r["b"]], r["inferred"]) for r in tracks if r["a"] in at and r["b"] in at)
        + '<g class="nl-over"></g>'
        + "".join(_station(row) for row in stations)
        + "".join(_cable_word(at[name], text) for name, text in CABLE_WORDS if name in at)
        + '<g class="nl-top"></g></svg>'
    )


def _cable_word(row: Row, text: str) -> str:
    return f'<text class="nl-small" x="{row["x"]}" y="{row["y"] + STATION[1] / 2 + 18}">{text}</text>'


def _track(a: Row, b: Row, inferred: bool) -> str:
    hidden = "hidden" in (a["state"], b["state"])
    kind = " nl-inferred" if inferred else " nl-unseen" if hidden else ""
    return f'<line class="nl-track{kind}" x1="{a["x"]}" y1="{a["y"]}" x2="{b["x"]}" y2="{b["y"]}"/>'


def _station(row: Row) -> str:
    w, h = STATION
    said = "not observable here" if row["state"] == "hidden" else row["says"]
    return (
        f'<g class="nl-station nl-{row["state"]}" data-stage="{escape(row["stage"])}" tabindex="0" '
        f'role="img" aria-label="{escape(row["stage"])}: {escape(said)}">'
        f"<title>{escape(row['stage'])}: {escape(said)}</title>"
        f'<rect class="nl-shape" x="{row["x"] - w / 2}" y="{row["y"] - h / 2}" width="{w}" height="{h}" rx="{h / 2}"/>'
        f'<text class="nl-stage" x="{row["x"]}" y="{row["y"] + 5}">{escape(row["stage"])}</text></g>'
    )
