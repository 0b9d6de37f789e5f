"""Benches: each takes nothing and gives rows; a bench that this machine cannot run raises Unavailable."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple


class Row(NamedTuple):
    """One thing measured. ``ratio`` is how many times better netlab did than the peer; 0 without a peer."""

    bench: str
    what: str
    value: float
    unit: str
    beside: str = ""
    """The peer and its figure, or the limit that is aimed at."""
    ratio: float = 0.0


BENCHES = {
    "help": "the CPU time of nlab --help",
    "codec": "headers parsed and built, beside scapy and dpkt",
    "sim": "packets through the simulated world",
    "fib": "lookups in each structure of routes, beside the plain list, for 2 to 100,000 routes",
    "sched": "a scheduler's turn with 2 to 4,096 flows",
    "picture": "from the first import to the first picture of lab 01",
    "live": "from record to pixel, in JupyterLab in a headless browser",
    "tcp": "live bulk throughput of our TCP to the kernel's and back, offload on and off, beside kernel to kernel",
    "sockets": "our blocking sockets and asyncio's streams over a veth, beside the kernel's",
    "up": "a star of 20 hosts in Mininet, beside stock Mininet, until every bridge port forwards",
}
"""name -> what it measures; its module is netlab.cli.benches.<name>, with a function ``rows()``."""


def bench_named(name: str) -> Callable[[], list[Row]]:
    """The bench's function."""
    rows: Callable[[], list[Row]] = import_module(f"netlab.cli.benches.{name}").rows
    return rows
