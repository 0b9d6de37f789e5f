"""What is really in force, read from the kernel: inside the arena, as plain data for a message."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from netlab.backend.mininet import qdisc, rtnl
from netlab.backend.mininet.offload import in_force
from netlab.backend.mininet.policy import MAIN, read_rules, read_ways
from netlab.backend.mininet.rooms import Room, read_sysctl
from netlab.backend.mininet.tunnels import vni

if TYPE_CHECKING:
    from netlab.backend.mininet.build import Network


def state(network: Network) -> dict[str, Any]:
    """Interfaces by plain name, and nodes."""
    interfaces: dict[str, Any] = {}
    nodes: dict[str, Any] = {}
    for node, room in [("", network.own), *network.rooms.items()]:
        own = [d for d in network.devices.values() if d.room == node]
        found = _room(room, {d.index: d.name for d in own})
        with room.networking():
            for device in own:
                if device.name in found["interfaces"]:
                    found["interfaces"][device.name]["offload"] = list(in_force(device.kernel))
        interfaces.update(found.pop("interfaces"))
        nodes[node] = found
    return {"interfaces": interfaces, "nodes": nodes}


def _room(room: Room, by_index: dict[int, str]) -> dict[str, Any]:
    links = {index: link for index, link in _links(room.kernel) if index in by_index}
    for index, cidr in _addresses(room.kernel):
        if index in links:
            links[index]["addresses"].append(cidr)
    for index, discipline in _disciplines(room.kernel):
        if index in links:
            links[index]["qdiscs"].append(asdict(discipline))
    with room.networking():
        forwarding = read_sysctl("net/ipv4/ip_forward") == "1"
        forwarding6 = read_sysctl("net/ipv6/conf/all/forwarding") == "1"
    return {
        "interfaces": {by_index[index]: link for index, link in links.items()},
        "forwarding": forwarding,
        "forwarding6": forwarding6,
        **_tables(room.kernel),
        "rules": list(read_rules(room.kernel)),
    }


def _links(kernel: rtnl.Rtnl) -> Iterator[tuple[int, dict[str, Any]]]:
    for body in kernel.dump(rtnl.GETLINK, rtnl.link_body()):
        index, flags = struct.unpack_from("=4xiI", body)
        found = rtnl.attributes(body, 16)
        info = rtnl.attributes(found.get(18, b""))
        port = rtnl.attributes(info.get(5, b"")) if rtnl.string(info.get(4)) == "bridge" else {}
        yield (
            index,
            {
                "up": bool(flags & rtnl.IFF_UP),
                "mac": found.get(1, b"").hex(":"),
                "mtu": rtnl.number(found.get(4)),
                "tx_queues": rtnl.number(found.get(31)),
                "rx_queues": rtnl.number(found.get(32), 1),  # a kernel for one processor doesn't say it
                "vni": vni(info),
                "port_state": rtnl.number(port.get(1), -1),
                "addresses": [],
                "qdiscs": [],
            },
        )


def _addresses(kernel: rtnl.Rtnl) -> Iterator[tuple[int, str]]:
    for body in kernel.dump(rtnl.GETADDR, struct.pack("=BBBBI", 0, 0, 0, 0, 0)):
        family, length, _flags, scope, index = struct.unpack_from("=BBBBI", body)
        found = rtnl.attributes(body, 8)
        if family == socket.AF_INET6 and scope != 0:
            continue  # link-local addresses come by themselves
        yield index, f"{socket.inet_ntop(family, found[2] if 2 in found else found[1])}/{length}"


def _disciplines(kernel: rtnl.Rtnl) -> Iterator[tuple[int, qdisc.Discipline]]:
    for body in kernel.dump(rtnl.GETQDISC, struct.pack("=BxxxiIII", 0, 0, 0, 0, 0)):
        index, discipline = qdisc.parse(body)
        if discipline.handle:  # without one it is the kernel's default (noqueue)
            yield index, discipline


def _tables(kernel: rtnl.Rtnl) -> dict[str, Any]:
    """The main table's routes, and those of the others by their numbers."""
    tables: dict[str, list[dict[str, str]]] = {}
    for table, route in _routes(kernel):
        tables.setdefault(str(table), []).append(route)
    return {"routes": tables.pop(str(MAIN), []), "tables": tables}


def _routes(kernel: rtnl.Rtnl) -> Iterator[tuple[int, dict[str, str]]]:
    for body in kernel.dump(rtnl.GETROUTE, struct.pack("=BBBBBBBBI", 0, 0, 0, 0, 0, 0, 0, 0, 0)):
        family, length, _source, _tos, table, _protocol, _scope, kind = struct.unpack_from("=BBBBBBBB", body)
        found = rtnl.attributes(body, 12)
        if kind != 1:
            continue
        any_address = bytes(4 if family == socket.AF_INET else 16)
        prefix = socket.inet_ntop(family, found.get(1, any_address))
        via = socket.inet_ntop(family, found[5]) if 5 in found else read_ways(found.get(9, b""))
        yield rtnl.number(found.get(15), table), {"prefix": f"{prefix}/{length}", "via": via}
