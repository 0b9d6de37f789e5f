"""Where a packet's way ends; when a switch floods, which copy was taken and where the others went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from netlab.trace.journey import Hop, Journey
from netlab.trace.log import Log


class Way(NamedTuple):
    """A journey as a tree of nodes."""

    nodes: tuple[str, ...]
    """From the first node to the end that matters; as far as all copies went together if none is known to matter."""
    copies: tuple[tuple[str, ...], ...]
    """The other branches, each from the node that made the copy."""
    end: str
    """The node that took the packet; "" when copies went several ways and nothing says which one was for its reader."""

    def __str__(self) -> str:
        """ "h1 → s1 → h2, which took it; copies: s1 → h3"; a packet without copies is its nodes alone."""
        told = " → ".join(self.nodes)
        if not self.copies:
            return told
        taken = f", which {'took' if self.end else 'copied'} it"
        return f"{told}{taken}; copies: {', '.join(' → '.join(copy) for copy in self.copies)}"


def way_of(log: Log, journey: Journey, caused: Iterable[Journey] = ()) -> Way:
    """The journey's way; ``caused`` are the journeys that it caused: where one of them began, it was taken."""
    if not _forks(journey.hops):
        return Way(journey.nodes, (), journey.nodes[-1] if journey.nodes else "")
    before = _before(log, journey.hops)
    parents = set(before.values())
    leaves = [node for node in dict.fromkeys(hop.node for hop in journey.hops) if node not in parents]
    branches = {leaf: _back(leaf, before) for leaf in leaves}
    end = _taken(journey.hops, leaves, [other.hops[0].node for other in caused if other.hops])
    trunk = branches[end] if end else _together(list(branches.values()))
    copies = tuple(_apart(branch, trunk) for leaf, branch in branches.items() if leaf != end)
    return Way(trunk, copies, end)


def _forks(hops: Iterable[Hop]) -> bool:
    """Whether some node sent the packet out more often than it came in (or was made there)."""
    counts = Counter((hop.node, hop.kind) for hop in hops)
    return any(n > max(1, counts[node, "wire.rx"]) for (node, kind), n in counts.items() if kind == "wire.tx")


def _before(log: Log, hops: Iterable[Hop]) -> dict[str, str]:
    """The node from which each node first got the packet."""
    sent: dict[str, str] = {}
    found: dict[str, str] = {}
    first = ""
    for hop in hops:
        first = first or hop.node
        if hop.kind == "wire.tx":
            sent[hop.place] = hop.node
        elif hop.kind == "wire.rx" and hop.node != first:
            origin = sent.get(log.rows[hop.record][6][0])
            if origin and origin != hop.node:
                found.setdefault(hop.node, origin)
    return found


def _back(leaf: str, before: Mapping[str, str]) -> tuple[str, ...]:
    way = [leaf]
    while (origin := before.get(way[-1], "")) and origin not in way:
        way.append(origin)
    return tuple(reversed(way))


def _taken(hops: Iterable[Hop], leaves: list[str], answered: list[str]) -> str:
    """The leaf that answered; else the only one that neither dropped it nor got less far inside than another."""
    if found := [leaf for leaf in leaves if leaf in answered]:
        return found[0]
    inside: dict[str, set[str]] = {leaf: set() for leaf in leaves}
    for hop in hops:
        if hop.node in inside and hop.kind in ("stage", "drop"):
            inside[hop.node].add(hop.kind if hop.kind == "drop" else hop.place)
    depths = {
        leaf: -1 if "drop" in places else len(places - {"nic.rx", "ether.input"}) for leaf, places in inside.items()
    }
    deepest = [leaf for leaf, depth in depths.items() if depth == max(depths.values())]
    return deepest[0] if len(deepest) == 1 and depths[deepest[0]] >= 0 else ""


def _together(branches: list[tuple[str, ...]]) -> tuple[str, ...]:
    common = branches[0]
    for branch in branches[1:]:
        common = common[
            : next((i for i, (a, b) in enumerate(zip(common, branch, strict=False)) if a != b), len(common))
        ]
    return common


def _apart(branch: tuple[str, ...], trunk: tuple[str, ...]) -> tuple[str, ...]:
    """The branch from the last node that it has in common with the trunk."""
    same = next(
        (i for i, (a, b) in enumerate(zip(branch, trunk, strict=False)) if a != b), min(len(branch), len(trunk))
    )
    return branch[max(0, same - 1) :]
