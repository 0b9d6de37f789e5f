"""Where a host may keep packets: every place, in one table. Whoever makes a new one puts it here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from netlab.stack.mbuf import Mbuf

if TYPE_CHECKING:
    from netlab.stack.host import Host

PLACES: dict[str, Callable[[Host], list[Mbuf]]] = {
    "waiting for ARP": lambda host: host.neighbours.held(),
    "waiting for neighbour discovery": lambda host: host.inet6.neighbours.held(),
    "reassembly": lambda host: host.fragments.held(),
    "IPv6 reassembly": lambda host: host.fragments6.held(),
}


def held(host: Host) -> Iterator[tuple[str, Mbuf]]:
    """Every packet that waits in a host, with the name of its place."""
    return ((place, m) for place, look in PLACES.items() for m in look(host))
