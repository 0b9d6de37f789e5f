"""A picture as text: who is joined to whom, the packet's way as a line, and every step with its time."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from netlab.units import format_time
from netlab.view.picture import Picture

Row = Mapping[str, Any]
PLAIN = str.maketrans({"─": "-", "│": "|", "→": ">", "✕": "x", "·": "-", "µ": "u", "└": "`", "├": "|"})
SHAPES = {"host": "[{}]", "switch": "={}=", "router": "({})"}
"""A node's kind is told by its brackets."""


def render(picture: Picture, *, unicode: bool | None = None, width: int = 100) -> str:
    """The whole picture as lines; words are wrapped at ``width``. ``unicode`` None: if the terminal can show it."""
    focus = picture.axes.get("focus", 0)
    steps = [row for row in picture.rows("steps") if row["pkt"] == focus]
    parts = [
        [picture.title],
        _network(picture),
        _way(picture, steps),
        _journeys(picture, focus),
        _table(steps),
        _wrapped("In words", picture.narrative, width),
        _talk(picture),
        _wrapped("", picture.caption, width),
    ]
    whole = "\n\n".join("\n".join(line.rstrip() for line in part) for part in parts if part) + "\n"
    rich = terminal_can() if unicode is None else unicode
    return whole if rich else whole.translate(PLAIN).encode("ascii", "replace").decode()


def terminal_can() -> bool:
    """Whether standard output can show what is not ASCII."""
    try:
        "─→✕µ".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _network(picture: Picture) -> list[str]:
    """One line a cable: both nodes with their interfaces."""
    shapes = {row["name"]: SHAPES[row["kind"]].format(row["name"]) for row in picture.rows("nodes")}
    lanes = picture.rows("lanes")[::2]
    qualities = picture.layers["links"]["said"]
    left = max((len(shapes[lane["a"]]) for lane in lanes), default=0)
    drawn = [
        f"  {shapes[lane['a']]:>{left}} {_short(lane['tx'], lane['a'])} ─── {_short(lane['rx'], lane['b'])} "
        f"{shapes[lane['b']]}" + (f"   {quality}" if quality else "")
        for lane, quality in zip(lanes, qualities, strict=True)
    ]
    return ["Network: [host]  =switch=  (router)", *drawn]


def _short(iface: str, node: str) -> str:
    return iface.removeprefix(node + "-")


def _way(picture: Picture, steps: Sequence[Row]) -> list[str]:
    """The way: nodes, and the numbered cables between them with the time at which each was entered.

    One line, and one for each copy that went another way.
    """
    if not steps:
        return []
    shapes = {row["name"]: SHAPES[row["kind"]].format(row["name"]) for row in picture.rows("nodes")}
    lanes = picture.rows("lanes")
    lines, ends = [shapes[steps[0]["node"]]], [steps[0]["node"]]
    for leg in (step for step in steps if step["leg"]):
        if leg["node"] not in ends:  # a copy, or what came after a gap in the log
            lines.append(f"    {shapes[leg['node']]}")
            ends.append(leg["node"])
        branch = len(ends) - 1 - ends[::-1].index(leg["node"])
        there = lanes[leg["lane"]]["b"]
        lost = "─✕ lost" if leg["lost"] else f"→ {shapes[there]}"
        lines[branch] += f" ─{leg['leg']}·+{format_time(leg['t'] - steps[0]['t'])}{lost}"
        ends[branch] = "" if leg["lost"] else there
    drops = [step for step in steps if step["kind"] == "drop"]
    for step in drops:
        branch = len(ends) - 1 - ends[::-1].index(step["node"]) if step["node"] in ends else -1
        lines[branch] += f" ✕ {step['note']}"
    return ["Its way:", *(f"  {line}" for line in lines)]


def _journeys(picture: Picture, focus: int) -> list[str]:
    found = picture.rows("journeys")
    if len(found) < 2:
        return []
    marks = [("→" if row["pkt"] == focus else " ", row) for row in found]
    return ["Packets:", *(f"{mark} {row['pkt']:>4}  {row['said']}; {row['fate']}" for mark, row in marks)]


def _table(steps: Sequence[Row]) -> list[str]:
    """Every step at its own time; a stage that is passed again says how long the packet waited for it."""
    if not steps:
        return []
    lines = ["          time  node    what"]
    left: dict[tuple[str, str], int] = {}
    for step in steps:
        again = left.get((step["node"], step["place"]))
        what = _stage(step, again) if step["kind"] == "stage" else _what(step)
        lines.append(f"{step['at']:>14}  {step['node']:<7} {what}")
        if step["kind"] == "stage":
            left[step["node"], step["place"]] = step["end"]
    return lines


def _stage(step: Row, left: int | None) -> str:
    """``left`` is when the packet left this stage the last time."""
    spent = step["end"] - step["t"]
    told = f"{step['place']} {format_time(spent)}" if spent else str(step["place"])
    return f"{told}, again after {format_time(step['t'] - left)}" if left is not None and step["t"] > left else told


def _what(step: Row) -> str:
    note = f" ({step['note']})" if step["note"] else ""
    spent = f", {format_time(step['end'] - step['t'])} on the way" if step["end"] > step["t"] else ""
    match step["kind"]:
        case "wire.tx":
            return f"─{step['leg']}→ out of {step['iface']}{note}{', never arrived ✕' if step['lost'] else spent}"
        case "wire.rx":
            return f"in at {step['iface']}{note}"
        case "drop":
            return f"✕ dropped at {step['place']}{note}"
        case "packet":
            return f"made by {step['place']}{note}"
        case "enqueue" | "dequeue":
            return f"{step['kind']} {step['iface']}{note}"
        case "mark":
            return f"marked at {step['iface']}: congestion experienced{note}"
    return f"{step['kind']} {step['place']}{note}"


def _talk(picture: Picture) -> list[str]:
    said = picture.rows("talk")
    lines = [f"  {format_time(row['t'])}: {row['program']} on {row['node']}: {row['said']}" for row in said]
    return ["What programs said:", *lines] if lines else []


def _wrapped(head: str, sentences: Sequence[str], width: int) -> list[str]:
    from textwrap import wrap

    lines = [line for s in sentences for line in wrap(s, width, initial_indent="  ", subsequent_indent="    ")]
    return [f"{head}:", *lines] if head and lines else lines
