"""A log made by hand: h1-s1-r1-h2, a ping with its ARP exchange, and one whose TTL ends at r1.

Times are invented and round, so that what a view prints can be read off here.
"""

from __future__ import annotations

from typing import Any

from netlab.topology.codec import plan_to_data
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Link, Node, Plan, Topology
from netlab.trace.log import Header, Log
from netlab.wire import arp, ethernet, icmp, ipv4
from netlab.wire.address import parse_ipv4, parse_mac

KERNEL_STAGES = ("ether.input", "ifq", "nic.tx")
MS = 1_000_000


def plan() -> Plan:
    """The network of the sample."""
    return resolve(
        Topology(
            "small",
            (Node("h1"), Node("s1", "switch"), Node("r1", "router"), Node("h2")),
            (
                Link(End("h1"), End("s1"), rate=10_000_000),
                Link(End("s1"), End("r1")),
                Link(End("r1"), End("h2"), delay=2 * MS),
            ),
        )
    )


class Writer:
    """Writes what one packet does, in order; ``now`` moves on by itself."""

    def __init__(self, log: Log, network: Plan, *, stages: bool = True) -> None:
        self.log, self.plan, self.stages, self.now = log, network, stages, 0
        self.frame = b""

    def add(self, kind: str, node: str, obj: str, pkt: int, *data: Any) -> None:
        self.log.add((self.now, kind, node, obj, 0, pkt, data))

    def born(self, pkt: int, node: str, stage: str, said: str, parent: int = 0) -> None:
        self.add("packet", node, stage, pkt, parent, said)

    def through(self, pkt: int, node: str, iface: str, *stages: str) -> None:
        for k, stage in enumerate(stages):
            if self.stages or stage in KERNEL_STAGES:
                self.add("stage", node, stage, pkt, iface, 400 + 100 * k)
            self.now += 500 + 100 * k

    def queue(self, pkt: int, node: str, iface: str, wait: int = 0) -> None:
        self.add("enqueue", node, iface, pkt, 1 + (wait > 0), 98)
        if wait:
            self.add("mark", node, iface, pkt, 2, 98)
        self.now += wait
        self.add("dequeue", node, iface, pkt, 0, 0)

    def leave(self, pkt: int, iface: str, frame: bytes = b"") -> str:
        """Over the cable of ``iface``; gives the other end."""
        here = self.plan.interface(iface)
        link = self.plan.links[here.link]
        self.frame = frame or self.frame
        dur = len(self.frame) * 8 * 1_000_000_000 // link.rate if link.rate else 0
        self.add("wire.tx", here.node, iface, pkt, here.peer, len(self.frame), dur, link.delay, self.frame)
        self.now += dur + link.delay
        there = self.plan.interface(here.peer)
        self.add("wire.rx", there.node, there.name, pkt, iface, len(self.frame), self.frame)
        return there.name

    def send(self, pkt: int, node: str, iface: str, *stages: str, frame: bytes = b"", wait: int = 0) -> None:
        self.through(pkt, node, iface, *stages, "ifq")
        self.queue(pkt, node, iface, wait)
        self.through(pkt, node, iface, "nic.tx")
        self.leave(pkt, iface, frame)

    def switch(self, pkt: int, came: str, out: str) -> None:
        self.through(pkt, "s1", came, "nic.rx", "ether.input", "bridge.forward")
        self.send(pkt, "s1", out)

    def deliver(self, pkt: int, node: str, iface: str, *stages: str) -> None:
        self.through(pkt, node, iface, "nic.rx", "ether.input", *stages)


def frames(network: Plan) -> dict[str, bytes]:
    """The frames of the story, by name."""
    mac = {i.name: parse_mac(i.mac) for i in network.interfaces()}
    ip = {i.name: parse_ipv4(i.addresses[0].split("/")[0]) for i in network.interfaces() if i.addresses}
    h1, r1, out, h2 = "h1-eth0", "r1-eth0", "r1-eth1", "h2-eth0"

    def echo(a: str, b: str, ttl: int, what: bytes, src: str = h1, dst: str = h2) -> bytes:
        return ethernet.build(mac[b], mac[a], 0x0800, ipv4.build(ip[src], ip[dst], 1, what, ttl=ttl))

    ask, answer = icmp.echo_request(1, 1, bytes(56)), icmp.echo_reply(1, 1, bytes(56))
    request = arp.request(mac[h1], ip[h1], ip[r1])
    dying = echo(h1, r1, 1, ask)
    return {
        "arp": ethernet.build(b"\xff" * 6, mac[h1], 0x0806, request),
        "arp reply": ethernet.build(mac[h1], mac[r1], 0x0806, arp.reply(arp.parse(request), mac[r1])),  # type: ignore[arg-type]
        "ask": echo(h1, r1, 64, ask),
        "ask2": echo(out, h2, 63, ask),
        "answer": echo(h2, out, 64, answer, h2, h1),
        "answer2": echo(r1, h1, 63, answer, h2, h1),
        "dying": dying,
        "exceeded": echo(r1, h1, 64, icmp.time_exceeded(dying[14:]), r1, h1),
    }


