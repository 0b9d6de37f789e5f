"""What every world offers: problems before, a session, verification after.

A backend opens a Plan as a `Session`; a session runs workloads and grows a log. Views, checks and grades never ask
which world it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol

from netlab.stack.slot import SlotCall, SlotFailure, Slots
from netlab.topology.spec import Plan
from netlab.trace.log import Log
from netlab.workload.spec import Outcome, Workload

__all__ = ["Backend", "Problem", "Session", "SlotCall", "SlotFailure", "Slots"]


@dataclass(frozen=True)
class Problem:
    """What was asked and is not in force. ``refuse``: nothing may be graded; ``note``: captions carry it."""

    severity: Literal["refuse", "note"]
    where: str
    said: str
    """One sentence: what, and what to do about it."""

    def __str__(self) -> str:
        return f"{self.where}: {self.said}"


class Session(Protocol):
    """An open network. A context manager: leaving it closes it, however it is left."""

    @property
    def plan(self) -> Plan: ...

    @property
    def log(self) -> Log: ...

    @property
    def problems(self) -> tuple[Problem, ...]: ...

    @property
    def slot_failures(self) -> Mapping[str, Sequence[SlotFailure]]:
        """Node -> what went wrong in its slots."""

    def verify(self) -> tuple[Problem, ...]:
        """What is asked and not in force, read back from the world itself."""

    def run(self, workloads: Sequence[Workload]) -> tuple[Outcome, ...]:
        """Run the workloads together, to their end; the log grows meanwhile."""

    def close(self) -> None:
        """Take the network down. A second call does nothing."""

    def __enter__(self) -> Session: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Backend(Protocol):
    """A world that can open plans."""

    @property
    def name(self) -> str: ...

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        """What this machine cannot do of the plan, before anything is made."""

    def open(self, plan: Plan, *, seed: int = 0, slots: Slots | None = None) -> Session:
        """The plan as an open network; Unavailable when a problem refuses it."""
