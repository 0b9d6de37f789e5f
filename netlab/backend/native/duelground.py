"""Where a duel is fought: our device in this namespace, the kernel's end in one of its own, perhaps a router between.

    va ---- vb                            side by side
    va ---- ra (router's namespace) rb ---- vb     with ``router``

Both versions of IP are set up; the kernel's namespaces last as long as this process, so that counters can be read after
the peer has gone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from netlab.backend.mininet.offload import finish_in_software
from netlab.stack.fib import Route
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.wire.address import parse_ipv4, parse_ipv6

MAC = bytes.fromhex("020000000001")
OURS = {4: "10.0.0.1", 6: "fd00::1"}
BESIDE = {4: "10.0.0.2", 6: "fd00::2"}
BEHIND = {4: "10.0.1.2", 6: "fd00:0:0:1::2"}
"""The kernel's end: on our link, or behind a router."""
NEAR = {4: "10.0.0.254", 6: "fd00::254"}
FAR = {4: "10.0.1.254", 6: "fd00:0:0:1::254"}
"""The router's two addresses."""
PREFIX = {4: 24, 6: 64}
_PEER = str(Path(__file__).with_name("duelpeer.py"))
_PLAIN = "from netlab.backend.mininet.offload import finish_in_software; finish_in_software({!r})"


def parsed(address: str) -> int:
    """An address of either version as an int."""
    return parse_ipv6(address) if ":" in address else parse_ipv4(address)


