"""What every scheduler offers."""

from __future__ import annotations

from typing import Protocol, TypeVar

T = TypeVar("T")


class Scheduler(Protocol[T]):
    """Decides which of the waiting items goes next. It knows no clock: the wire asks when it is free."""

    def enqueue(self, item: T, size: int, flow: int = 0) -> None:
        """Take an item of ``size`` bytes of a flow or class."""

    def dequeue(self) -> T:
        """The item whose turn it is; IndexError when none waits. Never refuses while one does (work conservation)."""

    def __len__(self) -> int:
        """How many items wait."""
