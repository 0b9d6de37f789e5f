"""A host: what it knows, and its graph of stages. Assembled here, in one visible table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from netlab.stack.bridge import FilteringDatabase, bridge_forward
from netlab.stack.ether import arp_input, arp_output, ether_input, ether_output, ifq, nic_rx, no_answer
from netlab.stack.fib import FIBS, Fib, Fibs, LinearFib, Route, Rule, Way, multipath
from netlab.stack.forward import SLOTS
from netlab.stack.fragment import ip_fragment, ip_reassemble
from netlab.stack.ifnet import Ifnet
from netlab.stack.interfaces import interfaces_of
from netlab.stack.ip import error, icmp_error, ip_forward, ip_input, ip_output
from netlab.stack.ip6.configure import configure6
from netlab.stack.ip6.fragment import ip6_fragment, ip6_reassemble
from netlab.stack.ip6.icmp import icmp6_input, icmp6_output
from netlab.stack.ip6.ip import icmp6_error, ip6_forward, ip6_input, ip6_output
from netlab.stack.ip6.neighbour import nd_input, nd_output
from netlab.stack.ip6.state import Inet6
from netlab.stack.mbuf import Mbuf
from netlab.stack.neighbours import Neighbours
from netlab.stack.pathmtu import PathMtus, path_mtus6
from netlab.stack.ratelimit import TokenBucket
from netlab.stack.reassembly import TIMEOUT6, Reassembly
from netlab.stack.segmentation import gro, gso
from netlab.stack.slot import SlotCall, SlotFailure
from netlab.stack.sockets import Receive
from netlab.stack.stage import Hop, Stage, drop
from netlab.stack.tcp.host import KEY, HostTcp, tcp_input, tcp_output
from netlab.stack.timers import Timers
from netlab.stack.transport import icmp_input, icmp_output, socket_deliver, udp_input, udp_output
from netlab.stack.vlan import VlanLink, vlan_input, vlan_output
from netlab.stack.vxlan import Vtep, vxlan_input, vxlan_output
from netlab.topology.spec import Plan, PlanNode, PlanRoute
from netlab.topology.spec import Rule as PlanRule
from netlab.wire import icmp
from netlab.wire.address import parse_cidr, parse_ipv4

if TYPE_CHECKING:
    import networkx

_FRAMES = (nic_rx, gro, ether_input)
_OUT = (arp_output, ether_output, gso, ifq)
_IP = (
    arp_input,
    ip_input,
    ip_reassemble,
    icmp_input,
    udp_input,
    tcp_input,
    socket_deliver,
    udp_output,
    tcp_output,
    icmp_output,
    icmp_error,
    ip_output,
    ip_fragment,
    ip6_input,
    ip6_reassemble,
    icmp6_input,
    nd_input,
    icmp6_error,
    icmp6_output,
    ip6_output,
    ip6_fragment,
    nd_output,
)

GRAPHS: dict[str, tuple[Stage, ...]] = {
    "host": (*_FRAMES, vlan_input, *_IP, vxlan_input, vxlan_output, *_OUT, vlan_output),
    "router": (*_FRAMES, vlan_input, *_IP, vxlan_input, vxlan_output, ip_forward, ip6_forward, *_OUT, vlan_output),
    "switch": (*_FRAMES, bridge_forward, gso, ifq),
}
"""The stages of each kind of node; "nic.tx", the device itself, belongs to the executor."""
_TUNNELLING = (*_FRAMES, bridge_forward, vlan_input, *_IP, vxlan_input, vxlan_output, *_OUT, vlan_output)
"""The stages of a switch at the end of an overlay: its tunnels go over IP."""


class Host:
    """One node's network stack. It never waits and reads no clock: an executor runs its stages and its timers."""

    def __init__(
        self,
        name: str,
        kind: str,
        interfaces: tuple[Ifnet, ...],
        routes: tuple[Route, ...],
        *,
        fibs: Fibs | None = None,
        ip_id: int = 0,
    ) -> None:
        self.name, self.kind = name, kind
        self.interfaces = {ifp.name: ifp for ifp in interfaces}
        held = [address for ifp in interfaces for address in ifp.addresses]
        self.addresses = frozenset(a.address for a in held)
        self.broadcasts = frozenset({0xFFFFFFFF, *(a.broadcast for a in held if a.prefix < 31)})
        self.forwards_packets = kind == "router"
        self.bridge_ports = _bridge_ports(kind, interfaces)
        """The interfaces that frames are forwarded between, as keys in their order; empty unless it is a switch."""
        self.filters_vlans = any(ifp.vlan is not None for ifp in self.bridge_ports)
        lying = [(ifp, ifp.below) for ifp in interfaces if ifp.below is not None]
        self.vlans = {(b.parent.name, b.tpid, b.vid): ifp for ifp, b in lying if isinstance(b, VlanLink)}
        """By parent, EtherType and VID."""
        self.vteps = {(b.port, b.vni): ifp for ifp, b in lying if isinstance(b, Vtep)}
        """By UDP port and VNI."""
        self.vxlan_ports = frozenset(port for port, _ in self.vteps)
        self.fibs = fibs or Fibs(LinearFib(routes))
        self.slot_routes = tuple(sorted(routes))
        """The routes in the order of their addresses, which is no order to choose by: what a slot is shown."""
        self.neighbours = Neighbours()
        self.fragments, self.fragments6 = Reassembly(), Reassembly(TIMEOUT6)
        self.paths, self.paths6 = PathMtus(), path_mtus6()
        self.inet6 = Inet6(router=kind == "router")
        self.stations = FilteringDatabase()
        self.timers = Timers()
        self.errors = TokenBucket()
        """What limits the ICMP errors that this host sends."""
        self.sockets: dict[tuple[str, int], Receive] = {}
        self.tcp = HostTcp(self)
        self.sockets[KEY] = self.tcp.receive
        self.udp_joined: set[int] = set()
        """UDP ports whose sockets take many datagrams at once (Linux UDP_GRO)."""
        for ifp in interfaces:
            ifp.forwards = self.forwards_packets or ifp in self.bridge_ports
            ifp.changed = self.tcp.reckon
            ifp.capenable = ifp.capenable  # what that means depends on what was just said
        self.slot_failures: list[SlotFailure] = []
        self.ip_id = ip_id
        self.udp_checksum = True
        """Whether UDP sums over what it sends by IPv4, where RFC 768 leaves it open (net.inet.udp.checksum of BSD)."""
        stages = _TUNNELLING if kind == "switch" and self.vteps else GRAPHS[kind]
        self.stages = {stage.name: stage for stage in stages}

    def open(self, key: tuple[str, int], receive: Receive) -> None:
        """Bind a socket's key (("udp", port) or ("icmp", id)); ValueError when it is taken."""
        if key in self.sockets:
            raise ValueError(f"{self.name}: {key[0]} {key[1]} is taken")
        self.sockets[key] = receive

    def close(self, key: tuple[str, int]) -> None:
        """Free a socket's key."""
        self.sockets.pop(key, None)

    def fill(self, slot: str, call: SlotCall) -> None:
        """Put a function in a slot (KeyError for a slot or a stage that this host has not)."""
        stage, make = SLOTS[slot]
        if stage not in self.stages:
            raise KeyError(stage)
        self.stages[stage] = make(call)

    @property
    def fib(self) -> Fib:
        """The default table of routes."""
        return self.fibs.main

    def source_for(self, dst: int, *, fib: int | None = None, mark: int = 0) -> int:
        """The own address that a packet to ``dst`` carries; 0 when there is no route."""
        if dst in self.addresses:
            return dst
        route = self.fibs.lookup(dst, fib=fib, mark=mark)
        return self.interfaces[route.interface].address_for(route.gateway or dst) if route else 0

    def unreachable(self, m: Mbuf, now: int) -> list[Hop]:
        """What becomes of a packet whose next hop never answered ARP."""
        if m.rcvif is None:
            return [drop(no_answer(m.next_hop), m), *self.tcp.unanswered(m.data, now)]
        return error(self, m, icmp.UNREACHABLE, icmp.HOST_UNREACHABLE, no_answer(m.next_hop))

    def graph(self) -> networkx.DiGraph[Any]:
        """The stages as a graph: nodes with what they do (``says``), edges where a packet may go."""
        import networkx

        graph: networkx.DiGraph[Any] = networkx.DiGraph(name=self.name)
        for stage in self.stages.values():
            graph.add_node(stage.name, says=stage.says)
        graph.add_node("nic.tx", says="The device puts frames on the wire.")
        for stage in self.stages.values():
            graph.add_edges_from((stage.name, target) for target in stage.to if target in graph)
        return graph


