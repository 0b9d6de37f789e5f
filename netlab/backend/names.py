"""From the names that people use to addresses, in a plan."""

from __future__ import annotations

from netlab.errors import BadInput
from netlab.topology.spec import Plan, PlanNode


def node_named(plan: Plan, name: str) -> PlanNode:
    """The node of that name; BadInput lists the ones that there are."""
    try:
        return plan.node(name)
    except KeyError:
        names = ", ".join(n.name for n in plan.nodes)
        raise BadInput(f"'{name}' is no node", where=plan.name, right=f"nodes are {names}") from None


def address_of(plan: Plan, name: str) -> str:
    """A node's first address, or ``name`` itself when it is an address already."""
    if name[:1].isdigit():
        return name
    addresses = node_named(plan, name).addresses
    if not addresses:
        raise BadInput(f"'{name}' has no address, so nothing can be sent to it", where=plan.name)
    return addresses[0]
