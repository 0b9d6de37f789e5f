"""An exercise: the slot that a student fills, as its author declares it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Exercise:
    """One slot: a function of plain data. Its signature is the assignment."""

    slot: str
    """The function's name: "forward"."""
    signature: str
    """As it is shown: "forward(packets, routes, addresses) -> hops"."""
    doc: str
    """What goes in, what comes out, in the words of the subject."""
    starter: str = "starter.py"
    """The file, beside lab.py, that a student begins with; it scores 0."""
