"""TCP's states as a picture: the table that connections go by, and where each state and each way is drawn."""

from __future__ import annotations

from itertools import pairwise

from netlab.view.picture import Picture, columns

WIDTH, HEIGHT = 1280, 800
BOX = (172, 48)
"""Width and height of a state."""
PLACES = {
    "CLOSED": (640, 64),
    "LISTEN": (640, 184),
    "SYN-RECEIVED": (230, 284),
    "SYN-SENT": (1050, 284),
    "ESTABLISHED": (640, 384),
    "FIN-WAIT-1": (230, 490),
    "CLOSING": (560, 552),
    "CLOSE-WAIT": (1050, 490),
    "FIN-WAIT-2": (230, 690),
    "TIME-WAIT": (560, 690),
    "LAST-ACK": (1050, 690),
    "CLOSED again": (805, 690),
}
"""State -> its centre, in px. CLOSED stands twice, as in most drawings: where ways begin, and where they end."""
Route = tuple[str, float, float, str]
ROUTES: dict[tuple[str, str], Route] = {
    ("CLOSED", "SYN-SENT"): ("M 726 52 C 900 60 1040 130 1052 258", 1046, 112, "start"),
    ("CLOSED", "LISTEN"): ("M 656 88 L 656 158", 668, 118, "start"),
    ("LISTEN", "CLOSED"): ("M 624 160 L 624 90", 612, 118, "end"),
    ("LISTEN", "SYN-RECEIVED"): ("M 554 190 C 430 204 320 224 268 256", 348, 188, "end"),
    ("SYN-SENT", "CLOSED"): ("M 1010 260 C 940 160 840 90 730 74", 858, 150, "end"),
    ("SYN-SENT", "SYN-RECEIVED"): ("M 964 284 L 320 284", 640, 252, "middle"),
    ("SYN-SENT", "ESTABLISHED"): ("M 1000 308 C 940 350 830 372 730 380", 930, 372, "start"),
    ("SYN-RECEIVED", "ESTABLISHED"): ("M 280 308 C 340 350 450 372 550 380", 420, 338, "start"),
    ("SYN-RECEIVED", "FIN-WAIT-1"): ("M 200 308 L 200 464", 188, 374, "end"),
    ("ESTABLISHED", "FIN-WAIT-1"): ("M 556 400 C 450 412 350 434 300 462", 330, 420, "end"),
    ("ESTABLISHED", "CLOSE-WAIT"): ("M 724 400 C 830 412 930 434 980 462", 950, 424, "start"),
    ("CLOSE-WAIT", "LAST-ACK"): ("M 1050 514 L 1050 664", 1062, 586, "start"),
    ("FIN-WAIT-1", "FIN-WAIT-2"): ("M 200 514 L 200 664", 188, 586, "end"),
    ("FIN-WAIT-1", "CLOSING"): ("M 316 498 C 400 504 470 516 512 526", 440, 484, "start"),
    ("FIN-WAIT-2", "TIME-WAIT"): ("M 316 690 L 472 690", 394, 660, "middle"),
    ("CLOSING", "TIME-WAIT"): ("M 560 576 L 560 664", 548, 622, "end"),
    ("LAST-ACK", "CLOSED"): ("M 964 690 L 893 690", 928, 650, "middle"),
    ("TIME-WAIT", "CLOSED"): ("M 646 690 L 717 690", 664, 612, "start"),
    ("FIN-WAIT-2", "CLOSED"): ("M 260 714 C 300 770 740 770 790 718", 520, 774, "middle"),
}
"""(from, to) -> the path, and where its words begin: x, y, anchor."""
CLIENT = ("CLOSED", "SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED")
SERVER = ("CLOSED", "LISTEN", "SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED")
ENDS = {"receive RST": "R", "nobody answers": "T", "abort": "A"}
"""Events that end a connection wherever it is: a letter at the state, not an arrow each."""


def rows() -> list[tuple[str, str, str, str]]:
    """(state, event, what is done, next state) of the whole table, in the order of the states."""
    from netlab.stack.tcp.state import TABLE

    found = sorted(TABLE.items(), key=lambda item: item[0][0])
    return [(state.spelled, event, move.does, move.next.spelled) for (state, event), move in found]


def states_picture() -> Picture:
    """The diagram: states, ways between them, and what may end a connection in each."""
    held = rows()
    ends = {state: "".join(ENDS[event] for s, event, _, _ in held if s == state and event in ENDS) for state in PLACES}
    moves = [_move(*row) for row in held if row[1] not in ENDS]
    return Picture(
        title="The states of a TCP connection",
        axes={"kind": "states", "width": WIDTH, "height": HEIGHT},
        layers={
            "states": columns(("name", "x", "y", "ends"), ((n, x, y, ends[n]) for n, (x, y) in PLACES.items())),
            "moves": columns(("a", "b", "event", "does", "side", "path", "x", "y", "anchor"), moves),
        },
        narrative=tuple(_sentence(*row) for row in held),
    )


def _move(state: str, event: str, does: str, after: str) -> tuple[str | float, ...]:
    return (state, after, event, does, _side(state, after, event), *ROUTES[state, after])


def _side(state: str, after: str, event: str) -> str:
    """Whose ordinary way it belongs to: the one that opens and closes first, or the other's."""
    if event == "close" and after == "CLOSED":
        return "other"
    for side, way in (("client", CLIENT), ("server", SERVER)):
        if (state, after) in pairwise(way):
            return side
    return "other"


def _sentence(state: str, event: str, does: str, after: str) -> str:
    return f"{state}, {event}: {does + ', then ' if does else ''}{after}."
