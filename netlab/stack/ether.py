"""Ethernet and ARP: between interfaces and IP (RFC 894, RFC 826)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.neighbours import RETRY, TRIES, WAITING, Neighbour
from netlab.stack.offload import onward
from netlab.stack.stage import Hop, branching, drop, end, stage, to, whole
from netlab.wire import arp, ethernet
from netlab.wire.address import BROADCAST, format_ipv4
from netlab.wire.vlan import TAGS

if TYPE_CHECKING:
    from netlab.stack.host import Host


@whole("nic.rx", to=("gro", "ether.input"))
def nic_rx(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
    """Take frames from the receive ring."""
    ifp = vector[0].rcvif  # a ring is one interface's
    if len(vector) > 1 and ifp is not None and ifp.joins:
        return [to("gro", m) for m in vector]
    return [to("ether.input", m) for m in vector]


@stage("ether.input", to=("arp.input", "ip.input", "ip6.input", "bridge.forward", "vlan.input"))
def ether_input(host: Host, m: Mbuf, now: int) -> Hop:
    """Is the frame for this host? Then strip the header and hand on by EtherType."""
    frame, ifp = m.data, m.rcvif  # read in place: a header made for each frame would be looked at once
    if len(frame) < ethernet.SIZE:
        return drop("frame is shorter than an Ethernet header", m)
    assert ifp is not None
    if host.bridge_ports and ifp in host.bridge_ports:
        return to("bridge.forward", m)
    if not frame[0] & 1 and frame[:6] != ifp.mac:
        return drop("frame is for another station", m)
    kind = frame[12] << 8 | frame[13]
    if kind in TAGS:
        return to("vlan.input", m)
    if kind == ethernet.IPV4:
        m.adj(ethernet.SIZE)
        return to("ip.input", m)
    if kind == ethernet.IPV6:
        m.adj(ethernet.SIZE)
        return to("ip6.input", m)
    if kind == ethernet.ARP:
        m.adj(ethernet.SIZE)
        return to("arp.input", m)
    return drop(f"EtherType 0x{kind:04x} is not spoken here", m)


@branching("arp.input", to=("arp.output", "ether.output"))
def arp_input(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Learn the sender's link address, release what waited for it, answer what asks for us (RFC 826)."""
    packet = arp.parse(m.data)
    if packet is None:
        return [drop("not ARP for IPv4 over Ethernet", m)]
    ifp = m.rcvif
    assert ifp is not None
    for_us = any(a.address == packet.target_ip for a in ifp.addresses)
    waited = host.neighbours.learn(packet.sender_ip, packet.sender_mac, ifp, now, create=for_us)
    hops = [end(m), *(to("ether.output", waiting) for waiting in waited)]
    if for_us and packet.op == arp.REQUEST:
        reply = Mbuf(arp.reply(packet, ifp.mac), parent=m.pkt)
        reply.ifp, reply.tag = ifp, packet.sender_mac
        hops.append(to("arp.output", reply))
    return hops


@stage("arp.output", to=("ifq", "vlan.output", "vxlan.output"))
def arp_output(host: Host, m: Mbuf, now: int) -> Hop:
    """Frame an ARP packet for the receiver that ``tag`` names."""
    assert m.ifp is not None
    m.prepend(ethernet.build(m.tag, m.ifp.mac, ethernet.ARP))
    return to(m.ifp.output, m)


@branching("ether.output", to=("ifq", "gso", "arp.output", "vlan.output", "vxlan.output"))
def ether_output(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Find the neighbour's link address and put the Ethernet header in front; wait for ARP where it is unknown."""
    ifp = m.ifp
    assert ifp is not None
    if m.link:  # only an IPv6 packet comes with it
        m.prepend(ethernet.build(m.link, ifp.mac, ethernet.IPV6))
        m.link = b""
        return [onward(m, ifp)]
    mac = BROADCAST if m.next_hop == 0xFFFFFFFF else host.neighbours.mac(m.next_hop, now)
    if mac is not None:
        m.prepend(ethernet.build(mac, ifp.mac, ethernet.IPV4))
        return [onward(m, ifp)]
    entry, new = host.neighbours.asking(m.next_hop, ifp)
    hops: list[Hop] = []
    if len(entry.waiting) == WAITING:
        hops.append(drop("too many packets wait for one ARP answer", entry.waiting.pop(0)))
    entry.waiting.append(m)
    if new:
        hops += _ask(host, m.next_hop, entry, now, parent=m.pkt)
    return hops


def _ask(host: Host, address: int, entry: Neighbour, now: int, *, parent: int) -> list[Hop]:
    entry.tries += 1
    host.timers.at(now + RETRY, _ask_again(host, address, entry))
    return [to("arp.output", _request(entry.ifp, address, parent))]


def _ask_again(host: Host, address: int, entry: Neighbour) -> Callable[[int], list[Hop]]:
    def due(now: int) -> list[Hop]:
        if host.neighbours.pending(address) is not entry:
            return []
        if entry.tries < TRIES:
            return _ask(host, address, entry, now, parent=entry.waiting[0].pkt if entry.waiting else 0)
        return [hop for m in host.neighbours.give_up(address) for hop in host.unreachable(m, now)]

    return due


def _request(ifp: Ifnet, address: int, parent: int) -> Mbuf:
    m = Mbuf(arp.request(ifp.mac, ifp.address_for(address), address), parent=parent)
    m.ifp, m.tag = ifp, BROADCAST
    return m


def no_answer(address: int) -> str:
    """Why a packet for a silent neighbour is dropped."""
    return f"no ARP answer from {format_ipv4(address)}"


@stage("ifq", to=("nic.tx",))
def ifq(host: Host, m: Mbuf, now: int) -> Hop:
    """Join the queue of the interface; the executor keeps it and sends when the wire is free."""
    return to("nic.tx", m)
