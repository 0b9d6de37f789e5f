"""Who shares a wire, and under which addresses.

A *domain* is what one broadcast reaches: the interfaces of hosts and routers that links, switches and overlays join,
VLAN by VLAN. Domain n (in the order of links) gets 10.0.n.0/24, or 10.n.0.0/16 when that is too small, unless an
address is written in it, whose network it then is. In a domain, hosts count up from .1 and routers count down from
.254, so that ".254 is the way out" holds in every drawing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from netlab.errors import NetlabError
from netlab.topology import values
from netlab.topology.broadcast import Broadcasts, Spot
from netlab.topology.mistakes import Mistakes
from netlab.topology.spec import Overlay, Topology
from netlab.topology.wiring import Port, Wiring


@dataclass
class Domain:
    """Ports that share a wire; ``network`` is the subnet of their first addresses, ``asked`` what an overlay wants."""

    ports: list[Port] = field(default_factory=list)
    asked: str = ""
    network: IPv4Network = field(default_factory=lambda: IPv4Network("10.0.0.0/24"))


@dataclass
class Addressing:
    """Addresses by plain interface name, and the domains."""

    domains: list[Domain]
    overlays: tuple[Overlay, ...] = ()
    addresses: dict[str, tuple[IPv4Interface, ...]] = field(default_factory=dict)

    def networks(self, domain: Domain) -> list[IPv4Network]:
        """Every subnet of a domain, the first first."""
        return list(dict.fromkeys(a.network for port in domain.ports for a in self.addresses[port.name]))


def assign(wiring: Wiring, mistakes: Mistakes) -> Addressing:
    """An address for every interface of a host or router; what is wrong with the written ones is noted."""
    written = _written(wiring, mistakes)
    _check_loops(wiring, mistakes)
    overlays = mistakes.topology.overlays
    addressing = Addressing([] if mistakes else _domains(wiring, overlays, mistakes), overlays)
    if not mistakes:
        _choose_networks(addressing.domains, written, mistakes)
    if not mistakes:
        for domain in addressing.domains:
            _fill(domain, written, addressing, mistakes)
    return addressing


def _written(wiring: Wiring, mistakes: Mistakes) -> dict[str, tuple[IPv4Interface, ...]]:
    found: dict[str, tuple[IPv4Interface, ...]] = {}
    owners: dict[IPv4Address, str] = {}
    for node, interface in wiring.declared:
        name = values.plain_name(node.name, interface.name)
        good: list[IPv4Interface] = []
        for text in (text for text in interface.addresses if ":" not in text):  # IPv6 has its own turn
            place = (("address", (name, text)), ("interface", name), ("node", node.name))
            try:
                address = IPv4Interface(values.cidr(text, f"address of {name}"))
            except NetlabError as error:
                mistakes.take(error, *place)
                continue
            if address.ip in owners:
                what = f"{name} has the address {address.ip}, which {owners[address.ip]} has too"
                mistakes.note(what, *place, right="an address belongs to one interface")
            owners.setdefault(address.ip, name)
            good.append(address)
        if node.kind == "switch" and good and not _tunnels(node.name, mistakes.topology):
            what = f"switch {node.name} has an address on {name}"
            spots = (("interface", name), ("node", node.name))
            mistakes.note(what, *spots, right="a switch forwards frames and has none; make it a router")
        found[name] = tuple(good)
    return {**{port.name: () for port in (*wiring.all_ports(), *wiring.all_stations())}, **found}


def _tunnels(switch: str, topology: Topology) -> bool:
    """Whether a switch is in an overlay, and so may have an address that its tunnels begin at."""
    return any(switch in overlay.members for overlay in topology.overlays)


def _check_loops(wiring: Wiring, mistakes: Mistakes) -> None:
    """A loop of switches is noted."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for a, b in wiring.links:
        one, two = (find(_wire_of(port)) for port in (a, b))
        if one == two and a.bridged and b.bridged:
            what = f"the link {a.node.name}-{b.node.name} closes a loop of switches, where a broadcast circles for ever"
            mistakes.note(what, ("link", a.link), right="take one link of the loop away")
        leader[max(one, two)] = min(one, two)


def _domains(wiring: Wiring, overlays: tuple[Overlay, ...], mistakes: Mistakes) -> list[Domain]:
    """Domains in the order of the links that begin them, then of overlays; a loop by way of an overlay is noted."""
    broadcasts = Broadcasts(wiring, overlays)
    at: dict[Spot, list[Port]] = {}
    for port in wiring.all_stations():
        at.setdefault(_spot(port), []).append(port)
    links = [_spot(port) for pair in wiring.links for port in _on_ports(pair, wiring)]
    order = {port.name: index for index, port in enumerate(wiring.all_stations())}
    domains: list[Domain] = []
    seen: set[Spot] = set()
    for start in (*links, *(("overlay", o.name, ()) for o in overlays)):
        if start in seen:
            continue
        reach = broadcasts.reach(start)
        seen.update(reach.spots)
        joined = [o for o in overlays if ("overlay", o.name, ()) in reach.spots]
        if reach.loops and joined:
            what = f"overlay {joined[0].name} closes a loop of switches, where a broadcast circles for ever"
            mistakes.note(what, ("overlay", joined[0].name), right="join its switches one way only")
        ports = [port for spot in reach.spots for port in at.pop(spot, ())]
        ports.sort(key=lambda port: order[port.name])
        asked = next((o.network for o in joined if o.network), "")
        domains += [Domain(some, asked) for some in _mutual(ports, broadcasts)]
    return domains


