"""Mistakes in a topology, gathered so that all of them can be shown at once, each at its place in the file."""

from __future__ import annotations

from dataclasses import dataclass, field

from netlab.errors import BadTopology, NetlabError
from netlab.topology.spec import Topology


@dataclass
class Mistakes:
    """What is wrong with ``topology``, in the order found."""

    topology: Topology
    found: list[NetlabError] = field(default_factory=list)

    def note(self, what: str, *places: tuple[str, object], right: str = "") -> None:
        """Keep one mistake; its place is that of the first of ``places`` which the file is known to have."""
        where = self.topology.where
        known = [where[place] for place in (*places, ("topology", "")) if place in where]
        self.found.append(NetlabError(what, where=known[0] if known else "", right=right))

    def take(self, error: NetlabError, *places: tuple[str, object]) -> None:
        """Keep a mistake that a parser of values found."""
        self.note(error.what, *places, right=error.right)

    def __bool__(self) -> bool:
        return bool(self.found)


def bad_topology(errors: list[NetlabError]) -> BadTopology:
    """The errors as one, in the order of their lines."""
    return BadTopology(sorted(errors, key=_line))


def _line(error: NetlabError) -> tuple[str, int]:
    file, _, line = error.where.rpartition(":")
    return (file, int(line)) if line.isdigit() else (error.where, 0)
