"""A network drawn with characters: from its first node outwards, a line a branch."""

from __future__ import annotations

from netlab.topology.spec import Plan

LARGEST = 60
"""More nodes than this are listed, not drawn."""


def sketch(plan: Plan) -> str:
    """The drawing; cables that close a ring are listed under it. Empty when the network is too big for one."""
    if len(plan.nodes) > LARGEST:
        return ""
    neighbours = _neighbours(plan)
    used: set[int] = set()
    seen: set[str] = set()
    parts = []
    for node in plan.nodes:
        if node.name not in seen:
            parts.append("\n".join(_tree(node.name, neighbours, seen, used)))
    rest = [f"{link.a} ── {link.b}" for index, link in enumerate(plan.links) if index not in used]
    return "\n\n".join([*parts, *(["and " + "\n    ".join(rest)] if rest else [])])


def _neighbours(plan: Plan) -> dict[str, list[tuple[int, str]]]:
    """Node -> (link, node at its other end)."""
    owner = {interface.name: interface.node for interface in plan.interfaces()}
    return {
        node.name: [(interface.link, owner[interface.peer]) for interface in node.interfaces] for node in plan.nodes
    }


def _tree(name: str, neighbours: dict[str, list[tuple[int, str]]], seen: set[str], used: set[int]) -> list[str]:
    seen.add(name)
    branches: list[list[str]] = []
    for link, other in neighbours[name]:
        if other not in seen:
            used.add(link)
            branches.append(_tree(other, neighbours, seen, used))
    if not branches:
        return [name]
    lines = []
    for index, branch in enumerate(branches):
        first, last = index == 0, index == len(branches) - 1
        fork = ("──" if last else "┬─") if first else ("└─" if last else "├─")
        lead = f"{name} ─{fork} " if first else f"{' ' * len(name)}  {fork} "
        lines.append(lead + branch[0])
        lines += [f"{' ' * len(name)}  {' ' if last else '│'}  {line}" for line in branch[1:]]
    return lines
