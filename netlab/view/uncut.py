"""Frames longer than a wire's: what devices that cut for one another leave whole (TSO, GRO), and how that is said.

Between hosts whose devices are the kernel's own, a long TCP segment crosses the cable in one piece, with the length of
all its segments. A picture says so, lest anybody take it for a frame.
"""

from __future__ import annotations

from collections.abc import Mapping

from netlab.trace.log import Log
from netlab.wire import ethernet

TAGS = 8
"""Bytes of two VLAN tags, which come on top of the MTU."""


def mtus(log: Log) -> dict[str, int]:
    """The MTU of each interface of the log's network."""
    nodes = log.header.plan.get("nodes", ())
    return {interface["name"]: interface["mtu"] for node in nodes for interface in node["interfaces"]}


def uncut(known: Mapping[str, int], interface: str, length: int | None) -> str:
    """What is to be said of a frame at an interface; "" for one that a wire could carry."""
    most = known.get(interface, 0) + ethernet.SIZE
    if not length or most <= ethernet.SIZE or length <= most + TAGS:
        return ""
    return f"{length} B in one piece: no device on this cable cuts it to frames of {most} B"
