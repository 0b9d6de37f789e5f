"""Drivers of real devices pass the same kit as simulated ones, in a namespace of their own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netlab
from netlab.backend.mininet.arena import Arena
from netlab.backend.mininet.checks import problems
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve

ROOT = Path(netlab.__file__).parents[1]
PLAN = resolve(load_topology("pair"))

COMMON = """
import json, select, subprocess, sys, time
from netlab.backend.native.afpacket import AfPacket
from netlab.backend.native.tap import Tap
from netlab.errors import Unavailable
from netlab.stack.drivers.api import Attached
from netlab.stack.drivers.faults import Faults, Faulty
from netlab.stack.drivers.kit import Pair, conforms
from netlab.stack.ifnet import Ifnet
from netlab.wire import ethernet, ipv4, udp

def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout

def veth(mtu=1500):
    ip("link", "add", "va", "mtu", str(mtu), "type", "veth", "peer", "name", "vb", "mtu", str(mtu))
    for name in ("va", "vb"):
        ip("link", "set", name, "up")
    # Until the kernel has noticed that the cable is in, a veth loses what is sent: "UP" alone is not enough.
    until = time.monotonic() + 10
    while not all(" state UP " in ip("-o", "link", "show", name) for name in ("va", "vb")):
        assert time.monotonic() < until, "the veth pair did not come up"
        select.select([], [], [], 0.01)

def wait_for(*drivers):
    # Until something has come, or for so long that nothing will: a veth delivers while the sender sends.
    return lambda: select.select([fd for driver in drivers for fd in driver.filenos()], [], [], 0.1)

for conf in ("all", "default"):  # a kernel that greets its neighbours would be received too
    with open(f"/proc/sys/net/ipv6/conf/{conf}/disable_ipv6", "w") as file:
        file.write("1")
"""
AF_PACKET = """
veth(mtu=%(mtu)d)
def pair():
    a, b = AfPacket("va", queues=%(queues)d), AfPacket("vb", queues=%(queues)d)
    return Pair(a, b, wait_for(a, b), bounded=False)
print(json.dumps(conforms(pair)))
"""
TAP = """
numbers = iter(range(100))
def pair():
    name = f"tap{next(numbers)}"
    a = Tap(name, mtu=%(mtu)d, queues=%(queues)d)
    b = AfPacket(name)
    return Pair(a, b, wait_for(a, b), bounded=False)
try:
    print(json.dumps(conforms(pair)))
except Unavailable as why:
    print(json.dumps({"unavailable": str(why)}))
"""
FANOUT = """
veth()
a, b = (Attached(Ifnet(n, bytes(6)), AfPacket(n, queues=q)) for n, q in (("va", 1), ("vb", 4)))
def frame(port, n):
    data = udp.build(port, 7, n.to_bytes(4, "big"), 0x0A000001, 0x0A000002)
    packet = ipv4.build(0x0A000001, 0x0A000002, ipv4.UDP, data, id=n)
    return ethernet.build(bytes.fromhex("020000000002"), bytes.fromhex("020000000001"), ethernet.IPV4) + packet
sent = [frame(5000 + flow, n) for n in range(5) for flow in range(32)]
assert all(a.transmit(f) for f in sent)
where = {}
got = []
wait_for(b.driver)()
for queue in range(4):
    while (f := b.receive(queue)) is not None:
        if f in sent:
            got.append(f)
            where.setdefault(f[34:36].hex(), []).append(queue)
whole, each, used = sorted(got) == sorted(sent), {len(set(q)) for q in where.values()}, {q[0] for q in where.values()}
print(json.dumps([whole, sorted(each), len(used)]))
"""


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    for problem in problems(PLAN):
        pytest.skip(str(problem))
    with Arena() as made:
        made.build(PLAN)
        yield made


def run(arena: Arena, script: str) -> Any:
    """Run a script on h1, in a network namespace of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = ["unshare", "-n", sys.executable, "-c", COMMON + script]
    done = arena.start("h1", argv, timeout=60, env=env).wait()
    assert done.ok, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("queues", "mtu"), [(1, 1500), (1, 9000), (4, 1500)])
def test_af_packet_conforms(arena: Arena, queues: int, mtu: int) -> None:
    assert "nothing passes while down" in run(arena, AF_PACKET % {"queues": queues, "mtu": mtu})


def test_fanout_keeps_a_flow_on_one_queue_and_uses_several(arena: Arena) -> None:
    whole, queues_of_a_flow, used = run(arena, FANOUT)
    assert whole and queues_of_a_flow == [1]
    assert used > 1


@pytest.mark.parametrize(("queues", "mtu"), [(1, 1500), (1, 9000), (4, 1500)])
def test_tap_conforms_or_says_what_is_missing(arena: Arena, queues: int, mtu: int) -> None:
    said = run(arena, TAP % {"queues": queues, "mtu": mtu})
    if os.access("/dev/net/tun", os.R_OK | os.W_OK):
        assert "nothing passes while down" in said
    else:
        assert "no TAP interface 'tap0' can be made" in said["unavailable"]
