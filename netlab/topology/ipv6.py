"""IPv6 in a plan: beside every IPv4 address one that reads alike, and routes the same way.

Domain n has fd00:<n>::/64, and the interface whose IPv4 address ends in .7 has ::7 in it, digit by digit: so
10.0.2.254 goes with fd00:2::254. With "slaac" a host's address is what it will make of its router's advertisement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv6Address, IPv6Interface, IPv6Network
from typing import cast

from netlab.errors import NetlabError
from netlab.topology import values
from netlab.topology.addressing import Addressing, Domain
from netlab.topology.mistakes import Mistakes
from netlab.topology.routing import DEFAULT, Routing, longest_first
from netlab.topology.spec import Plan, PlanNode, PlanRoute
from netlab.topology.wiring import Port, Wiring

MINIMUM_MTU = 1280
"""RFC 8200 §5."""
_LINK_LOCAL = 0xFE80 << 112
Six = dict[str, tuple[IPv6Interface, ...]]


def with_ipv6(plan: Plan, wiring: Wiring, addressing: Addressing, macs: Mapping[str, str], mistakes: Mistakes) -> Plan:
    """The plan with the IPv6 addresses that were written, or for every interface where the topology asks for it."""
    six = _addresses(wiring, addressing, macs, mistakes)
    if not six or mistakes:
        return plan
    routing = _routing(wiring, addressing, six, mistakes)
    slaac = mistakes.topology.ipv6 == "slaac"
    routers = {str(address.ip): macs[name] for name, held in six.items() for address in held}
    nodes = []
    for node, spec in zip(plan.nodes, mistakes.topology.nodes, strict=True):
        routes = tuple(_route(route, routers, slaac and node.kind == "host") for route in routing.routes(spec))
        nodes.append(_node(node, six, routes))
    return replace(plan, nodes=tuple(nodes), ipv6=mistakes.topology.ipv6 or "static")


def _node(node: PlanNode, six: Six, routes: tuple[PlanRoute, ...]) -> PlanNode:
    def both(name: str, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return (*addresses, *map(str, six.get(name, ())))

    return replace(
        node,
        interfaces=tuple(replace(i, addresses=both(i.name, i.addresses)) for i in node.interfaces),
        vlans=tuple(replace(v, addresses=both(v.name, v.addresses)) for v in node.vlans),
        vteps=tuple(replace(v, addresses=both(v.name, v.addresses)) for v in node.vteps),
        routes=(*node.routes, *longest_first(routes)),
    )


def _route(route: PlanRoute, macs: Mapping[str, str], slaac: bool) -> PlanRoute:
    """A route as IPv6 has it. A router that advertises itself is known by its link-local address."""
    prefix = "::/0" if route.prefix == DEFAULT else route.prefix
    via = str(IPv6Address(_LINK_LOCAL | _interface_id(macs[route.via]))) if slaac and route.via else route.via
    return PlanRoute(prefix, via, route.interface)


# ---- addresses ------------------------------------------------------------------------------------


def _addresses(wiring: Wiring, addressing: Addressing, macs: Mapping[str, str], mistakes: Mistakes) -> Six:
    six = _written(wiring, mistakes)
    mode = mistakes.topology.ipv6
    for number, domain in enumerate(addressing.domains, start=1):
        if mode == "slaac" and not any(port.node.kind == "router" for port in domain.ports):
            names = ", ".join(port.name for port in domain.ports)
            mistakes.note(f"nobody advertises a prefix to {names}", right="slaac needs a router on each set of links")
        for port in domain.ports:
            if mode and port.name not in six:
                six[port.name] = (_chosen(port, domain, number, addressing, macs, mode),)
    _check_mtus(wiring, six, mistakes)
    return six


def _written(wiring: Wiring, mistakes: Mistakes) -> Six:
    six: Six = {}
    owners: dict[IPv6Address, str] = {}
    for node, interface in wiring.declared:
        name = values.plain_name(node.name, interface.name)
        for text in (text for text in interface.addresses if ":" in text):
            place = (("address", (name, text)), ("interface", name), ("node", node.name))
            try:
                address = IPv6Interface(values.cidr(text, f"address of {name}"))
            except NetlabError as error:
                mistakes.take(error, *place)
                continue
            if owners.setdefault(address.ip, name) != name:
                what = f"{name} has the address {address.ip}, which {owners[address.ip]} has too"
                mistakes.note(what, *place, right="an address belongs to one interface")
            six[name] = (*six.get(name, ()), address)
    return six


def _chosen(
    port: Port, domain: Domain, number: int, addressing: Addressing, macs: Mapping[str, str], mode: str
) -> IPv6Interface:
    network = IPv6Network((0xFD00 << 112 | _alike(number) << 96, 64))
    if mode == "slaac" and port.node.kind == "host":
        host = _interface_id(macs[port.name])
    else:
        host = _alike(int(addressing.addresses[port.name][0].ip) - int(domain.network.network_address))
    return IPv6Interface((int(network.network_address) | host, 64))


def _alike(number: int) -> int:
    """A number whose hex digits are the decimal digits of another: 254 gives 0x254."""
    return int(str(number), 16)


def _check_mtus(wiring: Wiring, six: Six, mistakes: Mistakes) -> None:
    for port in wiring.all_stations():
        if port.name in six and 0 < port.spec.mtu < MINIMUM_MTU:
            what = f"{port.name} has an MTU of {port.spec.mtu} B, and IPv6 needs {MINIMUM_MTU} B"
            spots = (("interface", port.name), ("node", port.node.name))
            mistakes.note(what, *spots, right=f"give it {MINIMUM_MTU} B or more, or leave IPv6 out")


# ---- routes ---------------------------------------------------------------------------------------


def _routing(wiring: Wiring, addressing: Addressing, six: Six, mistakes: Mistakes) -> Routing:
    """The routes of IPv4's algorithm over the stations that have IPv6; of what an author writes none are IPv6."""
    stations = {node: [port for port in ports if port.name in six] for node, ports in wiring.stations.items()}
    domains = [Domain([port for port in domain.ports if port.name in six]) for domain in addressing.domains]
    seen = Addressing(domains, addressing.overlays, cast("dict[str, tuple[object, ...]]", six))  # type: ignore[arg-type]
    return _Routing6(replace(wiring, stations=stations), seen, mistakes)


class _Routing6(Routing):
    def written(self, *args: object) -> list[PlanRoute]:
        return []


def _interface_id(mac: str) -> int:
    """What a host makes of its MAC address: the modified EUI-64 (RFC 4291 appendix A; `wire` is no room of ours)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return int.from_bytes(bytes((octets[0] ^ 2,)) + octets[1:3] + b"\xff\xfe" + octets[3:], "big")
