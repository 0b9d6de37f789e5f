"""From the names that people use to addresses, in a plan."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.errors import BadInput
from netlab.topology.spec import Plan, PlanNode
from netlab.wire.address import parse_ipv4, parse_ipv6
from netlab.workload.spec import Bulk, Ping, UdpEcho, Workload


def node_named(plan: Plan, name: str) -> PlanNode:
    """The node of that name; BadInput lists the ones that there are."""
    try:
        return plan.node(name)
    except KeyError:
        names = ", ".join(n.name for n in plan.nodes)
        raise BadInput(f"'{name}' is no node", where=plan.name, right=f"nodes are {names}") from None


def address_of(plan: Plan, name: str, family: int = 4) -> str:
    """A node's first address of a family (4 or 6), or ``name`` itself when it is an address already."""
    if name[:1].isdigit() or ":" in name:
        return name
    addresses = node_named(plan, name).addresses
    if not addresses:
        raise BadInput(f"'{name}' has no address, so nothing can be sent to it", where=plan.name)
    chosen = [address for address in addresses if (":" in address) == (family == 6)]
    if not chosen:
        right = "write 'ipv6: true' in the topology" if family == 6 else ""
        raise BadInput(f"'{name}' has no IPv{family} address", where=plan.name, right=right)
    return chosen[0]


def destination(plan: Plan, workload: Ping | UdpEcho | Bulk) -> tuple[int, int]:
    """The family (4 or 6) and the address, as an int, that a workload sends to."""
    text = address_of(plan, workload.dst, workload.family)
    return (6, parse_ipv6(text)) if ":" in text else (4, parse_ipv4(text))


def owner(plan: Plan, dst: str) -> str:
    """The node that is meant by its name or by an address of it; "" for an address that nobody has."""
    return next((node.name for node in plan.nodes if dst in (node.name, *node.addresses)), "")


def sinks_of(plan: Plan, workloads: Sequence[Workload]) -> dict[tuple[str, int], str]:
    """The sinks that bulk transfers need: (node, port) -> congestion control, "" for the node's own.

    BadInput when two transfers want different ones of one sink.
    """
    sinks: dict[tuple[str, int], str] = {}
    for bulk in workloads:
        if not isinstance(bulk, Bulk) or not (server := owner(plan, bulk.dst)):
            continue
        first = sinks.setdefault((server, bulk.port), bulk.congestion)
        if first != bulk.congestion:
            raise BadInput(
                f"port {bulk.port} of '{server}' is to be '{first}' and '{bulk.congestion}' at once",
                where=plan.name,
                right="a port of its own for each congestion control",
            )
    return sinks
