"""Our TCP against the kernel's over a veth: `unshare -n python -m netlab.backend.native.duel REQUEST`, as root.

The kernel's end is in a namespace of its own. The request and the answer are JSON: see `Duel`.
"""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from netlab.backend.mininet.offload import finish_in_software
from netlab.backend.native.afpacket import AfPacket
from netlab.backend.native.badcable import BadCable
from netlab.backend.native.livehost import LiveHost
from netlab.sim.rng import Streams
from netlab.stack.drivers.api import Driver
from netlab.stack.drivers.faults import Faults
from netlab.stack.fib import Route
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.tcp.knobs import linux
from netlab.units import MS, SEC
from netlab.workload.apps import Pinger
from netlab.workload.bulk import BulkSender, Sink, long_pattern
from netlab.workload.http import HttpGet, HttpServer
from netlab.workload.spec import Ping

OURS, THEIRS, NETWORK = 0x0A000001, 0x0A000002, 0x0A000000
MAC = bytes.fromhex("020000000001")
PORT = 5001
BUFFER = 4 << 20
"""Bytes that either side of a connection holds."""
DEFAULTS = {"offload": True, "keep": False, "faults": {}, "seed": 1, "kernel": False, "limit": 60.0}
PEERS = {
    "send": ("sink", "10.0.0.2"),
    "take": ("source", "10.0.0.1"),
    "serve": ("curl", "10.0.0.1"),
    "fetch": ("web", "10.0.0.2"),
    "ping": ("source", "10.0.0.1"),
}
"""What ours does -> what the kernel's end does, and the address that listens."""
_PEER = str(Path(__file__).with_name("duelpeer.py"))
_PLAIN = "from netlab.backend.mininet.offload import finish_in_software; finish_in_software('vb')"


