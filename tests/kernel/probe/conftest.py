"""A small network of namespaces with devices named as an arena names them, made without Mininet.

A namespace is nothing but a descriptor here: it ends with it, and so do its devices, however the test ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pytest

from netlab.topology.generators import cable
from netlab.topology.resolve import resolve
from netlab.topology.spec import Node, Plan, PlanNode, Topology

T = TypeVar("T")
NEW_NETWORK = 0x40000000


def inside(namespace: int | None, work: Callable[[], T]) -> T:
    """Do ``work`` in a thread of its own that lives in ``namespace`` (None: in a new one)."""
    libc = ctypes.CDLL(None, use_errno=True)
    done: list[T] = []
    failed: list[BaseException] = []

    def go() -> None:
        try:
            if libc.unshare(NEW_NETWORK) if namespace is None else libc.setns(namespace, NEW_NETWORK):
                raise OSError(ctypes.get_errno(), "no network namespace")
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
            failed.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def _this_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Network:
    """The plan, in the kernel. ``names`` maps plain interface names to the kernel's."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.suffix = "~" + secrets.token_hex(1)
        self.names = {i.name: i.name + self.suffix for i in plan.interfaces()}
        self._spaces = {node.name: inside(None, _this_namespace) for node in plan.nodes}
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        for node in self.plan.nodes:
            self.run(
                node.name,
                "sysctl",
                "-qw",
                "net.ipv6.conf.default.disable_ipv6=1",
                f"net.ipv4.ip_forward={int(node.kind == 'router')}",
            )
        for link in self.plan.links:
            a, b = self.plan.interface(link.a), self.plan.interface(link.b)
            there = f"/proc/self/fd/{self._spaces[b.node]}"
            here = [self.names[a.name], "address", a.mac, "type", "veth", "peer"]
            self.run(a.node, "ip", "link", "add", *here, self.names[b.name], "address", b.mac, "netns", there)
        for node in self.plan.nodes:
            self.run(node.name, "ip", "-batch", "-", text="\n".join(self._lines(node)) + "\n")
        for node in self.plan.nodes:
            if node.kind == "switch":
                self._wait_for_ports(node.name)

    def _lines(self, node: PlanNode) -> Iterator[str]:
        bridge = node.name + self.suffix
        yield "link set dev lo up"
        if node.kind == "switch":
            yield f"link add name {bridge} type bridge forward_delay 0 mcast_snooping 0"
            yield f"link set dev {bridge} up"
        for interface in node.interfaces:
            device = self.names[interface.name]
            if node.kind == "switch":
                yield f"link set dev {device} master {bridge}"
            for address in interface.addresses if node.stack == "kernel" else ():
                yield f"addr add {address} dev {device}"
            yield f"link set dev {device} up"
        for route in node.routes:
            if route.via and node.stack == "kernel":
                yield f"route add {route.prefix} via {route.via}"

    def _wait_for_ports(self, switch: str) -> None:
        until = time.monotonic() + 10
        while any(state != "forwarding" for state in self._states(switch)):
            assert time.monotonic() < until, "the bridge's ports do not forward"

    def _states(self, switch: str) -> list[str]:
        ports = json.loads(self.run(switch, "bridge", "-j", "link", "show"))
        return [port["state"] for port in ports] or ["none yet"]

    def address(self, node: str) -> str:
        """The node's first address."""
        return self.plan.node(node).addresses[0]

    def start(self, node: str, *argv: str, **how: Any) -> subprocess.Popen[str]:
        """Start a command in a node."""
        space = self._spaces[node]
        enter = ["nsenter", f"--net=/proc/self/fd/{space}", *argv]
        return subprocess.Popen(enter, pass_fds=tuple(self._spaces.values()), text=True, **how)

    def run(self, node: str, *argv: str, text: str | None = None, fails: bool = False) -> str:
        """A command in a node, to its end; what it printed."""
        pipe = subprocess.PIPE
        process = self.start(node, *argv, stdin=pipe, stdout=pipe, stderr=pipe)
        out, error = process.communicate(text, timeout=30)
        assert fails or process.returncode == 0, f"{node}: {argv}: {out}{error}"
        return out

    def udp(self, node: str, address: str, port: int) -> socket.socket:
        """A bound UDP socket of a node that gives up after 5 s."""
        made = inside(self._spaces[node], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made.settimeout(5)
        made.bind((address, port))
        return made

    def packet_socket(self, interface: str) -> socket.socket:
        """What an arena gives to a probe."""
        every = 3
        space = self._spaces[self.plan.interface(interface).node]
        made = inside(space, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        made.bind((self.names[interface], every))
        return made

    def close(self) -> None:
        for descriptor in self._spaces.values():
            os.close(descriptor)


@pytest.fixture
def network() -> Iterator[Callable[..., Network]]:
    """Makes networks, and takes them down when the test ends."""
    if os.geteuid() != 0:
        pytest.skip("run as root: namespaces with devices of the test's own need it")
    made: list[Network] = []

    def make(nodes: Sequence[Node], *cables: str) -> Network:
        links = tuple(cable(*ends.split("-")) for ends in cables)
        made.append(Network(resolve(Topology("bed", tuple(nodes), links))))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def traced() -> None:
    """For tests that need the kernel's tracer."""
    from netlab.probe.tracefs import available

    why = available()
    if why:
        pytest.skip(f"run as root on a kernel with tracefs: {why}")
