"""The pipe to a slot, with a test at its other end instead of a student's process."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from netlab.backend.plain import decode, encode
from netlab.backend.slotends import PolledEnds, ThreadedEnds
from netlab.backend.slotpipe import SlotPipe
from netlab.stack.slot import SlotFailure

SOON = 0.05
LONG = 20.0


@dataclass
class Other:
    """The other end of the three pipes."""

    requests: int
    replies: int
    output: int

    def hears(self) -> tuple[str, int, Any]:
        size = int.from_bytes(os.read(self.requests, 4), "big")
        data = b""
        while len(data) < size:
            data += os.read(self.requests, size - len(data))
        verb, serial, what = decode(data)
        return verb, serial, what

    def says(self, value: object) -> None:
        data = encode(value)
        os.write(self.replies, len(data).to_bytes(4, "big") + data)

    def leaves(self) -> None:
        for fd in (self.requests, self.replies, self.output):
            os.close(fd)


KINDS = [ThreadedEnds] if sys.platform == "win32" else [PolledEnds, ThreadedEnds]


@pytest.fixture(params=KINDS)
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[SlotPipe, Other]]:
    (asked, ask), (reply, replying), (read, printing) = os.pipe(), os.pipe(), os.pipe()
    other = Other(asked, replying, printing)
    pipe = SlotPipe(request.param(ask, reply, read, 100), reply_limit=1000)
    yield pipe, other
    pipe.close()


def play(other: Other, *steps: Callable[[Other], object]) -> threading.Thread:
    """Let the other end do these things, beside the test."""
    thread = threading.Thread(target=lambda: [step(other) for step in steps], daemon=True)
    thread.start()
    return thread


def answer(make: Callable[[int, Any], object]) -> Callable[[Other], None]:
    """Hear a request, and say what ``make(serial, what)`` gives."""

    def step(other: Other) -> None:
        _, serial, what = other.hears()
        other.says(make(serial, what))

    return step


def failure(pipe: SlotPipe, timeout: float = LONG) -> SlotFailure:
    with pytest.raises(SlotFailure) as caught:
        pipe.call("double", (1,), timeout)
    return caught.value


Ends = tuple[SlotPipe, Other]


def test_a_call_goes_out_and_its_answer_comes_back(ends: Ends) -> None:
    pipe, other = ends
    play(other, answer(lambda serial, what: ("ok", serial, (what, [b"\0"]))))
    assert pipe.call("double", (1, "a"), LONG) == (("double", (1, "a")), [b"\0"])


def test_a_failure_that_the_child_tells_is_not_the_end(ends: Ends) -> None:
    pipe, other = ends
    play(
        other,
        answer(lambda serial, what: ("fail", serial, "raised", "ada.py:3 in double: KeyError: 7")),
        answer(lambda serial, what: ("ok", serial, 2)),
    )
    told = failure(pipe)
    assert (told.kind, told.said) == ("raised", "ada.py:3 in double: KeyError: 7")
    assert pipe.call("double", (1,), LONG) == 2


def test_two_threads_take_turns(ends: Ends) -> None:
    pipe, other = ends
    play(other, *[answer(lambda serial, what: ("ok", serial, what[1][0]))] * 40)
    got: list[int] = []
    callers = [
        threading.Thread(target=lambda first=n: got.extend(pipe.call("same", (first + i,), LONG) for i in range(20)))
        for n in (0, 100)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(got) == [*range(20), *range(100, 120)]


def test_silence_is_a_timeout_and_final(ends: Ends) -> None:
    pipe, _ = ends
    began = time.monotonic()
    assert failure(pipe, SOON).kind == "timeout"
    assert failure(pipe, LONG).kind == "timeout"
    assert time.monotonic() - began < LONG / 2


def test_one_byte_at_a_time_does_not_stretch_the_time(ends: Ends) -> None:
    pipe, other = ends
    stop = threading.Event()

    def drip(other: Other) -> None:
        os.write(other.replies, b"\0\0\1\0")
        while not stop.wait(0.005):
            os.write(other.replies, b"N")

    thread = play(other, drip)
    assert failure(pipe, SOON).kind == "timeout"
    stop.set()
    thread.join()


def test_an_end_is_died(ends: Ends) -> None:
    pipe, other = ends
    play(other, Other.hears, Other.leaves)
    assert failure(pipe).kind == "died"


@pytest.mark.parametrize(
    "reply",
    [
        None,
        (),
        ("ok",),
        ("ok", 99, 2),
        ("ok", "1", 2),
        ("fine", 1, 2),
        ("fail", 1, "passed", "full marks"),
        ("fail", 1, "raised", b"bytes"),
        ["ok", 2, 2],
        {"ok": 1},
    ],
)
def test_what_is_no_answer_to_the_question_is_invalid(ends: Ends, reply: object) -> None:
    pipe, other = ends
    play(other, answer(lambda serial, what: reply))
    assert failure(pipe).kind == "invalid"
    assert pipe.broken is not None


@pytest.mark.parametrize("junk", [b"\xff\xff\xff\xff", b"\0\0\0\2zz", b"\0\0\0\0", b"\0\0\0\3NNN"])
def test_bytes_that_are_no_frame_are_invalid(ends: Ends, junk: bytes) -> None:
    pipe, other = ends
    play(other, Other.hears, lambda other: os.write(other.replies, junk))
    assert failure(pipe).kind == "invalid"


def test_an_answer_over_the_limit_is_not_even_read(ends: Ends) -> None:
    pipe, other = ends
    play(other, Other.hears, lambda other: os.write(other.replies, (1001).to_bytes(4, "big")))
    assert "over the limit of 1000" in failure(pipe).said


def test_an_answer_in_advance_answers_nothing(ends: Ends) -> None:
    pipe, other = ends
    play(
        other,
        answer(lambda serial, what: ("ok", serial, 1)),
        lambda other: other.says(("ok", 1, 1)),
        answer(lambda serial, what: ("ok", serial, 2)),
    )
    assert pipe.call("double", (1,), LONG) == 1
    assert failure(pipe).kind == "invalid"


def test_what_is_printed_is_kept_up_to_the_limit(ends: Ends) -> None:
    pipe, other = ends
    play(
        other,
        lambda other: os.write(other.output, b"x" * 5000),
        lambda other: os.close(other.output),
        answer(lambda serial, what: ("ok", serial, 1)),
    )
    pipe.call("double", (1,), LONG)
    deadline = time.monotonic() + LONG
    while len(pipe.printed) < 100 and time.monotonic() < deadline:
        os.sched_yield() if hasattr(os, "sched_yield") else None
    assert pipe.printed == "x" * 100


def test_a_child_that_reads_nothing_blocks_nobody(ends: Ends) -> None:
    pipe, _ = ends
    with pytest.raises(SlotFailure) as caught:
        pipe.call("double", (bytes(1 << 20),), SOON)
    assert caught.value.kind == "timeout"


def test_a_lab_that_passes_something_odd_is_told_so(ends: Ends) -> None:
    pipe, _ = ends
    with pytest.raises(ValueError, match="type set"):
        pipe.call("double", ({1},), LONG)
