"""A slot's function in the session, called from a node's process: whatever it does, the node gets its answer."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netlab.backend.native.messages import Messages
from netlab.backend.native.node import NativeNode
from netlab.stack.slot import SlotFailure
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve


class Asker:
    """The node's process, as far as slots go."""

    def __init__(self, *functions: Callable[..., Any]) -> None:
        ours, theirs = socket.socketpair()
        theirs.settimeout(10)
        self.messages = Messages(theirs)
        self.messages.send("ready")
        slots = {function.__name__: function for function in functions}
        self.node = NativeNode("h1", resolve(load_topology("pair")), {}, ours, base=0, rows=lambda _: None, slots=slots)
        assert (self.messages.receive() or ("",))[0] == "start"
        self.theirs = theirs

    def ask(self, slot: str, *args: Any) -> tuple[Any, ...]:
        """(whether it is good, the value or (kind, sentence))."""
        self.messages.send("slot", 1, slot, args)
        answer = self.messages.receive()
        assert answer is not None and answer[:2] == ("slot", 1)
        return answer[2:]


def double(number: int) -> int:
    return 2 * number


def divide(number: int) -> float:
    return number / 0


def refuse(_: int) -> int:
    raise SlotFailure("timeout", "it gave no answer")


def invent(_: int) -> list[object]:
    return [object()]


@pytest.fixture
def asker() -> Iterator[Asker]:
    one = Asker(double, divide, refuse, invent)
    yield one
    one.theirs.close()
    one.node.close()


@pytest.mark.parametrize(
    ("slot", "answer"),
    [
        ("divide", ("raised", "ZeroDivisionError: division by zero")),
        ("refuse", ("timeout", "it gave no answer")),
        ("invent", ("invalid", "it returned a list with something in it that is no plain data")),
    ],
)
def test_a_failure_is_an_answer_and_the_next_question_gets_its_own(
    asker: Asker, slot: str, answer: tuple[str, str]
) -> None:
    assert asker.ask(slot, 21) == (False, answer)
    assert asker.ask("double", 21) == (True, 42)
