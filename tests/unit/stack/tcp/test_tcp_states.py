"""A connection goes nowhere but by the table, and every row of the table is a way that some connection goes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import netlab.stack.tcp
from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.knobs import Knobs, freebsd, linux
from netlab.stack.tcp.layer import TcpLayer
from netlab.stack.tcp.segment import Segment
from netlab.stack.tcp.state import ESTABLISHED, LISTEN, SYN_RECEIVED, TABLE, State
from netlab.units import MS, SEC
from netlab.wire.tcp import ACK, FIN, RST, SYN

ISS, PEER = 1000, 5000
Row = tuple[State, str]


class Noted(Connection):
    """A connection that notes which rows of the table it went by; the peer's segments are named, not built."""

    def __init__(self, knobs: Knobs) -> None:
        self.rows: list[Row] = []
        super().__init__(knobs, mss=1460, iss=ISS)

    def step(self, event: str) -> None:
        self.rows.append((self.state, event))
        super().step(event)

    def hears(self, flags: int, *, seq: int | None = None, ack: int | None = None) -> Noted:
        """A segment of the peer: by default the next one, which acknowledges everything."""
        seq = self.rcv_nxt if seq is None else seq
        self.segment(Segment(seq, (self.snd_max if ack is None else ack) if flags & ACK else 0, flags, 65535), self.now)
        return self

    def waits(self) -> Noted:
        """Time passes until nothing more is due."""
        while (due := self.next_timer()) is not None:
            self.timer(due)
        return self


def fresh(knobs: Knobs | None = None) -> Noted:
    return Noted(knobs or linux())


def asking() -> Noted:
    c = fresh()
    c.open(0)
    return c


def asked() -> Noted:
    c = fresh()
    c.accept(Segment(PEER, 0, SYN, 65535), 0)
    return c


def opened() -> Noted:
    return asking().hears(SYN | ACK, seq=PEER)


def finishing() -> Noted:
    c = opened()
    c.shutdown(10 * MS)
    return c


def finished() -> Noted:
    return finishing().hears(ACK)


def left() -> Noted:
    return opened().hears(FIN | ACK)


def leaving() -> Noted:
    c = left()
    c.close(10 * MS)
    return c


def crossing() -> Noted:
    return finishing().hears(FIN | ACK, ack=ISS + 1)


def done() -> Noted:
    return finished().hears(FIN | ACK)


def closes(begin: Callable[[], Noted]) -> Callable[[], Noted]:
    def story() -> Noted:
        c = begin()
        c.close(20 * MS)
        return c

    return story


def aborts(begin: Callable[[], Noted]) -> Callable[[], Noted]:
    def story() -> Noted:
        c = begin()
        c.abort(20 * MS)
        return c

    return story


def is_reset(begin: Callable[[], Noted]) -> Callable[[], Noted]:
    return lambda: begin().hears(RST, seq=begin().rcv_nxt)


def writes_in_vain(begin: Callable[[], Noted]) -> Callable[[], Noted]:
    def story() -> Noted:
        c = begin()
        c.write(b"anybody there?")
        c.push(20 * MS)
        return c.waits()

    return story


def keeps_asking_in_vain() -> Noted:
    c = finished()
    c.keep_alive, c.timers["keepalive"] = True, SEC
    return c.waits()


def makes_room() -> Noted:
    c = done()
    c.make_room(SEC)
    return c


