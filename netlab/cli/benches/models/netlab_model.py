"""netlab: both hosts' whole stacks, real bytes. Arguments: "recorded" keeps the log; "summed" sums UDP's payload."""

from __future__ import annotations

import sys
import time

from netlab.backend.sim.session import SimSession
from netlab.stack.sockets import UdpSocket
from netlab.stack.stage import Hop
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.units import US
from netlab.wire.address import parse_ipv4
from netlab.workload.spec import Ping

PACKETS = 10_000


def scenario(*, recorded: bool, summed: bool) -> float:
    """Packets a second. A ping goes ahead, so that ARP is over."""
    plan = resolve(load_topology("pair,rate=1 Gbit/s,delay=2 ms"))
    session = SimSession(plan, traced=recorded)
    session.run([Ping("h1", "h2")])
    sender, receiver = (session.executors[name].host for name in ("h1", "h2"))
    sender.udp_checksum = summed
    got = 0

    def sink(*_: object) -> list[Hop]:
        nonlocal got
        got += 1
        return []

    UdpSocket(receiver, 9, sink)
    socket = UdpSocket(sender, 5000, sink)
    address, payload = parse_ipv4(plan.node("h2").addresses[0]), bytes(1000)
    left = PACKETS

    def send(now: int) -> list[Hop]:
        nonlocal left
        left -= 1
        if left:
            sender.timers.at(now + 10 * US, send)
        return [socket.send(address, 9, payload)]

    sender.timers.at(session.now, send)
    session.executors["h1"].arm()
    began = time.process_time()
    session.drain()
    spent = time.process_time() - began
    assert got == PACKETS, got
    return PACKETS / spent


if __name__ == "__main__":
    print("ready", flush=True)
    for _ in sys.stdin:
        print(scenario(recorded="recorded" in sys.argv, summed="summed" in sys.argv), flush=True)
