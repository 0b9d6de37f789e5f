"""Give a packet, get its journey: where it was, inside hosts and between them, and when.

The query reads records only, so it is the same for a simulated and a real network.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from netlab.trace.log import Log

PLACES = ("stage", "wire.tx", "wire.rx", "drop")


class Hop(NamedTuple):
    """One step: at ``t`` ns the packet was at ``place`` (a stage, or an interface for wire records) of ``node``."""

    t: int
    node: str
    place: str
    kind: str
    dur: int | None
    record: int
    """The index of its record in the log."""


class Journey(NamedTuple):
    """All that was seen of one packet, in order of time; ``ended`` is empty while it was last seen alive."""

    pkt: int
    said: str
    parent: int
    hops: tuple[Hop, ...]
    ended: str
    """"" or why it was dropped."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes in the order they were first entered, each entry once in a row."""
        seen: list[str] = []
        for hop in self.hops:
            if not seen or seen[-1] != hop.node:
                seen.append(hop.node)
        return tuple(seen)

    @property
    def path(self) -> tuple[tuple[str, str], ...]:
        """(node, place) for each hop: what two worlds are compared by."""
        return tuple((hop.node, hop.place) for hop in self.hops)


def journeys(log: Log) -> dict[int, Journey]:
    """Every journey of the log, by packet, in order of first appearance."""
    indices: dict[int, list[int]] = {}
    for index, row in enumerate(log.rows):
        if row[5]:
            indices.setdefault(row[5], []).append(index)
    return {pkt: _journey(log, pkt, where) for pkt, where in indices.items()}


def journey(log: Log, pkt: int) -> Journey:
    """The journey of one packet (KeyError when the log never saw it)."""
    where = [i for i, row in enumerate(log.rows) if row[5] == pkt]
    if not where:
        raise KeyError(pkt)
    return _journey(log, pkt, where)


def _journey(log: Log, pkt: int, indices: Iterable[int]) -> Journey:
    hops: list[Hop] = []
    said, parent, ended = "", 0, ""
    for index in sorted(indices, key=lambda i: (log.rows[i][0], i)):
        t, kind, node, obj, _, _, data = log.rows[index]
        if kind == "packet":
            parent, said = data
        elif kind in PLACES:
            dur = data[1] if kind == "stage" else data[2] if kind == "wire.tx" else None
            hops.append(Hop(t, node, obj, kind, dur, index))
            if kind == "drop":
                ended = str(data[0])
    return Journey(pkt, said, parent, tuple(hops), ended)


def common_path(log: Log, pkt: int, other: Log) -> tuple[tuple[str, str], ...]:
    """The journey's path through the places that both logs could observe: what may be compared between worlds."""
    return tuple(
        (hop.node, hop.place)
        for hop in journey(log, pkt).hops
        if hop.kind.startswith("wire") or (_sees(other, hop.node, hop.place) and _sees(log, hop.node, hop.place))
    )


def difference(log: Log, pkt: int, other: Log, other_pkt: int) -> str:
    """ "" when two worlds saw a packet take the same way, else the first difference in words.

    Compared are the places that both could observe, node by node. Where copies were made (a switch floods) their order
    is chance, so there the places are compared and not their order.
    """
    here = _by_node(common_path(log, pkt, other))
    there = _by_node(common_path(other, other_pkt, log))
    for node in dict.fromkeys((*here, *there)):
        one, two = here.get(node, ()), there.get(node, ())
        if one != two and sorted(one) != sorted(two):
            return f"at {node}: {_listed(one)} in {log.header.backend}, {_listed(two)} in {other.header.backend}"
    if set(here) == set(there) and _forks(here):
        return ""
    return "" if list(here) == list(there) else f"nodes {_listed(here)} and {_listed(there)} in another order"


def _by_node(path: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for node, place in path:
        found[node] = (*found.get(node, ()), place)
    return found


def _forks(places: dict[str, tuple[str, ...]]) -> bool:
    return any(len(visited) != len(set(visited)) for visited in places.values())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


def _sees(log: Log, node: str, stage: str) -> bool:
    names = log.header.stages.get(node)
    return names is None or stage in names
