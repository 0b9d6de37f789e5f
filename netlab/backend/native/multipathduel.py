"""Our MPTCP against the kernel's over two veths: `unshare -n python -m netlab.backend.native.multipathduel REQUEST`.

As root. The kernel's end is in a namespace of its own. The request and the answer are JSON: see `MultipathDuel`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from netlab.backend.native.afpacket import AfPacket
from netlab.backend.native.badcable import BadCable
from netlab.backend.native.livehost import LiveHost
from netlab.sim.rng import Streams
from netlab.stack.drivers.api import Driver
from netlab.stack.drivers.faults import Faults
from netlab.stack.fib import Fibs, LinearFib, Route, Rule
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.mptcp.connection import Mptcp
from netlab.stack.mptcp.host import MptcpSocket, multipath
from netlab.stack.mptcp.paths import OwnAddress
from netlab.stack.offload import Offload
from netlab.stack.tcp.knobs import linux
from netlab.wire.address import format_ipv4, parse_ipv4
from netlab.workload.bulk import long_pattern
from netlab.workload.multipath import MultipathSender, MultipathSink

PORT = 5001
BUFFER = 4 << 20
"""Bytes that our side of a connection holds."""
DEFAULTS = {
    "size": 1_000_000,
    "rates": ["", ""],
    "second": "join",
    "backup": False,
    "kernel": "mptcp",
    "cut": None,
    "prio": "",
    "at": 0.5,
    "checksum": False,
    "offload": True,
    "faults": {},
    "seed": 1,
    "withdraw": "",
    "abort": "",
    "scheduler": "minrtt",
    "limit": 40.0,
}
PEERS = {"send": ("sink", "10.0.1.2"), "take": ("source", "10.0.1.1")}
"""What ours does -> what the kernel's end does, and the address that listens."""
PROTOCOLS = {"mptcp": 262, "plain": 0}
_PEER = str(Path(__file__).with_name("multipathpeer.py"))


class Cable(AfPacket):
    """A device whose cable can be cut without its noticing."""

    severed = False

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """On its way, or nowhere."""
        return self.severed or super().transmit(frame, queue)

    def transmit_long(self, frame: bytes, offload: Offload, queue: int = 0) -> bool:
        """On its way, or nowhere."""
        return self.severed or super().transmit_long(frame, offload, queue)

    def receive(self, queue: int = 0) -> bytes | None:
        """The next frame; from a cut cable none."""
        while (frame := super().receive(queue)) is not None and self.severed:
            pass
        return frame

    def receive_long(self, queue: int = 0) -> tuple[bytes, Offload | None] | None:
        """As `receive`."""
        while (frame := super().receive_long(queue)) is not None and self.severed:
            pass
        return frame


