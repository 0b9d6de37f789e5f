"""Many datagrams in one, to the kernel and from it: the kernel cuts ours, and we cut the kernel's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import json, select, socket, subprocess, sys, time
from netlab.backend.native.afpacket import AfPacket
from netlab.backend.native.livehost import LiveHost
from netlab.stack.fib import Route
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.sockets import UdpSocket

request = json.loads(sys.argv[1])
def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout

with open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w") as file:
    file.write("1")
ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
ip("addr", "add", "10.0.0.2/24", "dev", "vb")
for name in ("va", "vb"):
    ip("link", "set", name, "up")
until = time.monotonic() + 10
while not all(" state UP " in ip("-o", "link", "show", name) for name in ("va", "vb")):
    assert time.monotonic() < until, "the veth pair did not come up"
    select.select([], [], [], 0.01)

OURS, THEIRS = 0x0A000001, 0x0A000002
va = Ifnet("va", bytes.fromhex("020000000001"), (Address(OURS, 24),))
host = Host("ours", "host", (va,), (Route(0x0A000000, 24, 0, "va"),))
live = LiveHost(host, {"va": AfPacket("va", offload=request["offload"])})
heard = []
def hear(datagram, pkt, now):
    heard.append((len(datagram.payload), datagram.segsz))
    return []
ours = UdpSocket(host, 7000, hear, segsz=1000, joined=True)
theirs = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
theirs.bind(("10.0.0.2", 9))
theirs.setblocking(False)
came = []
def kernel_has(octets):
    def done():
        try:
            while True:
                came.append(theirs.recv(70000))
        except BlockingIOError:
            return sum(map(len, came)) >= octets
    return done

payload = bytes(n % 251 for n in range(20500))
live.do(lambda now: [ours.send(THEIRS, 9, b"first")])  # so that the link address is known
live.run(kernel_has(5), 5)
before = va.counters["opackets"]
live.do(lambda now: [ours.send(THEIRS, 9, payload)])
live.run(kernel_has(5 + len(payload)), 5)
answer = {
    "frames": va.counters["opackets"] - before,
    "datagrams": [len(one) for one in came[1:]],
    "right": b"".join(came[1:]) == payload,
}
UDP_SEGMENT = 103
theirs.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
before = va.counters["ipackets"]
theirs.sendto(payload, ("10.0.0.1", 7000))
live.run(lambda: sum(size for size, _ in heard) >= len(payload), 5)
answer |= {"heard": heard, "received": va.counters["ipackets"] - before}
live.close()
print(json.dumps(answer))
"""


@pytest.fixture(autouse=True)
def privilege() -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("network namespaces and AF_PACKET need root: run as root on Linux")


def exchange(offload: bool) -> dict[str, Any]:
    argv = ["unshare", "-n", sys.executable, "-c", PROGRAM, json.dumps({"offload": offload})]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_one_super_frame_is_twenty_one_datagrams_at_the_other_end() -> None:
    found = exchange(True)
    assert found["datagrams"] == [1000] * 20 + [500] and found["right"]
    assert found["frames"] == 1, "the kernel was left to cut it"
    assert found["heard"] == [[20500, 1000]] and found["received"] == 1, "and what it sent came whole"


def test_without_offload_each_is_a_frame_of_its_own() -> None:
    found = exchange(False)
    assert found["datagrams"] == [1000] * 20 + [500] and found["right"]
    assert found["frames"] == 21
    assert sum(size for size, _ in found["heard"]) == 20500
