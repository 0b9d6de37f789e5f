"""A stage: a named step of the way through a host.

It takes a vector of mbufs and says where each goes next. What is measured, drawn, locked and waited for hangs on the
boundary between stages, which an executor owns; a stage itself only decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from netlab.stack.mbuf import Mbuf

if TYPE_CHECKING:
    from netlab.stack.host import Host

END = ""
"""The target of a packet whose way through this host ends well (delivered, consumed)."""


class Hop(NamedTuple):
    """Where a packet goes next: a stage's name, or `END`. ``reason`` is set for a drop, whose target is `END`."""

    target: str
    mbuf: Mbuf
    reason: str = ""


_new = tuple.__new__  # a third of what the NamedTuple's own constructor takes; there is a hop for every step


def to(target: str, m: Mbuf) -> Hop:
    """On to a stage."""
    return _new(Hop, (target, m, ""))


def drop(reason: str, m: Mbuf) -> Hop:
    """Dropped, and why."""
    return _new(Hop, (END, m, reason))


def end(m: Mbuf) -> Hop:
    """Arrived: nothing more is to be done with it here."""
    return _new(Hop, (END, m, ""))


Run = Callable[["Host", list[Mbuf], int], list[Hop]]


class Stage(NamedTuple):
    """``run(host, vector, now)`` gives the hops, at least one for each mbuf, in order; ``to`` names all its targets."""

    name: str
    run: Run
    to: tuple[str, ...]
    says: str


def stage(name: str, *, to: Iterable[str] = ()) -> Callable[[Callable[[Host, Mbuf, int], Hop]], Stage]:
    """Lift a function of one mbuf with one hop to a stage."""

    def lift(one: Callable[[Host, Mbuf, int], Hop]) -> Stage:
        def run(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
            if len(vector) == 1:
                return [one(host, vector[0], now)]
            return [one(host, m, now) for m in vector]

        return Stage(name, run, tuple(to), _first_sentence(one))

    return lift


def branching(name: str, *, to: Iterable[str] = ()) -> Callable[[Callable[[Host, Mbuf, int], list[Hop]]], Stage]:
    """Lift a function of one mbuf with any number of hops (a reply, a flood) to a stage."""

    def lift(one: Callable[[Host, Mbuf, int], list[Hop]]) -> Stage:
        def run(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
            if len(vector) == 1:
                return one(host, vector[0], now)
            return [hop for m in vector for hop in one(host, m, now)]

        return Stage(name, run, tuple(to), _first_sentence(one))

    return lift


def whole(name: str, *, to: Iterable[str] = ()) -> Callable[[Run], Stage]:
    """Make a stage of a function that takes the vector itself."""

    def lift(run: Run) -> Stage:
        return Stage(name, run, tuple(to), _first_sentence(run))

    return lift


def _first_sentence(function: object) -> str:
    return (getattr(function, "__doc__", None) or "").strip().split("\n")[0]