IN_EVERY = {"asking": asking, "asked": asked, "opened": opened, "left": left}
STORIES: dict[Row, Callable[[], Noted]] = {
    (State.CLOSED, "active open"): asking,
    (State.CLOSED, "passive open"): asked,
    (State.LISTEN, "receive SYN"): asked,
    (State.SYN_SENT, "receive SYN ACK"): opened,
    (State.SYN_SENT, "receive SYN"): lambda: asking().hears(SYN, seq=PEER),
    (State.SYN_SENT, "receive RST"): lambda: asking().hears(RST | ACK, seq=0),
    (State.SYN_SENT, "close"): closes(asking),
    (State.SYN_SENT, "nobody answers"): lambda: asking().waits(),
    (State.SYN_SENT, "abort"): aborts(asking),
    (State.SYN_RECEIVED, "receive ACK of SYN"): lambda: asked().hears(ACK),
    (State.SYN_RECEIVED, "receive RST"): is_reset(asked),
    (State.SYN_RECEIVED, "close"): closes(asked),
    (State.SYN_RECEIVED, "nobody answers"): lambda: asked().waits(),
    (State.SYN_RECEIVED, "abort"): aborts(asked),
    (State.ESTABLISHED, "close"): finishing,
    (State.ESTABLISHED, "receive FIN"): left,
    (State.ESTABLISHED, "receive RST"): is_reset(opened),
    (State.ESTABLISHED, "nobody answers"): writes_in_vain(opened),
    (State.ESTABLISHED, "abort"): aborts(opened),
    (State.CLOSE_WAIT, "close"): leaving,
    (State.CLOSE_WAIT, "receive RST"): is_reset(left),
    (State.CLOSE_WAIT, "nobody answers"): writes_in_vain(left),
    (State.CLOSE_WAIT, "abort"): aborts(left),
    (State.FIN_WAIT_1, "receive ACK of FIN"): finished,
    (State.FIN_WAIT_1, "receive FIN"): crossing,
    (State.FIN_WAIT_1, "receive RST"): is_reset(finishing),
    (State.FIN_WAIT_1, "nobody answers"): lambda: finishing().waits(),
    (State.FIN_WAIT_1, "abort"): aborts(finishing),
    (State.FIN_WAIT_2, "receive FIN"): done,
    (State.FIN_WAIT_2, "receive RST"): is_reset(finished),
    (State.FIN_WAIT_2, "nobody is left to read"): lambda: closes(finished)().waits(),
    (State.FIN_WAIT_2, "nobody answers"): keeps_asking_in_vain,
    (State.FIN_WAIT_2, "abort"): aborts(finished),
    (State.CLOSING, "receive ACK of FIN"): lambda: crossing().hears(ACK),
    (State.CLOSING, "receive RST"): is_reset(crossing),
    (State.CLOSING, "nobody answers"): lambda: crossing().waits(),
    (State.CLOSING, "abort"): aborts(crossing),
    (State.LAST_ACK, "receive ACK of FIN"): lambda: leaving().hears(ACK),
    (State.LAST_ACK, "receive RST"): is_reset(leaving),
    (State.LAST_ACK, "nobody answers"): lambda: leaving().waits(),
    (State.LAST_ACK, "abort"): aborts(leaving),
    (State.TIME_WAIT, "2 MSL have passed"): lambda: done().waits(),
    (State.TIME_WAIT, "receive a newer SYN"): makes_room,
    (State.TIME_WAIT, "abort"): aborts(done),
}


@pytest.mark.parametrize(("state", "event"), STORIES, ids=lambda part: getattr(part, "name", part))
def test_every_row_is_a_way_that_a_connection_goes(state: State, event: str) -> None:
    c = STORIES[state, event]()
    at = c.rows.index((state, event))
    following = [began for began, _ in c.rows[at + 1 :]] or [c.state]
    assert following[0] == TABLE[state, event].next


def test_every_row_has_its_story() -> None:
    """But one: a listener holds no connection, and the next test shows what becomes of its half-open ones."""
    assert TABLE.keys() - STORIES.keys() == {(LISTEN, "close")}


def test_a_listener_that_closes_forgets_half_open_connections() -> None:
    layer = TcpLayer(freebsd())
    listener = layer.listen(None, 80, 5)
    pair = next(iter(_half_open(layer)))
    assert layer.endpoints[pair].connection.state == SYN_RECEIVED
    layer.unlisten(listener, 10)
    assert not layer.endpoints and not layer.listeners


def _half_open(layer: TcpLayer) -> list:  # type: ignore[type-arg]
    from netlab.stack.tcp.layer import Pair

    pair = Pair(1, 80, 2, 5000)
    layer.segment(pair, Segment(PEER, 0, SYN, 65535), 0)
    return [pair]


def test_a_whole_life_by_both_of_its_ways() -> None:
    assert [event for _, event in done().waits().rows] == [
        "active open",
        "receive SYN ACK",
        "close",
        "receive ACK of FIN",
        "receive FIN",
        "2 MSL have passed",
    ]
    assert asked().hears(ACK).state == ESTABLISHED


def test_the_state_is_assigned_in_one_place() -> None:
    """`Connection.step` alone, beside the beginning: else the table would only be a picture."""
    places = []
    for file in sorted(Path(netlab.stack.tcp.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            places += [
                file.name
                for target in targets
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
                and isinstance(target, ast.Attribute)
                and target.attr == "state"
            ]
    assert places == ["connection.py", "connection.py"], places