class Ground:
    """Devices, namespaces and the kernel's program. ``request`` is a whole one, see `duel.Duel`."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.theirs = BEHIND if request["router"] else BESIDE
        self._spaces: dict[str, int] = {}
        self._held: list[subprocess.Popen[str]] = []
        self._capture: subprocess.Popen[str] | None = None

    # ---- the kernel's program

    def start_peer(self, asked: dict[str, Any]) -> None:
        """Start it in a namespace of its own; it waits for its device."""
        self.peer = self._in_new_space("peer", sys.executable, _PEER, json.dumps(asked))
        self.hear_peer()

    def tell_peer(self) -> None:
        """Say that what it waits for is there."""
        assert self.peer.stdin is not None
        self.peer.stdin.write("\n")
        self.peer.stdin.flush()

    def hear_peer(self) -> str:
        """Wait for its next line."""
        assert self.peer.stdout is not None
        return self.peer.stdout.readline()

    def found_by_peer(self, done: bool) -> list[list[Any]]:
        """What it says at its end: (bytes, digest) of each connection; nothing when it had to be stopped."""
        if not done:
            self.peer.kill()
        said, _ = self.peer.communicate(timeout=10)
        found: list[list[Any]] = json.loads(said) if done else []
        return found

    def _in_new_space(self, name: str, *argv: str) -> subprocess.Popen[str]:
        made = subprocess.Popen(["unshare", "-n", *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._held.append(made)
        here = os.stat("/proc/self/ns/net").st_ino
        path = f"/proc/{made.pid}/ns/net"
        while os.stat(path).st_ino == here:  # until unshare has done its work
            if made.poll() is not None:
                raise OSError("no network namespace can be made")
        self._spaces[name] = os.open(path, os.O_RDONLY)
        # Link-local addresses can be used at once: nobody else is here.
        self.inside(name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
        return made

    # ---- the wires

    def lay(self) -> None:
        """Make the devices, give them addresses, set what the request asks of the kernel."""
        mtu = str(self.request["mtu"])
        if self.request["router"]:
            self._in_new_space("router", "cat")
            self._veth("va", "router", "ra")
            self._veth("rb", "peer", "vb", near="router")
            self._address("router", "ra", NEAR, mtu)
            self._address("router", "rb", FAR, mtu)
            self._route_through()
        else:
            self._veth("va", "peer", "vb")
        self._address("peer", "vb", self.theirs, mtu)
        for name, value in self.request["sysctls"].items():
            self.inside("peer", "sysctl", "-qw", f"{name}={value}")
        if self.request["router"]:
            self._ways_back()
        if not self.request["offload"]:
            self._finish_in_software()
        do("ip", "link", "set", "va", "up", "mtu", mtu)
        if self.request["shaped"]:
            bucket = ("burst", "6000", "limit", "10000000")
            do("tc", "qdisc", "add", "dev", "va", "root", "tbf", "rate", self.request["shaped"], *bucket)
        if self.request["kernel"]:
            do("ip", "addr", "add", f"{OURS[4]}/24", "dev", "va")

    def _veth(self, one: str, space: str, other: str, near: str = "") -> None:
        """``one`` here or in the namespace ``near``, ``other`` in ``space``."""
        far = str(self._process(space))
        argv = ["ip", "link", "add", one, "type", "veth", "peer", "name", other, "netns", far]
        if near:
            self.inside(near, *argv)
        else:
            do(*argv)

    def _process(self, space: str) -> int:
        return self._held[list(self._spaces).index(space)].pid

    def _address(self, space: str, device: str, addresses: dict[int, str], mtu: str) -> None:
        self.inside(space, "ip", "link", "set", device, "mtu", mtu)
        self.inside(space, "ip", "addr", "add", f"{addresses[4]}/24", "dev", device)
        if int(mtu) >= 1280:
            self.inside(space, "ip", "addr", "add", f"{addresses[6]}/64", "dev", device, "nodad")
        self.inside(space, "ip", "link", "set", device, "up")

    def _route_through(self) -> None:
        for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            self.inside("router", "sysctl", "-qw", f"{name}=1")

    def _ways_back(self) -> None:
        for version, via in FAR.items():
            self.inside("peer", "ip", f"-{version}", "route", "add", "default", "via", via)
        for command in self.request["router"]:
            self.at_router(command)

    def at_router(self, command: str) -> None:
        """Run a command of words in the router's namespace; it may be set up anew in mid-transfer."""
        self.inside("router", *command.split())

    def _finish_in_software(self) -> None:
        finish_in_software("va")
        devices = [("router", "ra"), ("router", "rb")] if self.request["router"] else []
        for space, device in [("peer", "vb"), *devices]:
            self.inside(space, sys.executable, "-c", _PLAIN.format(device))

    # ---- our host

    def host(self) -> Host:
        """Ours, with addresses of both versions."""
        ifp = Ifnet("va", MAC, (Address(parsed(OURS[4]), 24),), mtu=self.request["mtu"])
        routes = [Route(parsed("10.0.0.0"), 24, 0, "va")]
        if self.request["router"]:
            routes.append(Route(0, 0, parsed(NEAR[4]), "va"))
        host = Host("ours", "host", (ifp,), tuple(routes))
        host.inet6.add(ifp, parsed(OURS[6]), 64)
        if self.request["router"]:
            host.inet6.fib.add(Route(0, 0, parsed(NEAR[6]), "va"))
        return host

    # ---- looking

    def inside(self, space: str, *argv: str) -> str:
        """Run a command in one of the kernel's namespaces, and what it says."""
        entered = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._spaces[space]}", *argv]
        return subprocess.run(entered, check=True, stdout=subprocess.PIPE, text=True).stdout

    def sockets(self) -> str:
        """what ``ss`` says of the kernel's connections."""
        return self.inside("peer", "ss", "-tinoH")

    def counters(self) -> dict[str, int]:
        """What the kernel's end has counted, by the names of nstat; those at zero are left out."""
        said: dict[str, dict[str, int]] = json.loads(self.inside("peer", "nstat", "-a", "-s", "--json"))
        return dict(said["kernel"])

    def capture(self, file: str) -> None:
        """Have tcpdump write what passes our device."""
        argv = ["tcpdump", "-i", "va", "-U", "--immediate-mode", "-B", "65536", "-w", file, "tcp"]
        self._capture = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
        stderr: IO[str] | None = self._capture.stderr
        assert stderr is not None
        while "listening" not in (line := stderr.readline()):
            if not line:
                raise OSError("tcpdump did not begin")

    def close(self) -> None:
        """End what was started here."""
        if self._capture is not None:
            self._capture.terminate()
            self._capture.communicate(timeout=10)
        for one in self._held:
            if one.stdin is not None:
                one.stdin.close()
            one.kill()
            one.wait(timeout=10)
            if one.stdout is not None:
                one.stdout.close()
        for space in self._spaces.values():
            os.close(space)
        self._held, self._spaces = [], {}


def do(*argv: str) -> None:
    """Run a command; CalledProcessError when it fails."""
    subprocess.run(argv, check=True)