def sample_log(*, stages: bool = True, backend: str = "sim", lost: int = 0) -> Log:
    """Packets 1 echo request, 2 ARP request, 3 ARP reply, 4 echo reply, 5 the one that dies, 6 time exceeded."""
    network = plan()
    partial = {node.name: KERNEL_STAGES for node in network.nodes}
    header = Header(
        backend,
        1,
        plan_to_data(network),
        kernel="" if stages else "6.1.0",
        clock="virtual" if stages else "monotonic",
        fidelity={"stage": "exact" if stages else "inferred", "lock": "exact" if stages else "none"},
        stages={} if stages else partial,
        notes=() if stages else ("h1-s1: the rate of 10 Mbit/s is kept by tbf, in bursts of 1500 B.",),
        lost=lost,
    )
    log = Log(header)
    w, f = Writer(log, network, stages=stages), frames(network)
    first_ping(w, f)
    dying_ping(w, f)
    w.add("app", "h1", "ping", 0, "time exceeded from 10.0.1.254", 0)
    return log


def first_ping(w: Writer, f: dict[str, bytes]) -> None:
    """h1 asks, after it has learnt r1's MAC address; h2 answers."""
    w.born(1, "h1", "icmp.output", "ICMP echo request 10.0.1.1 > 10.0.2.1")
    w.through(1, "h1", "h1-eth0", "icmp.output", "ip.output", "ether.output")
    w.born(2, "h1", "arp.output", "ARP who has 10.0.1.254?", 1)
    w.send(2, "h1", "h1-eth0", "arp.output", frame=f["arp"])
    w.switch(2, "s1-eth1", "s1-eth2")
    w.deliver(2, "r1", "r1-eth0", "arp.input")
    w.born(3, "r1", "arp.output", "ARP 10.0.1.254 is at r1-eth0", 2)
    w.send(3, "r1", "r1-eth0", "arp.output", frame=f["arp reply"])
    w.switch(3, "s1-eth2", "s1-eth1")
    w.deliver(3, "h1", "h1-eth0", "arp.input")
    w.send(1, "h1", "h1-eth0", "ether.output", frame=f["ask"])
    w.switch(1, "s1-eth1", "s1-eth2")
    w.deliver(1, "r1", "r1-eth0", "ip.input", "ip.forward")
    w.add("lock", "r1", "arp table", 1, "read", 200, 300)
    w.send(1, "r1", "r1-eth1", "ether.output", frame=f["ask2"], wait=40_000)
    w.deliver(1, "h2", "h2-eth0", "ip.input", "icmp.input")
    w.born(4, "h2", "icmp.input", "ICMP echo reply 10.0.2.1 > 10.0.1.1", 1)
    w.send(4, "h2", "h2-eth0", "ip.output", "ether.output", frame=f["answer"])
    w.deliver(4, "r1", "r1-eth1", "ip.input", "ip.forward")
    w.send(4, "r1", "r1-eth0", "ether.output", frame=f["answer2"])
    w.switch(4, "s1-eth2", "s1-eth1")
    w.deliver(4, "h1", "h1-eth0", "ip.input", "icmp.input", "socket.deliver")
    w.add("app", "h1", "ping", 4, "answer from 10.0.2.1", w.now)


def dying_ping(w: Writer, f: dict[str, bytes]) -> None:
    """Ten milliseconds later a request with TTL 1: r1 drops it and says so."""
    w.now = 15 * MS
    w.born(5, "h1", "icmp.output", "ICMP echo request 10.0.1.1 > 10.0.2.1, TTL 1")
    w.send(5, "h1", "h1-eth0", "icmp.output", "ip.output", "ether.output", frame=f["dying"])
    w.switch(5, "s1-eth1", "s1-eth2")
    w.deliver(5, "r1", "r1-eth0", "ip.input", "ip.forward")
    w.add("drop", "r1", "ip.forward", 5, "the TTL reached 0", "r1-eth0")
    w.born(6, "r1", "icmp.error", "ICMP time exceeded 10.0.1.254 > 10.0.1.1", 5)
    w.send(6, "r1", "r1-eth0", "icmp.error", "ip.output", "ether.output", frame=f["exceeded"])
    w.switch(6, "s1-eth2", "s1-eth1")
    w.deliver(6, "h1", "h1-eth0", "ip.input", "icmp.input", "socket.deliver")
