"""What is wrong with how an interface is to steer its packets to its rings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from netlab.errors import NetlabError
from netlab.topology import values
from netlab.topology.mistakes import Mistakes
from netlab.topology.spec import HashKey, Interface, Node, Protocol, RingFilter, Spread, Steer


def check_steering(node: Node, interface: Interface, mistakes: Mistakes) -> None:
    """Note every ring that is not there, and every value that cannot be."""
    if interface.steering is None:
        return
    name = values.plain_name(node.name, interface.name)
    place = (("steering", name), ("interface", name), ("node", node.name))
    for what, right in _faults(interface.steering, interface.queues):
        mistakes.note(f"steering of {name} {what}", *place, right=right)
    for each in interface.steering.filters:
        for address in filter(None, (each.src, each.dst)):
            try:
                values.address(address, f"a filter of {name}")
            except NetlabError as error:
                mistakes.take(error, *place)


def _faults(said: Steer, queues: int) -> Iterator[tuple[str, str]]:
    if queues == 1:
        yield "has one ring to choose from", "give the interface more, as 'queues: 4'"
    for value, words, what in ((said.key, get_args(HashKey), "key"), (said.spread, get_args(Spread), "spread")):
        if value not in words:
            yield f"has the {what} '{value}'", f"it may be {', '.join(words)}"
    if said.weights and (len(said.weights) != queues or sum(said.weights) < 1 or min(said.weights) < 0):
        yield f"has {len(said.weights)} weights", f"there is one for each of the {queues} rings, not all of them 0"
    for each in said.filters:
        yield from _filter_faults(each, queues)


def _filter_faults(said: RingFilter, queues: int) -> Iterator[tuple[str, str]]:
    if not 0 <= said.ring < queues:
        yield f"has a filter to ring {said.ring}", f"rings are 0 to {queues - 1}"
    if said.proto not in ("", *get_args(Protocol)):
        yield f"has a filter for '{said.proto}'", f"it may be {', '.join(get_args(Protocol))}"
    if not all(0 <= port <= 65535 for port in (said.src_port, said.dst_port)):
        yield "has a filter for a port that is none", "ports are 1 to 65535"