class MultipathDuel:
    """``request``: ``role`` ("send": ours connects and pours, "take": the kernel does), and `DEFAULTS`.

    ``rates`` limit both directions of either cable (as tc writes them; "" leaves it as fast as it is). ``second`` says
    who brings the second pair of addresses in: "join" the client, "signal" the server, "" nobody. ``kernel`` "plain"
    has the kernel speak plain TCP. ``faults`` spoil both cables.

    When ``at`` of the data has arrived, the cable with the index ``cut`` goes dead, and "ours" or "theirs" makes the
    second subflow a backup (``prio``), takes its address back (``withdraw``) or, where ours sends, cuts the connection
    (``abort``).
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self.request: dict[str, Any] = {**DEFAULTS, **request}
        self.ours_opens = self.request["role"] == "send"
        self.cables: list[Cable] = []
        self.carried: dict[str, int] = {}
        """Subflow -> bytes, as long as it lives and what was known when it went."""
        self.before: dict[str, int] = {}
        """The same in mid-transfer."""
        self.plain = True
        self.turned = False

    def run(self) -> dict[str, Any]:
        """What came of it: bytes, seconds and digests of both sides, what each cable carried, the kernel's counters."""
        self._start_peer()
        for n in (1, 2):
            self._wire(n, self.request["rates"][n - 1])
        self._configure_peer()
        self._tell_peer()
        self._hear_peer()
        live = self._live()
        return self._send(live) if self.ours_opens else self._take(live)

    # ---- the cables and the other side

    def _start_peer(self) -> None:
        role, address = PEERS[self.request["role"]]
        r = self.request
        settings = {"size": r["size"], "protocol": PROTOCOLS[r["kernel"]], "abort": None}
        if r["abort"] == "theirs":
            settings["abort"] = int(r["at"] * r["size"])
        argv = ["unshare", "-n", sys.executable, _PEER, role, address, str(PORT), json.dumps(settings)]
        self.peer = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._hear_peer()

    def _inside(self, *argv: str) -> None:
        _do("nsenter", "-t", str(self.peer.pid), "-n", *argv)

    def _wire(self, n: int, rate: str) -> None:
        ours, theirs = f"va{n}", f"vb{n}"
        _do("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", str(self.peer.pid))
        self._inside("ip", "addr", "add", f"10.0.{n}.2/24", "dev", theirs)
        self._inside("ip", "link", "set", theirs, "up")
        _do("ip", "link", "set", ours, "up")
        if rate:
            shape = ("root", "tbf", "rate", rate, "burst", "32k", "latency", "60ms")
            _do("tc", "qdisc", "add", "dev", ours, *shape)
            self._inside("tc", "qdisc", "add", "dev", theirs, *shape)

    def _configure_peer(self) -> None:
        """What it sends from its second address leaves by its second cable; and what MPTCP may do."""
        self._inside("ip", "rule", "add", "from", "10.0.2.2", "table", "2")
        self._inside("ip", "route", "add", "default", "via", "10.0.2.1", "dev", "vb2", "table", "2")
        self._inside("ip", "mptcp", "limits", "set", "subflow", "2", "add_addr_accepted", "2")
        if self.request["checksum"]:
            self._inside("sysctl", "-qw", "net.mptcp.checksum_enabled=1")
        use = {"join": "subflow", "signal": "signal", "": ""}[self.request["second"]]
        if use and (use == "signal") == self.ours_opens:
            backup = ["backup"] if self.request["backup"] else []
            self._inside("ip", "mptcp", "endpoint", "add", "10.0.2.2", "dev", "vb2", use, *backup)

    def _tell_peer(self) -> None:
        assert self.peer.stdin is not None
        self.peer.stdin.write("\n")
        self.peer.stdin.flush()

    def _hear_peer(self) -> str:
        assert self.peer.stdout is not None
        return self.peer.stdout.readline()

    # ---- our side

    def _live(self) -> LiveHost:
        r = self.request
        interfaces = tuple(
            Ifnet(f"va{n}", bytes((2, 0, 0, 0, 0, n)), (Address(parse_ipv4(f"10.0.{n}.1"), 24),)) for n in (1, 2)
        )
        routes = tuple(Route(parse_ipv4(f"10.0.{n}.0"), 24, 0, f"va{n}") for n in (1, 2))
        second = LinearFib((Route(0, 0, parse_ipv4("10.0.2.2"), "va2"),))
        fibs = Fibs(LinearFib(routes), {2: second}, (Rule(10, 2, parse_ipv4("10.0.2.0"), 24),))
        host = Host("ours", "host", interfaces, routes, fibs=fibs)
        knobs = host.tcp.layer.knobs = linux()
        knobs.receive_buffer = knobs.send_buffer = BUFFER
        host.tcp.offload(r["offload"] and not r["faults"])
        layer = multipath(host)
        layer.settings.checksum, layer.settings.scheduler = r["checksum"], r["scheduler"]
        if (r["second"] == "join" and self.ours_opens) or (r["second"] == "signal" and not self.ours_opens):
            signal = r["second"] == "signal"
            own = OwnAddress(parse_ipv4("10.0.2.1"), 1, subflow=not signal, signal=signal, backup=r["backup"])
            layer.own.append(own)
        self.cables = [Cable(f"va{n}", offload=r["offload"] and not r["faults"]) for n in (1, 2)]
        return LiveHost(host, {cable.name: self._spoilt(cable) for cable in self.cables})

    def _spoilt(self, cable: Cable) -> Driver:
        if not self.request["faults"]:
            return cable
        streams = Streams(self.request["seed"])
        out, back = (streams.stream("faults", cable.name, way) for way in ("out", "in"))
        return BadCable(cable, Faults(**self.request["faults"]), out, back, time.monotonic_ns)

    def _look(self, live: LiveHost, m: Mptcp, arrived: int) -> None:
        """What is to happen in mid-transfer happens once."""
        for s in m.subflows:
            name = f"{format_ipv4(s.pair.local)} to {format_ipv4(s.pair.remote)}"
            self.carried[name] = max(s.octets, s.taken - s.c.irs - 1)
        self.plain = m.plain is not None
        if self.turned or arrived < self.request["at"] * self.request["size"]:
            return
        self.turned = True
        self.before = dict(self.carried)
        self._turn(live, m)

    def _turn(self, live: LiveHost, m: Mptcp) -> None:
        request, socket = self.request, m.owner
        assert isinstance(socket, MptcpSocket)
        if request["cut"] is not None:
            self.cables[request["cut"]].severed = True
        if request["prio"] == "ours":
            live.do(lambda now: socket.prefer(m.subflows[1], now, backup=True))
        elif request["prio"]:
            self._inside("ip", "mptcp", "endpoint", "change", "id", "1", "backup")
        if request["abort"] == "ours":
            live.do(socket.abort)
        if request["withdraw"] == "ours":
            live.do(lambda now: socket.withdraw(multipath(live.host).own[0], now))
        elif request["withdraw"]:
            self._inside("ip", "mptcp", "endpoint", "delete", "id", "1")

    def _send(self, live: LiveHost) -> dict[str, Any]:
        text = long_pattern(self.request["size"])
        sender = MultipathSender(live.host, parse_ipv4("10.0.1.2"), PORT, text, lambda *_: None)
        began = time.monotonic()
        live.do(sender.start)
        socket = sender.socket
        assert isinstance(socket, MptcpSocket)

        def finished() -> bool:
            self._look(live, socket.connection, socket.delivered)
            return sender.finished is not None

        done = live.run(finished, self.request["limit"])
        took = time.monotonic() - began
        errors = [sender.error] if sender.error else []
        digest = hashlib.sha256(text).hexdigest()
        return self._answer(live, done, took, errors, digest)

    def _take(self, live: LiveHost) -> dict[str, Any]:
        sink = MultipathSink(live.host, PORT)
        began = time.monotonic()
        self._tell_peer()
        layer = multipath(live.host)

        def finished() -> bool:
            for m in layer.by_token.values():
                self._look(live, m, sink.octets)
            return len(sink.digests) == 1

        done = live.run(finished, self.request["limit"])
        took = time.monotonic() - began
        live.run(lambda: self.peer.poll() is not None, 5)
        errors = [] if sink.octets == self.request["size"] else [f"{sink.octets} bytes came"]
        digest = sink.digests[0] if sink.digests else ""
        return self._answer(live, done, took, errors, digest)

    def _answer(self, live: LiveHost, done: bool, took: float, errors: list[str], digest: str) -> dict[str, Any]:
        octets, theirs, counters = self._theirs(live, done)
        cables = {name: dict(ifp.counters) for name, ifp in live.host.interfaces.items()}
        live.close()
        return {
            "done": done,
            "errors": errors,
            "seconds": took,
            "octets": octets,
            "ours": digest,
            "theirs": theirs,
            "subflows": self.carried,
            "before": self.before,
            "plain": self.plain,
            "cables": cables,
            "kernel": counters,
        }

    def _theirs(self, live: LiveHost, done: bool) -> tuple[int, str, dict[str, int]]:
        live.run(lambda: self.peer.poll() is not None, 3)
        if not done or self.peer.poll() is None:
            self.peer.kill()
        said, _ = self.peer.communicate(timeout=10)
        if not said.strip():
            return 0, "", {}
        octets, digest, counters = json.loads(said)
        return octets, digest, counters


def multipath_duel(**request: Any) -> dict[str, Any]:
    """Run one in namespaces of its own. OSError or CalledProcessError where that is not allowed."""
    argv = ["unshare", "-n", sys.executable, "-m", "netlab.backend.native.multipathduel", json.dumps(request)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _do(*argv: str) -> None:
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    print(json.dumps(MultipathDuel(json.loads(sys.argv[1])).run()))
