"""Multipath TCP over IPv6: an address with its proof fills a header's options, and the stream is the same."""

from __future__ import annotations

import hashlib

from twopaths import pattern, silent

from netlab.backend.sim import SimSession
from netlab.stack.host import Host
from netlab.stack.mptcp.host import MptcpSocket, multipath
from netlab.stack.mptcp.paths import OwnAddress
from netlab.topology.generators import cable
from netlab.topology.resolve import resolve
from netlab.topology.spec import Node, Topology
from netlab.workload.multipath import MultipathSender, MultipathSink


def global6(host: Host) -> list[int]:
    return [a for a in sorted(host.inet6.addresses) if a >> 118 != 0x3FA]


def test_an_ip6_address_is_announced_and_joined() -> None:
    links = (cable("h1:eth0", "h2:eth0", rate="10 Mbit/s"), cable("h1:eth1", "h2:eth1", rate="10 Mbit/s"))
    plan = resolve(Topology("two", (Node("h1"), Node("h2")), links, ipv6="static"))
    session = SimSession(plan)
    h1, h2 = (session.executors[name].host for name in ("h1", "h2"))
    first, second = global6(h2)
    multipath(h2).own.append(OwnAddress(second, 1, subflow=False, signal=True, version=6))
    multipath(h1)
    data = pattern(1_000_000)
    sink = MultipathSink(h2, 5001)
    sender = MultipathSender(h1, first, 5001, data, silent)
    session.executors["h1"].inject(sender.start(0))
    session.loop.run(500_000_000)
    assert isinstance(sender.socket, MptcpSocket)
    assert {s.pair.remote for s in sender.socket.connection.subflows} == {first, second}
    session.loop.run()
    assert sink.digests == [hashlib.sha256(data).hexdigest()]
