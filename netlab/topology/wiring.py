"""Which interface is at which end of which link: every interface gets its name and its peer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from netlab.errors import NetlabError
from netlab.topology import values
from netlab.topology.mistakes import Mistakes
from netlab.topology.spec import NAME_LIMIT, End, Interface, Node, Overlay, Tag, Topology, Vlan

FIRST_PORT = {"host": 0, "router": 0, "switch": 1}
"""Mininet counts a host's interfaces from eth0 and a switch's from eth1, and so do we."""


@dataclass
class Port:
    """One interface in its place; ``spec`` is as written, or made for the link."""

    node: Node
    spec: Interface
    link: int
    """The cable that it is at; -1 for an overlay's."""
    peer: str = ""
    vlan: Vlan | None = None
    parent: str = ""
    bottom: str = ""
    tags: tuple[tuple[Tag, int], ...] = ()
    """What a VLAN interface's frames carry on the cable, outermost first."""
    overlay: Overlay | None = None

    @property
    def name(self) -> str:
        """The plain name."""
        return self.spec.name

    @property
    def name_at(self) -> str:
        """The end of the cable that its frames come by: its own, or of the port at the bottom of VLAN interfaces."""
        return self.bottom or self.name

    @property
    def bridged(self) -> bool:
        """Whether frames are forwarded by it: a switch's, unless it has an address, for the switch's tunnels."""
        return self.node.kind == "switch" and not self.spec.addresses


@dataclass
class Wiring:
    """All ports, by node (in the author's order) and by link."""

    ports: dict[str, list[Port]] = field(default_factory=dict)
    links: list[tuple[Port, Port]] = field(default_factory=list)
    declared: list[tuple[Node, Interface]] = field(default_factory=list)
    """Every interface that was written down, linked or not."""
    stations: dict[str, list[Port]] = field(default_factory=dict)
    """What has addresses, by node: ports, VLAN interfaces, ends of overlays."""
    vlans: dict[str, list[Port]] = field(default_factory=dict)
    """VLAN interfaces by node, what one lies on before it."""

    def all_stations(self) -> Iterator[Port]:
        """Every station, in node order."""
        for stations in self.stations.values():
            yield from stations

    def all_ports(self) -> Iterator[Port]:
        """Every port, in node order."""
        for ports in self.ports.values():
            yield from ports


def wire(topology: Topology, mistakes: Mistakes) -> Wiring:
    """The wiring, as far as it can be made; what is wrong is noted, and what depends on it is left out."""
    nodes = _nodes(topology, mistakes)
    pools = {name: _Pool(node, topology, mistakes) for name, node in nodes.items()}
    declared = [(node, interface) for node in nodes.values() for interface in node.interfaces]
    wiring = Wiring({name: [] for name in nodes}, declared=declared)
    for index, link in enumerate(topology.links):
        if _possible(topology, index, nodes, mistakes):
            a, b = pools[link.a.node].port(link.a, index), pools[link.b.node].port(link.b, index)
            if a and b:
                a.peer, b.peer = b.name, a.name
                wiring.links.append((a, b))
    for name, pool in pools.items():
        wiring.ports[name] = pool.in_order()
    _report_unlinked(topology, pools, mistakes)
    return wiring


def _nodes(topology: Topology, mistakes: Mistakes) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for node in topology.nodes:
        try:
            values.node_name(node.name, "node name")
        except NetlabError as error:
            mistakes.take(error, ("node", node.name))
            continue
        if node.name in nodes:
            mistakes.note(f"two nodes are called '{node.name}'", ("node", node.name), right="rename one")
        nodes.setdefault(node.name, node)
    if not nodes and not mistakes:
        mistakes.note("the topology has no nodes", right="it needs at least one, as 'h1: {}'")
    return nodes


def _possible(topology: Topology, index: int, nodes: dict[str, Node], mistakes: Mistakes) -> bool:
    link = topology.links[index]
    place = ("link", index)
    strangers = [end.node for end in (link.a, link.b) if end.node not in nodes]
    for name in strangers:
        right = values.known_nodes(list(nodes))
        mistakes.note(f"link {link} names '{name}', which is no node", place, right=right)
    if not strangers and link.a.node == link.b.node:
        mistakes.note(f"link {link} joins {link.a.node} to itself", place, right="a link joins two nodes")
        return False
    return not strangers


def has_vlans(node: Node) -> bool:
    """Whether a switch looks at VLAN tags."""
    return any(interface.vlan is not None for interface in node.interfaces)


class _Pool:
    """The interfaces of one node: those declared, and those made as links ask for them."""

    def __init__(self, node: Node, topology: Topology, mistakes: Mistakes) -> None:
        self.node, self.mistakes = node, mistakes
        self.ports: dict[str, Port] = {}
        self.declared = {values.plain_name(node.name, i.name): i for i in node.interfaces}
        ends = [end for link in topology.links for end in (link.a, link.b) if end.node == node.name]
        self.asked = {values.plain_name(node.name, end.interface) for end in ends if end.interface}
        self._check_declared()

    def _check_declared(self) -> None:
        names = [values.plain_name(self.node.name, i.name) for i in self.node.interfaces]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            where = (("interface", name), ("node", self.node.name))
            self.mistakes.note(f"{self.node.name} has two interfaces called '{name}'", *where, right="rename one")
        for name in self.declared:
            self._check_length(name, ("interface", name))

    def _check_length(self, name: str, place: tuple[str, object]) -> None:
        room = NAME_LIMIT - (len(name) - len(self.node.name))
        hint = f"'{self.node.name}' may have {room} characters at most" if room > 0 else "give it a shorter name"
        try:
            values.short(name, hint)
        except NetlabError as error:
            self.mistakes.take(error, place, ("node", self.node.name))

    def port(self, end: End, link: int) -> Port | None:
        """The port for one end of a link; None when its interface already has one."""
        name = values.plain_name(self.node.name, end.interface) if end.interface else self._free()
        if name in self.ports:
            other = self.ports[name].link + 1
            what = f"interface '{name}' is used by two links (the other is the file's link {other})"
            self.mistakes.note(what, ("link", link), right="an interface is the end of one link")
            return None
        if name not in self.declared:
            self._check_length(name, ("link", link) if end.interface else ("node", self.node.name))
        spec = self.declared.get(name, Interface(name))
        self.ports[name] = Port(self.node, _named(spec, name), link)
        return self.ports[name]

    def _free(self) -> str:
        """The next declared interface that no link has or asks for by name; else the next ``eth<n>``."""
        for name in self.declared:
            if name not in self.ports and name not in self.asked:
                return name
        number = FIRST_PORT[self.node.kind]
        while (name := f"{self.node.name}-eth{number}") in self.ports or name in self.asked:
            number += 1
        return name

    def in_order(self) -> list[Port]:
        """Declared interfaces as declared, then the others as their links came."""
        names = [name for name in self.declared if name in self.ports]
        return [self.ports[name] for name in (*names, *(n for n in self.ports if n not in self.declared))]


def _named(spec: Interface, name: str) -> Interface:
    return replace(spec, name=name)


def _report_unlinked(topology: Topology, pools: dict[str, _Pool], mistakes: Mistakes) -> None:
    """An interface without a link; not said when a link is wrong already, which may be the reason."""
    if mistakes:
        return
    for node, pool in pools.items():
        for name in pool.declared:
            if name not in pool.ports:
                end = name.removeprefix(f"{node}-")
                right = f"add a link, as '- {{ends: [\"{node}:{end}\", …]}}', or take the interface away"
                mistakes.note(f"interface '{name}' has no link", ("interface", name), ("node", node), right=right)