class Duel:
    """``request``: ``role`` (what ours does, see `PEERS`), ``sizes`` in bytes, one a connection, and `DEFAULTS`.

    ``keep`` compares every byte by its digest; ``kernel`` has the kernel at both ends instead of us.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self.request: dict[str, Any] = {**DEFAULTS, **request}
        self.sizes: list[int] = self.request["sizes"]

    def run(self) -> dict[str, Any]:
        """What came of it: bytes and seconds, each side's digests, sorted, and what our interface counted."""
        self._start_peer()
        self._wire()
        self._tell_peer()
        self._hear_peer()
        if self.request["kernel"]:
            return self._kernel()
        ways = {"send": self._send, "take": self._take, "serve": self._serve, "fetch": self._fetch, "ping": self._ping}
        return ways[self.request["role"]]()

    # ---- the wire and the other side

    def _start_peer(self) -> None:
        role, address = PEERS[self.request["role"]]
        what = len(self.sizes) if role == "sink" else self.sizes
        argv = ["unshare", "-n", sys.executable, _PEER]
        argv += [role, address, str(PORT), json.dumps(what), str(int(self.request["keep"]))]
        self.peer = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._hear_peer()

    def _wire(self) -> None:
        inside = ["nsenter", "-t", str(self.peer.pid), "-n"]
        _do("ip", "link", "add", "va", "type", "veth", "peer", "name", "vb", "netns", str(self.peer.pid))
        _do(*inside, "ip", "addr", "add", "10.0.0.2/24", "dev", "vb")
        _do(*inside, "ip", "link", "set", "vb", "up")
        if not self.request["offload"]:
            _do(*inside, sys.executable, "-c", _PLAIN)
            finish_in_software("va")
        _do("ip", "link", "set", "va", "up")
        if self.request["kernel"]:
            _do("ip", "addr", "add", "10.0.0.1/24", "dev", "va")

    def _tell_peer(self) -> None:
        assert self.peer.stdin is not None
        self.peer.stdin.write("\n")
        self.peer.stdin.flush()

    def _hear_peer(self) -> str:
        assert self.peer.stdout is not None
        return self.peer.stdout.readline()

    def _live(self) -> LiveHost:
        r = self.request
        host = Host("ours", "host", (Ifnet("va", MAC, (Address(OURS, 24),)),), (Route(NETWORK, 24, 0, "va"),))
        knobs = host.tcp.layer.knobs = linux()
        knobs.receive_buffer = knobs.send_buffer = BUFFER
        host.tcp.offload(r["offload"])
        driver: Driver = AfPacket("va", offload=r["offload"] and not r["faults"])
        if r["faults"]:
            streams = Streams(r["seed"])
            chances = streams.stream("faults", "va", "out"), streams.stream("faults", "va", "in")
            driver = BadCable(driver, Faults(**r["faults"]), *chances, time.monotonic_ns)
        return LiveHost(host, {"va": driver})

    # ---- the duel

    def _send(self) -> dict[str, Any]:
        live = self._live()
        texts = [long_pattern(size, seed) for seed, size in enumerate(self.sizes)]
        senders = [BulkSender(live.host, THEIRS, PORT, text, lambda *_: None) for text in texts]
        began = time.monotonic()
        for sender in senders:
            live.do(sender.start)
        done = live.run(lambda: all(s.finished is not None for s in senders), self.request["limit"])
        took = time.monotonic() - began
        errors = sorted({s.error for s in senders if s.error})
        digests = [hashlib.sha256(t).hexdigest() for t in texts] if self.request["keep"] else []
        return self._answer(live, done, took, errors, digests)

    def _take(self) -> dict[str, Any]:
        live = self._live()
        sink = Sink(live.host, PORT, keep=self.request["keep"])
        began = time.monotonic()
        self._tell_peer()
        done = live.run(lambda: len(sink.digests) == len(self.sizes), self.request["limit"])
        took = time.monotonic() - began
        live.run(lambda: self.peer.poll() is not None, 5)
        errors = [] if sink.octets == sum(self.sizes) else [f"{sink.octets} bytes came"]
        return self._answer(live, done, took, errors, sink.digests)

    def _serve(self) -> dict[str, Any]:
        live = self._live()
        texts = [long_pattern(size, seed) for seed, size in enumerate(self.sizes)]
        server = HttpServer(live.host, {f"/{n}": text for n, text in enumerate(texts)}, PORT)
        began = time.monotonic()
        self._tell_peer()
        done = live.run(lambda: self.peer.poll() is not None, self.request["limit"])
        took = time.monotonic() - began
        errors = [f"{path}: {status}" for _, path, status in server.served if status != 200]
        return self._answer(live, done, took, errors, [hashlib.sha256(t).hexdigest() for t in texts])

    def _fetch(self) -> dict[str, Any]:
        live, began = self._live(), time.monotonic()
        gets = [HttpGet(live.host, THEIRS, f"/{n}", name="theirs", port=PORT) for n in range(len(self.sizes))]
        for get in gets:
            live.do(get.start)
        done = live.run(lambda: all(get.finished is not None for get in gets), self.request["limit"])
        took = time.monotonic() - began
        live.run(lambda: self.peer.poll() is not None, 5)
        digests = [hashlib.sha256(get.body).hexdigest() for get in gets]
        return self._answer(live, done, took, [get.error for get in gets if get.error], digests)

    def _ping(self) -> dict[str, Any]:
        """Pings one after the other to the kernel; ``seconds`` is the median round trip."""
        live = self._live()
        asked = Ping("ours", "10.0.0.2", count=self.sizes[0], interval=2 * MS)
        pinger = Pinger(live.host, asked, (4, THEIRS), 1, lambda *_: None)
        pinger.start(live.executor.now())
        replies = pinger.outcome
        done = live.run(lambda: all(r.result != "silence" for r in replies().replies), self.request["limit"])
        rtts = sorted(r.rtt for r in replies().replies if r.result == "answered")
        self._theirs(False)
        live.close()
        return {"done": done, "errors": [], "octets": 0, "seconds": rtts[len(rtts) // 2] / SEC if rtts else 0.0}

    def _answer(self, live: LiveHost, done: bool, took: float, errors: list[str], digests: list[str]) -> dict[str, Any]:
        theirs = self._theirs(done)
        counters = dict(live.host.interfaces["va"].counters)
        live.close()
        return {
            "done": done,
            "errors": errors,
            "seconds": took,
            "octets": sum(octets for octets, _ in theirs),
            "ours": sorted(digests),
            "theirs": sorted(digest for _, digest in theirs if digest),
            "counters": counters,
        }

    def _theirs(self, done: bool) -> list[list[Any]]:
        if not done:
            self.peer.kill()
        said, _ = self.peer.communicate(timeout=10)
        found: list[list[Any]] = json.loads(said) if done else []
        return found

    def _kernel(self) -> dict[str, Any]:
        """The same with the kernel at both ends: what this machine can do."""
        data, began = long_pattern(self.sizes[0], 0), time.monotonic()
        with socket.create_connection(("10.0.0.2", PORT)) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
        took = time.monotonic() - began
        self.peer.communicate(timeout=10)
        return {"done": True, "errors": [], "seconds": took, "octets": len(data)}


def duel(**request: Any) -> dict[str, Any]:
    """Run one in namespaces of its own. OSError or CalledProcessError where that is not allowed."""
    argv = ["unshare", "-n", sys.executable, "-m", "netlab.backend.native.duel", json.dumps(request)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _do(*argv: str) -> None:
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    print(json.dumps(Duel(json.loads(sys.argv[1])).run()))
