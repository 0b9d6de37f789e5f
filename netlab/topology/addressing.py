"""Who shares a wire, and under which addresses.

A *domain* is what one broadcast reaches: the interfaces of hosts and routers that links and switches join. Domain n
(in the order of links) gets 10.0.n.0/24 unless an address is written in it, whose network it then is. In a domain,
hosts count up from .1 and routers count down from .254, so that ".254 is the way out" holds in every drawing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from netlab.errors import NetlabError
from netlab.topology import values
from netlab.topology.mistakes import Mistakes
from netlab.topology.wiring import Port, Wiring


@dataclass
class Domain:
    """Ports that share a wire; ``network`` is the subnet of their first addresses."""

    ports: list[Port] = field(default_factory=list)
    network: IPv4Network = field(default_factory=lambda: IPv4Network("10.0.0.0/24"))


@dataclass
class Addressing:
    """Addresses by plain interface name, and the domains."""

    domains: list[Domain]
    addresses: dict[str, tuple[IPv4Interface, ...]] = field(default_factory=dict)

    def networks(self, domain: Domain) -> list[IPv4Network]:
        """Every subnet of a domain, the first first."""
        return list(dict.fromkeys(a.network for port in domain.ports for a in self.addresses[port.name]))


def assign(wiring: Wiring, mistakes: Mistakes) -> Addressing:
    """An address for every interface of a host or router; what is wrong with the written ones is noted."""
    written = _written(wiring, mistakes)
    addressing = Addressing(_domains(wiring, mistakes))
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
        for text in interface.addresses:
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
        if node.kind == "switch" and good:
            what = f"switch {node.name} has an address on {name}"
            spots = (("interface", name), ("node", node.name))
            mistakes.note(what, *spots, right="a switch forwards frames and has none; make it a router")
        found[name] = tuple(good)
    return {**{port.name: () for port in wiring.all_ports()}, **found}


def _domains(wiring: Wiring, mistakes: Mistakes) -> list[Domain]:
    """Domains in the order of the links that begin them; a loop of switches is noted."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for a, b in wiring.links:
        one, two = (find(_wire_of(port)) for port in (a, b))
        if one == two and {a.node.kind, b.node.kind} == {"switch"}:
            what = f"the link {a.node.name}-{b.node.name} closes a loop of switches, where a broadcast circles for ever"
            mistakes.note(what, ("link", a.link), right="take one link of the loop away")
        leader[max(one, two)] = min(one, two)
    domains: dict[str, Domain] = {}
    for pair in wiring.links:
        domain = domains.setdefault(find(_wire_of(pair[0])), Domain())
        domain.ports += [port for port in pair if port.node.kind != "switch"]
    return [_ordered(domain, wiring) for domain in domains.values()]


def _wire_of(port: Port) -> str:
    """What a port is joined by: the whole switch, or its own end of a cable."""
    return port.node.name if port.node.kind == "switch" else port.name


def _ordered(domain: Domain, wiring: Wiring) -> Domain:
    order = {port.name: index for index, port in enumerate(wiring.all_ports())}
    return Domain(sorted(domain.ports, key=lambda port: order[port.name]))


def _choose_networks(domains: list[Domain], written: dict[str, tuple[IPv4Interface, ...]], mistakes: Mistakes) -> None:
    taken: list[IPv4Network] = []
    for domain in domains:
        first = next((written[port.name][0] for port in domain.ports if written[port.name]), None)
        if first is not None:
            domain.network = first.network
            _check_subnet(domain, first, written, mistakes)
            _check_overlap(domain, taken, written, mistakes)
            taken.append(first.network)
    taken += [address.network for addresses in written.values() for address in addresses]
    for number, domain in enumerate(domains, start=1):
        if not any(written[port.name] for port in domain.ports):
            domain.network = next(free for free in _networks(number) if not any(free.overlaps(t) for t in taken))
            taken.append(domain.network)


def _networks(number: int) -> Iterator[IPv4Network]:
    """10.0.<number>.0/24 and the ones behind it."""
    for n in range(number, 2**16):
        yield IPv4Network((int(IPv4Address("10.0.0.0")) + n * 256, 24))


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
