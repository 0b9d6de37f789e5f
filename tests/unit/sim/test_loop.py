"""The event loop: one order of events, whatever the order in which they were asked for."""

from __future__ import annotations

import pytest

from netlab.sim.loop import EventLoop


def test_events_come_by_time_then_priority_then_turn() -> None:
    loop, seen = EventLoop(), []
    loop.at(20, seen.append, "late")
    loop.at(10, seen.append, "first asked")
    loop.at(10, seen.append, "second asked")
    loop.at(10, seen.append, "urgent", priority=-1)
    loop.run()
    assert seen == ["urgent", "first asked", "second asked", "late"]
    assert loop.now == 20


def test_a_run_may_stop_on_the_way_and_go_on() -> None:
    loop, seen = EventLoop(), []
    for t in (5, 10, 15):
        loop.at(t, seen.append, t)
    loop.run(until=10)
    assert (seen, loop.now, len(loop)) == ([5, 10], 10, 1)
    loop.run(until=12)
    assert (seen, loop.now) == ([5, 10], 12)
    loop.run()
    assert seen == [5, 10, 15]


def test_an_event_in_the_past_is_refused() -> None:
    loop = EventLoop()
    loop.at(10, lambda _: loop.at(9, print))
    with pytest.raises(ValueError, match="9 ns was scheduled at 10 ns"):
        loop.run()


def test_an_argument_that_cannot_be_compared_breaks_no_tie() -> None:
    loop, seen = EventLoop(), []
    loop.at(1, seen.append, object())
    loop.at(1, seen.append, {})
    loop.run()
    assert len(seen) == 2
