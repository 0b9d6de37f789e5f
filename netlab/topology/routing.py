"""Routes: what is on a node's own links, what its author wrote, and what the shortest path says.

A host sends everything else to the first router on its first link that has one. A router gets a route to every other
subnet by the fewest routers; of equal ways the one whose interface comes first. Between netlab's tables and a person
with a pencil there is nothing to guess.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

from netlab.errors import NetlabError
from netlab.topology import values
from netlab.topology.addressing import Addressing
from netlab.topology.mistakes import Mistakes
from netlab.topology.spec import Node, PlanRoute, PlanWay, Route
from netlab.topology.wiring import Port, Wiring

DEFAULT = "0.0.0.0/0"
Place = tuple[tuple[str, object], ...]


def longest_first(routes: Iterable[PlanRoute]) -> tuple[PlanRoute, ...]:
    """By the length of their prefixes, else as they come."""
    return tuple(sorted(routes, key=lambda route: -int(route.prefix.rpartition("/")[2])))


class Routing:
    """The routes of every node of one wiring."""

    def __init__(self, wiring: Wiring, addressing: Addressing, mistakes: Mistakes) -> None:
        self.wiring, self.addressing, self.mistakes = wiring, addressing, mistakes
        self.domain_of = {port.name: domain for domain in addressing.domains for port in domain.ports}
        # Asked for by every router about every domain, so worked out once.
        self._networks = {id(d): [str(network) for network in addressing.networks(d)] for d in addressing.domains}
        self._routers = {id(d): [p for p in d.ports if p.node.kind == "router"] for d in addressing.domains}

    def routes(self, node: Node) -> tuple[PlanRoute, ...]:
        """The node's table, longest prefix first; a switch has none but for its tunnels."""
        if not self.wiring.stations[node.name]:
            return ()
        routes = {route.prefix: route for route in (*self._connected(node), *self.written(node, node.routes))}
        found = self._to_everywhere(node) if node.kind == "router" else self._to_first_router(node)
        for route in found:
            routes.setdefault(route.prefix, route)
        return longest_first(routes.values())

    def _connected(self, node: Node) -> list[PlanRoute]:
        ports = self.wiring.stations[node.name]
        networks = [(address.network, port.name) for port in ports for address in self.addressing.addresses[port.name]]
        return [PlanRoute(str(network), "", name) for network, name in reversed(dict(reversed(networks)).items())]

    def written(self, node: Node, written: tuple[Route, ...], *table: int) -> list[PlanRoute]:
        """The author's routes, each with its interface; ``table`` is the number of another table than the main one."""
        routes = []
        for index, route in enumerate(written):
            place = (("route", (node.name, *table, index)), ("node", node.name))
            try:
                prefix = values.prefix(route.prefix, f"prefix of a route of {node.name}")
                via = values.address(route.via, f"via of a route of {node.name}")
            except NetlabError as error:
                self.mistakes.take(error, *place)
                continue
            port = self._neighbour(node, via, place)
            if port is not None:
                also = tuple(self._ways(node, route, place))
                routes.append(PlanRoute(prefix, via, port.name, route.weight, also))
        return routes

    def _ways(self, node: Node, route: Route, place: Place) -> Iterator[PlanWay]:
        seen = {route.via}
        for weight in (route.weight, *(way.weight for way in route.also)):
            if not 1 <= weight <= values.WEIGHT_LIMIT:
                right = f"it is a number from 1 to {values.WEIGHT_LIMIT}"
                self.mistakes.note(f"a way of {node.name} has the weight {weight}", *place, right=right)
        for way in route.also:
            try:
                via = values.address(way.via, f"via of a way of {node.name}")
            except NetlabError as error:
                self.mistakes.take(error, *place)
                continue
            if via in seen:
                self.mistakes.note(f"a route of {node.name} has two ways via {via}", *place, right="give one a weight")
            seen.add(via)
            port = self._neighbour(node, via, place)
            if port is not None:
                yield PlanWay(via, port.name, way.weight)

    def _neighbour(self, node: Node, via: str, place: Place) -> Port | None:
        port = self._towards(node, IPv4Address(via))
        if port is None:
            what = f"a route of {node.name} goes via {via}, which is on none of its links"
            self.mistakes.note(what, *place, right=f"{node.name} is on {self._own_networks(node)}")
        return port

    def _towards(self, node: Node, via: IPv4Address) -> Port | None:
        for port in self.wiring.stations[node.name]:
            if any(via in address.network for address in self.addressing.addresses[port.name]):
                return port
        return None

    def _own_networks(self, node: Node) -> str:
        return ", ".join(route.prefix for route in self._connected(node)) or "no network"

    def _to_first_router(self, node: Node) -> list[PlanRoute]:
        for port in self.wiring.stations[node.name]:
            for other in self.domain_of[port.name].ports:
                if other.node.kind == "router":
                    return [PlanRoute(DEFAULT, self._address(other, port), port.name)]
        return []

    def _address(self, port: Port, seen_from: Port) -> str:
        """The address of ``port`` that is in a subnet of the port that looks at it."""
        networks = [address.network for address in self.addressing.addresses[seen_from.name]]
        addresses = self.addressing.addresses[port.name]
        return str(next((a.ip for a in addresses if a.network in networks), addresses[0].ip))

    def _to_everywhere(self, node: Node) -> list[PlanRoute]:
        """Breadth first over routers: the first way found to a subnet is a shortest one."""
        routes: list[PlanRoute] = []
        reached: dict[str, PlanRoute | None] = {node.name: None}
        queue = deque([node.name])
        seen: set[str] = set()
        while queue:
            router = queue.popleft()
            first = reached[router]
            for port in self.wiring.stations[router]:
                domain = id(self.domain_of[port.name])
                for network in self._networks[domain]:
                    if first and network not in seen:
                        routes.append(PlanRoute(network, first.via, first.interface))
                    seen.add(network)
                for other in self._routers[domain]:
                    if other.node.name not in reached:
                        reached[other.node.name] = first or PlanRoute("", self._address(other, port), port.name)
                        queue.append(other.node.name)
        return routes
