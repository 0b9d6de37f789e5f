"""Free places on a drawing: what is written last goes where it covers nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from netlab.view.geometry import CHAR, LINE
from netlab.view.layout import Box
from netlab.view.picture import Picture

LETTER = 8.8
"""px of a character of a time or a reason."""
REACH = 420
"""px around a mark within which its text, long as it may be, ends up."""
LINE_WEIGHT = 0.2
"""What lying over a cable costs, of what lying over something written costs."""


class Text(NamedTuple):
    """A place for a line of text: its anchor ("start", "middle", "end") at x, its foot at y."""

    x: float
    y: float
    anchor: str

    def box(self, letters: int) -> Box:
        """The rectangle that so many letters take."""
        width = letters * LETTER
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * width
        return Box(left, self.y - 13, left + width, self.y + 4)

    def attributes(self) -> str:
        """For an SVG text."""
        return f'style="text-anchor:{self.anchor}" x="{self.x:.1f}" y="{self.y:.1f}"'


class Room:
    """What is taken of a drawing."""

    def __init__(self, picture: Picture) -> None:
        self.page = Box(0, 0, picture.axes["width"], picture.axes["height"])
        self.taken = [*_nodes(picture), *_written(picture)]
        self.lines = [tuple(row[k] for k in ("x1", "y1", "x2", "y2")) for row in picture.rows("links")]

    def take(self, box: Box) -> None:
        """Nothing more shall be written there."""
        self.taken.append(box)

    def is_free(self, box: Box) -> bool:
        """Whether nothing stands or is written there."""
        return not any(box.overlaps(other) for other in self.taken)

    def settle(self, places: Iterable[Text], letters: int) -> Text:
        """The first place where so many letters cover nothing, else the one where they cover least; it is taken."""
        best, least, near = None, 0.0, self
        for n, place in enumerate(places):
            if n == 1:  # mostly the first is free; only then are there many to look at
                near = self._around(place)
            cost = near._cost(place.box(letters))
            if best is None or cost < least:
                best, least = place, cost
            if not cost:
                break
        if best is None:
            raise ValueError("no places to choose from")
        self.take(best.box(letters))
        return best

    def copy(self) -> Room:
        """The same room, to be filled in another way."""
        other = object.__new__(Room)
        other.page, other.taken, other.lines = self.page, [*self.taken], self.lines
        return other

    def _around(self, place: Text) -> Room:
        """What is taken near a place: all that its neighbours can touch."""
        window = Box(place.x - REACH, place.y - REACH, place.x + REACH, place.y + REACH)
        other = self.copy()
        other.taken = [box for box in self.taken if box.overlaps(window)]
        other.lines = [line for line in self.lines if _meets(line, window)]
        return other

    def _cost(self, box: Box) -> float:
        outside = max(0.0, -box.left, -box.top, box.right - self.page.right, box.bottom - self.page.bottom)
        covered = sum(_share(box, other) for other in self.taken)
        return covered + outside + LINE_WEIGHT * sum(_crossed(line, box) for line in self.lines)


def _nodes(picture: Picture) -> Iterable[Box]:
    for row in picture.rows("nodes"):
        yield Box(row["x"] - row["w"] / 2, row["y"] - row["h"] / 2, row["x"] + row["w"] / 2, row["y"] + row["h"] / 2)


def _written(picture: Picture) -> Iterable[Box]:
    for row in picture.rows("ends"):
        yield _lines(row, row["lines"])
    for row in picture.rows("tunnels"):
        yield _lines(row, [row["text"]])
    for row in picture.rows("links"):
        if row["said"]:
            yield _lines({"x": row["lx"], "y": row["ly"] - LINE / 2}, [row["said"]])


def _lines(row: Mapping[str, Any], lines: list[str]) -> Box:
    half = max(map(len, lines)) * CHAR / 2
    return Box(row["x"] - half, row["y"], row["x"] + half, row["y"] + len(lines) * LINE)


def _share(box: Box, other: Box) -> float:
    """1 for touching, and the more the more of the box is covered."""
    wide = min(box.right, other.right) - max(box.left, other.left)
    high = min(box.bottom, other.bottom) - max(box.top, other.top)
    if wide <= 0 or high <= 0:
        return 0.0
    return 1 + 4 * wide * high / ((box.right - box.left) * (box.bottom - box.top))


def _meets(line: tuple[float, ...], box: Box) -> bool:
    """Whether the line's own box meets the box."""
    x1, y1, x2, y2 = line
    return max(x1, x2) > box.left and min(x1, x2) < box.right and max(y1, y2) > box.top and min(y1, y2) < box.bottom


def _crossed(line: tuple[float, ...], box: Box) -> bool:
    if not _meets(line, box):
        return False
    x1, y1, x2, y2 = line
    points = ((x1 + (x2 - x1) * k / 40, y1 + (y2 - y1) * k / 40) for k in range(41))
    return any(box.left < x < box.right and box.top < y < box.bottom for x, y in points)
