"""A plan becomes a Mininet network: its objects one by one, its kernel devices in a few batches."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from typing import Any

from netlab.backend.mininet import devices as dev
from netlab.backend.mininet import rtnl
from netlab.backend.mininet.nodes import ArenaNet
from netlab.backend.mininet.offload import finish_in_software, set_offload
from netlab.backend.mininet.rooms import Room, new_rooms, own_room, sysctl
from netlab.backend.native.afpacket import takes_whole
from netlab.topology.spec import Plan, PlanNode

_FORWARDING = 3
_READY_SECONDS = 5.0
_FILES_OF_A_NODE = 6
"""Its two namespaces, its netlink socket, and the two ends of its shell's terminal."""


@dataclass
class Network:
    """A network that is up: Mininet's object, and the rooms and devices behind it."""

    plan: Plan
    net: Any
    own: Room
    rooms: dict[str, Room]
    devices: dict[str, dev.Device]
    took: dict[str, float] = field(default_factory=dict)
    """Seconds each step of the building took."""

    def room(self, node: str) -> Room:
        """The room of a node: for a bridge, the arena's own network. KeyError when there is no such node."""
        self.plan.node(node)
        return self.rooms.get(node, self.own)


def build(plan: Plan, suffix: str) -> Network:
    """Make the plan's network and return when every bridge port forwards; OSError says what the kernel refused."""
    own = own_room()
    with own.networking():
        _quiet(plan)
    made = dev.devices(plan, suffix)
    _make_room_for(len(plan.nodes))
    housed = [node for node in plan.nodes if not dev.is_bridge(node)]
    rooms = dict(zip((node.name for node in housed), new_rooms(len(housed)), strict=True))
    network = Network(plan, None, own, rooms, made)
    network.net = _objects(plan, network)
    network.net.build()
    network.net.start()
    _await_forwarding(network)
    return network


def _make_room_for(nodes: int) -> None:
    """Let this process have as many files open as its nodes need; more than the usual 1,024 only for many of them."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_OF_A_NODE * nodes + 256
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _objects(plan: Plan, network: Network) -> ArenaNet:
    net = ArenaNet(lambda: _wire(network))
    for node in plan.nodes:
        if dev.is_bridge(node):
            # "In a namespace" only by name: else Mininet gives it a control interface, by way of a shell.
            net.addSwitch(node.name, room=network.own, spec=node, inNamespace=True)
        else:
            net.addHost(node.name, room=network.rooms[node.name], spec=node, ip=None)
    for link in plan.links:
        a, b = plan.interface(link.a), plan.interface(link.b)
        net.addLink(
            a.node, b.node, intfName1=a.name, intfName2=b.name, addr1=a.mac, addr2=b.mac,
            params1={"spec": a}, params2={"spec": b},
        )  # fmt: skip
    return net


def _wire(network: Network) -> None:
    plan, made = network.plan, network.devices
    descriptors = {name: room.net for name, room in network.rooms.items()}
    for node in plan.nodes:
        if node.name in network.rooms:
            with network.rooms[node.name].networking():
                _prepare(node, plan)
    network.own.kernel(dev.arena_messages(plan, made, descriptors), "the kernel refused the network's cables")
    for node in dev.configured(plan).nodes:
        if node.name in network.rooms:
            network.rooms[node.name].kernel(dev.room_messages(node, made), f"the kernel refused what {node.name} is")
    for room, batch in dev.queue_messages(plan, made).items():
        kernel = network.rooms[room].kernel if room else network.own.kernel
        kernel(batch, f"the kernel refused a rate or a queue of {room or 'a switch'}")
    _switch_offloads(network)
    _complete_frames(network)


def _quiet(plan: Plan) -> None:
    """What must be so in the arena's own network before a bridge is made."""
    for table in ("iptables", "ip6tables", "arptables"):
        # Else br_netfilter drops bridged frames whose header checksum is bad, and runs iptables on the others.
        sysctl(f"net/bridge/bridge-nf-call-{table}", 0)
    _ipv6(False)


