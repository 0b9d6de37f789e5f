"""A topology file for stock Mininet: ``topos = {"star": in_mininet(star)}`` is what ``mn --custom`` looks for.

The Topo is made of the same plan as everything else, so names, addresses and routes are the same. Mininet is imported
only when `mn` calls for a topology.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan, PlanLink, PlanNode, PlanRoute, Topology
from netlab.units import MS

Pairs = Sequence[tuple[str, str]]


def in_mininet(function: Callable[..., Topology]) -> Callable[..., Any]:
    """A function with the same arguments that returns Mininet's Topo."""

    def topo(*args: Any, **kwargs: Any) -> Any:
        return mininet_topo(resolve(function(*args, **kwargs)))

    return topo


def mininet_topo(plan: Plan) -> Any:
    """The plan as a `mininet.topo.Topo`."""
    from mininet.topo import Topo

    topo = Topo()
    for node in plan.nodes:
        if node.kind == "switch":
            topo.addSwitch(node.name)
        else:
            topo.addHost(node.name, cls=_host_class(), **_host_options(node))
    for link in plan.links:
        _add_link(topo, plan, link)
    return topo


def _host_options(node: PlanNode) -> dict[str, Any]:
    routes = [(route.prefix, _next_hops(route)) for route in node.routes if route.via]
    return {"ip": None, "forwards": node.kind == "router", "routes": routes, "policy": _policy(node)}


def _next_hops(route: PlanRoute) -> str:
    """As `ip route` takes it."""
    if not route.also:
        return f"via {route.via}"
    ways = [(route.via, route.weight), *((way.via, way.weight) for way in route.also)]
    return " ".join(f"nexthop via {via} weight {weight}" for via, weight in ways)


def _policy(node: PlanNode) -> list[str]:
    """The commands that make the node's tables and rules; a rule whose table has no route ends as "unreachable"."""
    commands = [f"route add {r.prefix} table {t.number} {_next_hops(r)}" for t in node.tables for r in t.routes]
    for rule in node.rules:
        fits = f"pref {rule.priority} from {rule.source or 'all'}"
        fits += f" iif {rule.iif}" if rule.iif else ""
        fits += f" fwmark {rule.mark}" if rule.mark else ""
        commands += [f"rule add {fits} lookup {rule.table or 'main'}", f"rule add {fits} unreachable"]
    return commands


def _add_link(topo: Any, plan: Plan, link: PlanLink) -> None:
    a, b = plan.interface(link.a), plan.interface(link.b)
    sides: dict[str, Any] = {}
    for number, end in (("1", a), ("2", b)):
        sides |= {f"intfName{number}": end.name, f"addr{number}": end.mac}
        sides[f"params{number}"] = {"ip": end.addresses[0]} if end.addresses else {}
    topo.addLink(a.node, b.node, **sides, **_limits(link))


def _limits(link: PlanLink) -> dict[str, Any]:
    """What Mininet's TCLink calls rate, delay, loss and queue; nothing for a plain cable."""
    limits: dict[str, Any] = {}
    if link.rate:
        limits["bw"] = link.rate / 10**6
    if link.delay:
        limits["delay"] = f"{link.delay / MS}ms"
    if link.loss:
        limits["loss"] = link.loss * 100
    if link.queue and link.queue.unit == "packets":
        limits["max_queue_size"] = link.queue.n
    if limits:
        from mininet.link import TCLink

        limits["cls"] = TCLink
    return limits


def _host_class() -> type[Any]:
    from mininet.node import Node

    class PlannedHost(Node):  # type: ignore[misc]  # Mininet has no types
        """A host or router that takes its routes from the plan, once its links are up."""

        def config(self, forwards: bool = False, routes: Pairs = (), policy: Sequence[str] = (), **params: Any) -> Any:
            done = super().config(**params)
            self.cmd(f"sysctl -qw net.ipv4.ip_forward={int(forwards)}")
            for prefix, via in routes:
                self.cmd("ip route replace", prefix, via)
            for command in policy:
                self.cmd("ip", command)
            return done

    return PlannedHost