def _mutual(ports: list[Port], broadcasts: Broadcasts) -> list[list[Port]]:
    """The ports in groups that hear each other both ways, which is not all where ports of one cable disagree."""
    if not any(broadcasts.aware.values()):
        return [ports] if ports else []
    heard = {port.name: broadcasts.heard(port) for port in ports}
    groups: list[list[Port]] = []
    for port in ports:
        for group in groups:
            first = group[0]
            if (port.name_at, port.tags) in heard[first.name] and (first.name_at, first.tags) in heard[port.name]:
                group.append(port)
                break
        else:
            groups.append([port])
    return groups


def _spot(port: Port) -> Spot:
    """Where an interface sends its frames to."""
    if port.overlay is not None:
        return ("overlay", port.overlay.name, ())
    return ("cable", port.link, port.tags)


def _on_ports(pair: tuple[Port, Port], wiring: Wiring) -> Iterator[Port]:
    """The two ends of a cable, and the VLAN interfaces on them."""
    for port in pair:
        yield port
        yield from (s for s in wiring.stations[port.node.name] if s.vlan and s.link == port.link)


def _wire_of(port: Port) -> str:
    """What a port is joined by: the whole switch, or its own end of a cable."""
    return port.node.name if port.bridged else port.name


def _choose_networks(domains: list[Domain], written: dict[str, tuple[IPv4Interface, ...]], mistakes: Mistakes) -> None:
    taken: list[IPv4Network] = []
    for domain in domains:
        first = next((written[port.name][0] for port in domain.ports if written[port.name]), None)
        if first is not None:
            domain.network = first.network
            _check_subnet(domain, first, written, mistakes)
            _check_overlap(domain, taken, written, mistakes)
            _check_asked(domain, first, mistakes)
            taken.append(first.network)
    taken += [address.network for addresses in written.values() for address in addresses]
    for number, domain in enumerate(domains, start=1):
        if not any(written[port.name] for port in domain.ports):
            free = (free for free in _networks(number, len(domain.ports)) if not any(free.overlaps(t) for t in taken))
            domain.network = _asked(domain, taken, mistakes) if domain.asked else next(free)
            taken.append(domain.network)


def _asked(domain: Domain, taken: list[IPv4Network], mistakes: Mistakes) -> IPv4Network:
    """The subnet that the domain's overlay wants; noted when it is in use."""
    network = IPv4Network(domain.asked)
    other = next((each for each in taken if each.overlaps(network)), None)
    overlay = next(o for o in mistakes.topology.overlays if o.network == domain.asked)
    if other is not None:
        what = f"overlay {overlay.name} asks for {network}, but {other} is in use elsewhere"
        mistakes.note(what, ("overlay", overlay.name), right="give it a subnet of its own")
    return network


def _check_asked(domain: Domain, first: IPv4Interface, mistakes: Mistakes) -> None:
    if domain.asked and IPv4Network(domain.asked) != first.network:
        overlay = next(o for o in mistakes.topology.overlays if o.network == domain.asked)
        what = f"overlay {overlay.name} asks for {domain.asked}, but {first} is written on an interface in it"
        mistakes.note(what, ("overlay", overlay.name), right="leave one of them out")


def _networks(number: int, ports: int) -> Iterator[IPv4Network]:
    """10.0.<number>.0/24 and the ones behind it; 10.<number>.0.0/16 and on when the ports are more than it holds."""
    length = 24 if ports <= 254 else 16
    size = 2 ** (32 - length)
    for n in range(number, 2**24 // size):
        yield IPv4Network((int(IPv4Address("10.0.0.0")) + n * size, length))


def _check_subnet(
    domain: Domain, first: IPv4Interface, written: dict[str, tuple[IPv4Interface, ...]], mistakes: Mistakes
) -> None:
    for port in domain.ports:
        for address in written[port.name][:1]:
            if address.network != first.network:
                what = f"{port.name} has the address {address}, outside of {first.network}, its link's subnet"
                place = (("address", (port.name, str(address))), ("interface", port.name), ("node", port.node.name))
                mistakes.note(what, *place, right=f"give it one of {first.network}, with /{first.network.prefixlen}")


def _check_overlap(
    domain: Domain, taken: list[IPv4Network], written: dict[str, tuple[IPv4Interface, ...]], mistakes: Mistakes
) -> None:
    other = next((network for network in taken if network.overlaps(domain.network)), None)
    port = next(port for port in domain.ports if written[port.name])
    if other is not None:
        what = f"{port.name} is in {domain.network}, but {other} is already on links that nothing joins to this one"
        place = (
            ("address", (port.name, str(written[port.name][0]))),
            ("interface", port.name),
            ("node", port.node.name),
        )
        mistakes.note(what, *place, right="give each set of joined links a subnet of its own")


def _fill(
    domain: Domain, written: dict[str, tuple[IPv4Interface, ...]], addressing: Addressing, mistakes: Mistakes
) -> None:
    size, base = domain.network.num_addresses, int(domain.network.network_address)
    used = {int(address.ip) for port in domain.ports for address in written[port.name]}
    inside = range(base, base + size) if size <= 2 else range(base + 1, base + size - 1)
    up = (n for n in inside if n not in used)
    down = (n for n in reversed(inside) if n not in used)
    for port in domain.ports:
        if written[port.name]:
            addressing.addresses[port.name] = written[port.name]
            continue
        number = next(down if port.node.kind == "router" else up, None)
        if number is None or number in used:
            what = f"{domain.network} has no address left for {port.name}: it holds {len(inside)} interfaces"
            right = "write an address of a larger subnet on one of them, as 10.1.0.1/16"
            mistakes.note(what, ("node", port.node.name), right=right)
            return
        used.add(number)
        addressing.addresses[port.name] = (IPv4Interface((number, domain.network.prefixlen)),)
