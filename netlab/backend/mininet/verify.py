"""`verify`: the plan beside what the kernel says is in force. Pure: the reading back is `readback`'s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_interface
from typing import Any

from netlab.backend.base import Problem
from netlab.backend.mininet.devices import added_routes, asked, configured, device_mtu, is_bridge
from netlab.backend.mininet.policy import missing
from netlab.backend.mininet.qdisc import Discipline
from netlab.topology.spec import Plan, PlanInterface, PlanNode, PlanVtep
from netlab.units import format_rate, format_time

State = Mapping[str, Any]
_FORWARDING = 3
_PORT_STATES = {0: "disabled", 1: "listening", 2: "learning", 4: "blocking"}
_MEND = "open the network again"
_BURST_TOLERANCE = 0.01
"""The kernel keeps a bucket as time, in ticks of 64 ns; as bytes it comes back rounded."""


def differences(plan: Plan, state: State) -> tuple[Problem, ...]:
    """Every property that was asked for and is not in force."""
    plan = configured(plan)
    found: list[Problem] = []
    for node in plan.nodes:
        found += [Problem("refuse", node.name, said) for said in _node(node, state["nodes"])]
    for interface in plan.interfaces():
        there = state["interfaces"].get(interface.name)
        said = _interface(plan, interface, there) if there else iter([f"there is no such interface; {_MEND}"])
        found += [Problem("refuse", interface.name, sentence) for sentence in said]
    for vtep in (vtep for node in plan.nodes if node.stack == "kernel" for vtep in node.vteps):
        found += [Problem("refuse", vtep.name, said) for said in _vtep(vtep, state["interfaces"].get(vtep.name))]
    return tuple(found)


def _vtep(asked_for: PlanVtep, there: Mapping[str, Any] | None) -> Iterator[str]:
    if there is None:
        yield f"there is no such interface; {_MEND}"
        return
    if not there["up"]:
        yield f"it is down; 'ip link set {asked_for.name} up' in {asked_for.node} mends it"
    for what, wanted, found in (("MTU", asked_for.mtu, there["mtu"]), ("VXLAN", asked_for.vni, there["vni"])):
        if wanted != found:
            yield f"its {what} is {found}, asked for was {wanted}; {_MEND}"
    yield from _addresses(asked_for.addresses, there["addresses"])


def _node(node: PlanNode, nodes: Mapping[str, Any]) -> Iterator[str]:
    if is_bridge(node):
        return
    there = nodes[node.name]
    forwards = node.kind == "router" and node.stack == "kernel"
    if there["forwarding"] != forwards or (_has_ipv6(node) and there["forwarding6"] != forwards):
        yield f"its kernel {'does not forward' if forwards else 'forwards'}; {_MEND}"
    if node.stack == "kernel":
        known = {(route["prefix"], route["via"]) for route in there["routes"]}
        for route in added_routes(node):
            if (route.prefix, route.ways) not in known:
                yield f"the route to {route.prefix} by {route.ways or route.interface} is missing; {_MEND}"
        yield from (f"{said}; {_MEND}" for said in missing(node, there))


def _has_ipv6(node: PlanNode) -> bool:
    return node.stack == "kernel" and any(":" in address for address in node.addresses)


def _interface(plan: Plan, asked_for: PlanInterface, there: Mapping[str, Any]) -> Iterator[str]:
    node = plan.node(asked_for.node)
    if not there["up"]:
        yield f"it is down; 'ip link set {asked_for.name} up' in {node.name} mends it"
    yield from _values(asked_for, device_mtu(asked_for, node), there)
    if node.stack == "kernel" and asked_for.offload is not None:
        yield from _offloads(asked_for.offload, there["offload"])
    found = [a for a in there["addresses"] if plan.ipv6 != "slaac" or node.kind != "host" or ":" not in a]
    yield from _addresses(asked_for.addresses if node.stack == "kernel" else (), found)
    if is_bridge(node) and there["port_state"] != _FORWARDING:
        yield f"its bridge port is {_PORT_STATES.get(there['port_state'], 'no part of a bridge')}; {_MEND}"
    yield from _qdiscs(asked(plan, plan.links[asked_for.link], asked_for.name), there["qdiscs"])


def _offloads(asked_for: Sequence[str], there: Sequence[str]) -> Iterator[str]:
    """Who cuts must sum, so txcsum may be there unasked."""
    brought = {"txcsum"} if {"tso", "uso"} & set(asked_for) else set()
    for word in sorted(set(asked_for) - set(there)):
        yield f"its {word} is off, asked for was on; its device cannot do it: leave '{word}' out"
    for word in sorted(set(there) - set(asked_for) - brought):
        yield f"its {word} is on, asked for was off; {_MEND}"


def _values(asked_for: PlanInterface, mtu: int, there: Mapping[str, Any]) -> Iterator[str]:
    for what, wanted, found in (
        ("MTU", mtu, there["mtu"]),
        ("MAC address", asked_for.mac.lower(), there["mac"]),
        ("number of transmit queues", asked_for.queues, there["tx_queues"]),
        ("number of receive queues", asked_for.queues, there["rx_queues"]),
    ):
        if wanted != found:
            yield f"its {what} is {found}, asked for was {wanted}; {_MEND}"


def _addresses(wanted: Sequence[str], found: Sequence[str]) -> Iterator[str]:
    asked_for, there = {ip_interface(a) for a in wanted}, {ip_interface(a) for a in found}
    for address in sorted(asked_for - there, key=str):
        yield f"its address {address} is missing; {_MEND}"
    for address in sorted(there - asked_for, key=str):
        yield f"it has the address {address}, which was not asked for; {_MEND}"


def _qdiscs(wanted: Sequence[Discipline], found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    there = {d["kind"]: Discipline(**d) for d in found}
    for discipline in wanted:
        if discipline.kind not in there:
            yield f"{_says(discipline)} was asked for and is not in force (no {discipline.kind}); {_MEND}"
        elif not _same(discipline, there[discipline.kind]):
            yield f"it has {_says(there[discipline.kind])}, asked for was {_says(discipline)}; {_MEND}"
    for kind in there.keys() - {d.kind for d in wanted}:
        yield f"it has {_says(there[kind])}, which was not asked for; {_MEND}"


def _same(wanted: Discipline, found: Discipline) -> bool:
    if wanted.kind == "tbf":
        return wanted.rate == found.rate and abs(wanted.burst - found.burst) <= 1 + _BURST_TOLERANCE * wanted.burst
    if wanted.kind == "netem":
        return wanted.delay == found.delay and abs(wanted.loss - found.loss) < 1e-6
    if wanted.kind == "red":
        return wanted.mark == found.mark
    return wanted.limit == found.limit


def _says(d: Discipline) -> str:
    """The discipline as people say it."""
    match d.kind:
        case "tbf":
            return f"a rate of {format_rate(d.rate)} (bursts of {d.burst} B)"
        case "netem":
            return f"a delay of {format_time(d.delay)} and a loss of {d.loss:.4g}"
        case "red":
            return f"marking above {d.mark} B" if d.mark else "a red that does not mark"
        case "pfifo" | "bfifo":
            return f"a queue of {d.limit} {'packets' if d.kind == 'pfifo' else 'B'}"
    return f"the queueing discipline {d.kind}"
