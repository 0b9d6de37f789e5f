"""A planned node's IPv6: addresses and routes from the plan, or from what its routers advertise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.fib import Route
from netlab.stack.ip6 import router
from netlab.stack.ip6.state import Address6, is_link_local
from netlab.topology.spec import Plan, PlanNode
from netlab.wire.address import parse_cidr, parse_ipv6
from netlab.wire.icmpv6 import Prefix

if TYPE_CHECKING:
    from netlab.stack.host import Host


def configure6(host: Host, node: PlanNode, plan: Plan) -> None:
    """Nothing for a plan without IPv6, or a switch; with "slaac" a router begins to advertise, a host to ask."""
    if not plan.ipv6 or node.kind == "switch":
        return
    inet6 = host.inet6
    inet6.enable(host.interfaces.values())
    if plan.ipv6 == "slaac" and node.kind == "host":
        inet6.autoconfigured.update(host.interfaces)
    else:
        _addresses(host, node)
    if plan.ipv6 == "slaac" and node.kind == "router":
        for name, held in inet6.held.items():
            prefixes = [Prefix(a.network, a.prefix) for a in held if not is_link_local(a.address)]
            inet6.advertised[name] = router.advertisement(host.interfaces[name], *prefixes)
    router.start(host)


def _addresses(host: Host, node: PlanNode) -> None:
    stations = [(i.name, i.addresses) for i in node.interfaces] + [(v.name, v.addresses) for v in node.vlans]
    for name, addresses in (*stations, *((v.name, v.addresses) for v in node.vteps)):
        for address in _six(addresses):
            host.inet6.add(host.interfaces[name], address.address, address.prefix)
    for route in node.routes:
        if ":" in route.prefix:
            [prefix] = _six((route.prefix,))
            via = parse_ipv6(route.via) if route.via else 0
            host.inet6.fib.add(Route(prefix.address, prefix.prefix, via, route.interface))


def _six(texts: tuple[str, ...]) -> list[Address6]:
    return [Address6(c.address, c.length) for c in map(parse_cidr, texts) if c.version == 6]
