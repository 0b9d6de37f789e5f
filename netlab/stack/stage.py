"""A stage: a named step of the way through a host.

It takes a vector of mbufs and says where each goes next. What is measured, drawn, locked and waited for hangs on the
boundary between stages, which an executor owns; a stage itself only decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from netlab.stack.mbuf import Mbuf

if TYPE_CHECKING:
    from netlab.stack.host import Host

END = ""
"""The target of a packet whose way through this host ends well (delivered, consumed)."""


Hop = tuple[str, Mbuf, str]
"""Where a packet goes next: a stage's name, or `END`; the packet; why, for a drop, whose target is `END`."""


def to(target: str, m: Mbuf) -> Hop:
    """On to a stage."""
    return target, m, ""


def drop(reason: str, m: Mbuf) -> Hop:
    """Dropped, and why."""
    return END, m, reason


def end(m: Mbuf) -> Hop:
    """Arrived: nothing more is to be done with it here."""
    return END, m, ""


Run = Callable[["Host", list[Mbuf], int], list[Hop]]


One = Callable[["Host", Mbuf, int], Hop]
Many = Callable[["Host", Mbuf, int], list[Hop]]


class Stage:
    """``run(host, vector, now)`` gives the hops, at least one for each mbuf, in order; ``to`` names all its targets.

    ``one`` does the work for a single mbuf, of a stage that gives one hop for each, ``many`` of a stage that may give
    several: an executor may call them itself.
    """

    __slots__ = ("many", "name", "one", "run", "says", "to")

    def __init__(
        self,
        name: str,
        run: Run,
        to: tuple[str, ...],
        says: str,
        one: One | None = None,
        many: Many | None = None,
    ) -> None:
        self.name, self.run, self.to, self.says = name, run, to, says
        self.one, self.many = one, many

    def running(self, run: Run) -> Stage:
        """The stage with another function in its place."""
        return Stage(self.name, run, self.to, self.says)

    def in_vectors(self, run: Run) -> Stage:
        """The stage with another function for what comes together; a single mbuf is worked on as before."""
        return Stage(self.name, run, self.to, self.says, self.one, self.many)


def stage(name: str, *, to: Iterable[str] = ()) -> Callable[[One], Stage]:
    """Lift a function of one mbuf with one hop to a stage."""

    def lift(one: One) -> Stage:
        def run(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
            return [one(host, m, now) for m in vector]

        return Stage(name, run, tuple(to), _first_sentence(one), one=one)

    return lift


def branching(name: str, *, to: Iterable[str] = ()) -> Callable[[Many], Stage]:
    """Lift a function of one mbuf with any number of hops (a reply, a flood) to a stage."""

    def lift(one: Many) -> Stage:
        def run(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
            return [hop for m in vector for hop in one(host, m, now)]

        return Stage(name, run, tuple(to), _first_sentence(one), many=one)

    return lift


def whole(name: str, *, to: Iterable[str] = ()) -> Callable[[Run], Stage]:
    """Make a stage of a function that takes the vector itself."""

    def lift(run: Run) -> Stage:
        return Stage(name, run, tuple(to), _first_sentence(run))

    return lift


def _first_sentence(function: object) -> str:
    return (getattr(function, "__doc__", None) or "").strip().split("\n")[0]
