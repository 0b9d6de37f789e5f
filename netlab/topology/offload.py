"""What is wrong with what the interfaces of a node are to cut, join and sum."""

from __future__ import annotations

from typing import get_args

from netlab.topology.mistakes import Mistakes
from netlab.topology.spec import Node, Offload, Offloads


def check_offload(node: Node, mistakes: Mistakes) -> None:
    """Note every word that is none, and LRO where frames or packets are passed on."""
    _check(node, node.offload, node.name, mistakes, ("node", node.name))
    for interface in node.interfaces:
        places = ("interface", interface.name), ("node", node.name)
        _check(node, interface.offload, interface.name, mistakes, *places)


def _check(node: Node, said: Offloads, of: str, mistakes: Mistakes, *places: tuple[str, object]) -> None:
    for word in said or ():
        if word not in get_args(Offload):
            mistakes.note(f"offload of {of} has '{word}'", *places, right=f"it may have {', '.join(get_args(Offload))}")
    if "lro" in (said or ()) and node.kind != "host":
        right = "what LRO joined cannot be sent on as it was; gro can be undone"
        mistakes.note(f"offload of {of} has 'lro', and {node.name} is a {node.kind}", *places, right=right)
