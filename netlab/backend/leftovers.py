"""What a host still holds when all should be over: an account of connections, deadlines and packets."""

from __future__ import annotations

import gc

from netlab.stack.holdings import held
from netlab.stack.host import Host
from netlab.stack.mbuf import Mbuf
from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.scoreboard import Sent


def left_by(host: Host) -> dict[str, int]:
    """What waits in the host, by name; empty when nothing does."""
    layer = host.tcp.layer
    ends = [endpoint.connection for endpoint in layer.endpoints.values()]
    found = {
        "connections": len(ends),
        "deadlines of TCP": sum(len(c.timers) for c in ends) + (layer.next_timer() is not None),
        "half-open connections": sum(len(listener.half_open) for listener in layer.listeners.values()),
        "connections that nobody accepted": sum(len(listener.ready) for listener in layer.listeners.values()),
    }
    for place, _ in held(host):
        found[place] = found.get(place, 0) + 1
    return {name: number for name, number in found.items() if number}


def alive() -> dict[str, int]:
    """Objects of the stack in this process that something refers to, whoever it is; empty when there are none.

    The garbage collector is asked, so that what hides in no table is found too.
    """
    gc.collect()
    kinds: dict[type, int] = dict.fromkeys((Mbuf, Connection, Sent), 0)
    for one in gc.get_objects():
        if type(one) in kinds:
            kinds[type(one)] += 1
    return {kind.__name__: number for kind, number in kinds.items() if number}
