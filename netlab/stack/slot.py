"""Slots: places in a host's stage graph that a student's function may fill.

A slot's arguments and results are plain data (bytes, ints, strings, tuples), a vector at a time, never live objects. So
one answer runs in a notebook, in virtual time, on a live interface, and in another process when it is graded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class SlotFailure(Exception):
    """The function in a slot gave no usable result. ``kind``: absent, raised, timeout, memory, died, invalid."""

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(said)
        self.kind, self.said = kind, said


class SlotCall(Protocol):
    """Whatever fills a slot, wherever it runs. Raises `SlotFailure` when there is no usable result."""

    def __call__(self, *args: Any) -> Any: ...


Slots = Mapping[tuple[str, str], SlotCall]
"""(node, slot name) -> what fills it; a slot not named keeps netlab's own implementation."""