def _bridge_ports(kind: str, interfaces: tuple[Ifnet, ...]) -> dict[Ifnet, None]:
    """All of a switch but those with addresses, by which its tunnels go."""
    return {ifp: None for ifp in interfaces if not ifp.addresses} if kind == "switch" else {}


def build_host(node: PlanNode, plan: Plan, *, slots: Mapping[str, SlotCall] | None = None, fib: str = "linear") -> Host:
    """The stack of a planned node, its addresses and routes in place (in the structure `FIBS` has), slots filled."""
    routes = _routes(node.routes)
    tables = {table.number: FIBS[fib](_routes(table.routes)) for table in node.tables}
    fibs = Fibs(FIBS[fib](routes), tables, map(_rule, node.rules))
    host = Host(node.name, node.kind, interfaces_of(node, plan), routes, fibs=fibs)
    configure6(host, node, plan)
    for slot, call in (slots or {}).items():
        host.fill(slot, call)
    return host


def _routes(planned: tuple[PlanRoute, ...]) -> tuple[Route, ...]:
    return tuple(
        multipath(cidr.network, cidr.length, _ways(route))
        for route in planned
        for cidr in (parse_cidr(route.prefix),)
        if cidr.version == 4
    )


def _ways(planned: PlanRoute) -> Iterator[Way]:
    yield Way(parse_ipv4(planned.via) if planned.via else 0, planned.interface, planned.weight)
    for way in planned.also:
        yield Way(parse_ipv4(way.via), way.interface, way.weight)


def _rule(planned: PlanRule) -> Rule:
    source = parse_cidr(planned.source or "0.0.0.0/0")
    return Rule(planned.priority, planned.table, source.network, source.length, planned.mark or None, planned.iif)
