"""The diagram of TCP's states: everything of the table is in it, and nothing is drawn over anything else."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

from netlab.stack.tcp.state import TABLE, State
from netlab.view.layout import Box, Point, around
from netlab.view.render.states import LINE, states_page, states_svg
from netlab.view.states import BOX, ENDS, HEIGHT, PLACES, ROUTES, WIDTH, rows, states_picture

BOLD = 8.6
"""px that a letter of 14 px bold takes at most, on average."""


def test_every_state_has_a_place_and_every_way_is_drawn() -> None:
    assert {state.spelled for state in State} == {name.removesuffix(" again") for name in PLACES}
    ways = {(state.spelled, move.next.spelled) for (state, event), move in TABLE.items() if event not in ENDS}
    assert ways == set(ROUTES), "a way of the table needs its line in ROUTES"


def test_the_rows_are_the_table() -> None:
    assert len(rows()) == len(TABLE)
    assert ("ESTABLISHED", "receive FIN", "send ACK", "CLOSE-WAIT") in rows()


def test_the_diagram_is_one_document_that_says_every_event() -> None:
    root = ElementTree.fromstring(states_svg(states_picture()))
    said = " ".join(root.itertext())
    for (state, event), move in TABLE.items():
        assert state.spelled in said and event in said
        if event not in ENDS:
            assert move.does in said
    page = states_page(states_picture())
    assert page.count("<tr>") == len(TABLE) + 1


def test_words_lie_apart_from_each_other_and_from_the_states() -> None:
    written: dict[tuple[str, str], list[str]] = {}
    for move in states_picture().rows("moves"):
        written.setdefault((move["a"], move["b"]), []).extend(filter(None, (move["event"], move["does"])))
    boxes = {"-".join(way): _box(*ROUTES[way][1:], lines) for way, lines in written.items()}
    boxes |= {name: around(Point(x, y), *BOX) for name, (x, y) in PLACES.items()}
    for (a, one), (b, other) in combinations(boxes.items(), 2):
        assert not one.overlaps(other), f"{a} and {b}"
    assert all(box.left >= 0 and box.right <= WIDTH and box.bottom <= HEIGHT for box in boxes.values())


def _box(x: float, y: float, anchor: str, lines: list[str]) -> Box:
    width = max(map(len, lines)) * BOLD
    left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
    return Box(left, y - 12, left + width, y - 12 + LINE * len(lines))
