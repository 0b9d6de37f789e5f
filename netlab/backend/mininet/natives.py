"""The nodes of an arena that run our own stack: a process each, inside the node, by `netlab.backend.native`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from netlab.backend.base import SlotFailure, Slots
from netlab.backend.mininet.arena import Arena, search_path
from netlab.backend.native.node import NativeNode, Rows
from netlab.topology.spec import Plan
from netlab.units import SEC
from netlab.workload.spec import Outcome, Workload, length

_PROCESS = (
    "import json, os, sys; sys.path[:0] = json.loads(os.environ.pop('NETLAB_PATH'));"
    " from netlab.backend.native.process import main; sys.exit(main(sys.argv[1:]))"
)
_GRACE = 20.0


class Natives:
    """Every node of the plan with ``stack: netlab``, at work. ``rows`` gets their records, in CLOCK_MONOTONIC ns."""

    def __init__(self, arena: Arena, plan: Plan, rows: Rows, slots: Slots, *, traced: bool = True) -> None:
        names = [node.name for node in plan.nodes if node.stack == "netlab"]
        with ThreadPoolExecutor(max(1, len(names))) as pool:  # each waits until its process is ready
            starting = [pool.submit(_start, arena, plan, name, rows, slots, traced) for name in names]
        self.nodes: dict[str, NativeNode] = {node.name: node for node in (one.result() for one in starting)}

    def __contains__(self, node: str) -> bool:
        return node in self.nodes

    def run(self, workload: Workload) -> Outcome:
        """Run a workload on the node that it names as its source."""
        return self.nodes[workload.src].run([workload], length(workload) / SEC + _GRACE)[0]

    def serve_udp_echo(self, node: str, port: int) -> None:
        """Have a UDP echo server on a node."""
        self.nodes[node].serve_udp_echo(port)

    def serve_bulk(self, node: str, port: int, congestion: str) -> Callable[[], None]:
        """Have a sink for TCP on a node; call what is returned when it is no longer needed."""
        at = self.nodes[node]
        at.open_sink(port, congestion)
        return lambda: at.close_sink(port)

    def flush(self) -> None:
        """Have every record so far delivered."""
        for node in self.nodes.values():
            node.flush()

    @property
    def failures(self) -> Mapping[str, Sequence[SlotFailure]]:
        """Node -> what went wrong in its slots."""
        return {name: node.failures for name, node in self.nodes.items() if node.failures}

    def close(self) -> None:
        """End them all."""
        for node in self.nodes.values():
            node.close()


def _start(arena: Arena, plan: Plan, name: str, rows: Rows, slots: Slots, traced: bool) -> NativeNode:
    import socket

    ours, theirs = socket.socketpair()
    argv = [sys.executable, "-I", "-S", "-c", _PROCESS, "{fd3}"]
    with theirs:
        arena.spawn(name, argv, [theirs.fileno()], env={**os.environ, "NETLAB_PATH": json.dumps(search_path())})
    devices = {i.name: arena.devices[i.name].kernel for i in plan.node(name).interfaces}
    own = {slot: call for (node, slot), call in slots.items() if node == name}
    return NativeNode(name, plan, devices, ours, base=0, rows=rows, slots=own, traced=traced)