def _ipv6(on: bool) -> None:
    # Before there are devices: with IPv6 on, each one that comes up multicasts, and a tracer sees it all.
    for which in ("all", "default"):
        sysctl(f"net/ipv6/conf/{which}/disable_ipv6", 0 if on else 1)


def _prepare(node: PlanNode, plan: Plan) -> None:
    kernel = node.stack == "kernel"
    _ipv6(kernel and any(":" in address for address in node.addresses))
    for which in ("all", "default"):
        # Nobody else has these addresses; looking for one who might takes a second.
        sysctl(f"net/ipv6/conf/{which}/accept_dad", 0)
        sysctl(f"net/ipv6/conf/{which}/forwarding", int(kernel and node.kind == "router"))
        sysctl(f"net/ipv6/conf/{which}/accept_ra", int(plan.ipv6 == "slaac" and node.kind == "host"))
        sysctl(f"net/ipv6/conf/{which}/router_solicitation_delay", 0)
    sysctl("net/ipv6/icmp/ratelimit", 0)
    sysctl("net/ipv4/ip_forward", int(kernel and node.kind == "router"))
    # A lab that counts errors must get each of them, and a redirect would change the path that it shows. By the mask,
    # not by icmp_ratelimit=0: that empties the bucket from which "unreachable" errors are paid as well.
    sysctl("net/ipv4/icmp_ratemask", 0)
    for which in ("all", "default"):
        sysctl(f"net/ipv4/conf/{which}/send_redirects", 0)
        # The host's setting is inherited, and would drop what a rule leads another way than the main table.
        sysctl(f"net/ipv4/conf/{which}/rp_filter", 0)
    if any(route.also for routes in (node.routes, *(t.routes for t in node.tables)) for route in routes):
        sysctl("net/ipv4/fib_multipath_hash_policy", 1)  # by ports too, as the plan means a flow


def _switch_offloads(network: Network) -> None:
    """What the plan says that kernel nodes cut, join and sum."""
    for interface in network.plan.interfaces():
        if interface.offload is not None and network.plan.node(interface.node).stack == "kernel":
            device = network.devices[interface.name]
            room = network.rooms[device.room] if device.room else network.own
            with room.networking():
                set_offload(device.kernel, interface.offload)


def _complete_frames(network: Network) -> None:
    """Have the last kernel device before one of our stacks finish checksums and segments, unless it takes them long."""
    for interface in network.plan.interfaces():
        node = network.plan.node(interface.node)
        if node.stack == "netlab" and not takes_whole(node):
            peer = network.devices[interface.peer]
            room = network.rooms[peer.room] if peer.room else network.own
            with room.networking():
                finish_in_software(peer.kernel)


def port_states(kernel: rtnl.Rtnl) -> dict[int, int]:
    """For each bridge port in a room, by its index: 0 disabled to 3 forwarding."""
    states: dict[int, int] = {}
    for body in kernel.dump(rtnl.GETLINK, rtnl.link_body()):
        found = rtnl.attributes(body, 16)
        info = rtnl.attributes(found.get(18, b""))
        if rtnl.string(info.get(4)) == "bridge":
            state = rtnl.attributes(info.get(5, b"")).get(1)
            states[int.from_bytes(body[4:8], "little")] = rtnl.number(state)
    return states


def _await_forwarding(network: Network) -> None:
    """Return when every bridge port forwards: else the first frames would be dropped, for up to a second."""
    with network.own.networking():
        news = rtnl.Rtnl(groups=1)  # RTMGRP_LINK: the kernel says when a port changes
    deadline = time.monotonic() + _READY_SECONDS
    try:
        while any(state != _FORWARDING for state in port_states(network.own.kernel).values()):
            news.socket.settimeout(max(0.001, deadline - time.monotonic()))
            news.socket.recv(1 << 18)
    except TimeoutError:
        pass  # verify() names the ports
    except OSError as error:
        if not isinstance(error, socket.timeout):
            raise
    finally:
        news.close()
