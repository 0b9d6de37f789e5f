"""The states of a connection and what leads from one to the next (RFC 9293 §3.3.2, figure 5), as one table.

The connection goes nowhere but by this table, and a command draws it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class State(IntEnum):
    """RFC 9293 §3.3.2. From `CLOSE_WAIT` on, at least one side has closed."""

    CLOSED = 0
    LISTEN = 1
    SYN_SENT = 2
    SYN_RECEIVED = 3
    ESTABLISHED = 4
    CLOSE_WAIT = 5
    FIN_WAIT_1 = 6
    CLOSING = 7
    LAST_ACK = 8
    FIN_WAIT_2 = 9
    TIME_WAIT = 10

    @property
    def spelled(self) -> str:
        """As the RFC spells it: "FIN-WAIT-1"."""
        return self.name.replace("_", "-")


CLOSED, LISTEN, SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT = list(State)[:6]
FIN_WAIT_1, CLOSING, LAST_ACK, FIN_WAIT_2, TIME_WAIT = list(State)[6:]

SENDING = frozenset({ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, CLOSING, LAST_ACK})
"""States in which data may still be in the send queue."""
RECEIVING = frozenset({ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2})
"""States in which the peer may still send data."""


class Transition(NamedTuple):
    """What a connection does, and its next state."""

    does: str
    next: State


TABLE: dict[tuple[State, str], Transition] = {
    (CLOSED, "active open"): Transition("send SYN", SYN_SENT),
    (CLOSED, "passive open"): Transition("", LISTEN),
    (LISTEN, "receive SYN"): Transition("send SYN ACK", SYN_RECEIVED),
    (LISTEN, "close"): Transition("forget half-open connections", CLOSED),
    (SYN_SENT, "receive SYN ACK"): Transition("send ACK", ESTABLISHED),
    (SYN_SENT, "receive SYN"): Transition("send SYN ACK", SYN_RECEIVED),
    (SYN_SENT, "receive RST"): Transition("tell the program: refused", CLOSED),
    (SYN_SENT, "close"): Transition("", CLOSED),
    (SYN_RECEIVED, "receive ACK of SYN"): Transition("", ESTABLISHED),
    (SYN_RECEIVED, "receive RST"): Transition("tell the program: refused", CLOSED),
    (SYN_RECEIVED, "close"): Transition("send FIN", FIN_WAIT_1),
    (ESTABLISHED, "close"): Transition("send FIN", FIN_WAIT_1),
    (ESTABLISHED, "receive FIN"): Transition("send ACK", CLOSE_WAIT),
    (CLOSE_WAIT, "close"): Transition("send FIN", LAST_ACK),
    (FIN_WAIT_1, "receive ACK of FIN"): Transition("", FIN_WAIT_2),
    (FIN_WAIT_1, "receive FIN"): Transition("send ACK", CLOSING),
    (FIN_WAIT_2, "receive FIN"): Transition("send ACK", TIME_WAIT),
    (CLOSING, "receive ACK of FIN"): Transition("", TIME_WAIT),
    (LAST_ACK, "receive ACK of FIN"): Transition("", CLOSED),
    (FIN_WAIT_2, "nobody is left to read"): Transition("give up after a while", CLOSED),
    (TIME_WAIT, "2 MSL have passed"): Transition("", CLOSED),
    (TIME_WAIT, "receive a newer SYN"): Transition("make room for it", CLOSED),
}
for _state in (ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, CLOSING, LAST_ACK, FIN_WAIT_2):
    TABLE[_state, "receive RST"] = Transition("tell the program: reset", CLOSED)
for _state in (SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, CLOSING, LAST_ACK, FIN_WAIT_2):
    TABLE[_state, "nobody answers"] = Transition("tell the program: timed out", CLOSED)
for _state in (SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, CLOSING, LAST_ACK, FIN_WAIT_2, TIME_WAIT):
    TABLE[_state, "abort"] = Transition("send RST" if _state not in (SYN_SENT, TIME_WAIT) else "", CLOSED)


def after(state: State, event: str) -> State:
    """The next state; KeyError for an event that cannot be in this one."""
    return TABLE[state, event].next
