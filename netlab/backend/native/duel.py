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
from collections.abc import Callable
from typing import Any

from netlab.backend.leftovers import alive, left_by
from netlab.backend.native.afpacket import AfPacket
from netlab.backend.native.badcable import BadCable
from netlab.backend.native.duelground import OURS, Ground, parsed
from netlab.backend.native.livehost import LiveHost
from netlab.backend.native.markingcable import MarkingCable
from netlab.backend.native.pressed import PressedLiveExecutor
from netlab.sim.rng import Streams
from netlab.stack.drivers.api import Driver
from netlab.stack.drivers.faults import Faults
from netlab.stack.tcp.knobs import SYSTEMS
from netlab.units import MS, SEC
from netlab.workload.apps import Pinger
from netlab.workload.bulk import BulkSender, Sink, long_pattern
from netlab.workload.http import HttpGet, HttpServer
from netlab.workload.iperf3 import Iperf3Server
from netlab.workload.spec import Ping
from netlab.workload.talk import Talker, TcpEchoServer

PORT = 5001
MESSAGES = 60
"""As in `duelpeer`."""
BUFFER = 4 << 20
"""Bytes that either side of a connection holds."""
DEFAULTS = {
    "family": 4,
    "offload": True,
    "mtu": 1500,
    "keep": False,
    "faults": {},
    "marks": 0.0,
    "seed": 1,
    "kernel": False,
    "parallel": 1000,
    "system": "linux",
    "knobs": {},
    "congestion": "",
    "sysctls": {},
    "router": [],
    "midway": "",
    "watch": False,
    "capture": "",
    "words": [],
    "account": False,
    "shaped": "",
    "pressure": "",
    "limit": 60.0,
}
ROLES = {
    "send": "sink",
    "take": "source",
    "serve": "curl",
    "fetch": "web",
    "ping": "sink",
    "iperf3": "iperf3",
    "talk": "echo",
    "echo": "talk",
}
"""What ours does -> what the kernel's end does."""
LISTENS = frozenset({"sink", "web", "echo"})
"""Roles in which the kernel's end is the one that is connected to."""


class Duel:
    """``request``: ``role`` (what ours does, see `ROLES`), ``sizes`` in bytes, one a connection, and `DEFAULTS`.

    ``keep`` compares every byte by its digest; ``kernel`` has the kernel at both ends instead of us; ``parallel``
    connections are open at once; ``marks`` is how many packets are marked by ECN on the way; ``system`` is whose
    defaults our TCP has, and ``knobs`` what is otherwise; ``congestion`` and ``sysctls`` are the kernel's; ``router``
    are commands that set up a router between the two, and ``midway`` one more, for when half of the bytes have come;
    ``watch`` looks at the kernel's sockets with `ss` when bytes have come (for so long our side stands still);
    ``words`` are iperf3's; ``capture`` is a file for tcpdump; ``shaped`` is the rate, as tc says it, of a token bucket
    before our device, ``pressure`` our policy above it; ``account`` waits for the end of every connection and tells
    what is left.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self.request: dict[str, Any] = {**DEFAULTS, **request}
        self.sizes: list[int] = self.request["sizes"]
        self.ground = Ground(self.request)
        self.seen = ""
        """What `ss` said when the first bytes had come."""

    def run(self) -> dict[str, Any]:
        """What came of it: bytes and seconds, each side's digests, sorted, and what our interface counted."""
        try:
            return self._run()
        finally:
            self.ground.close()

    def _run(self) -> dict[str, Any]:
        role, ground = ROLES[self.request["role"]], self.ground
        address = (ground.theirs if role in LISTENS else OURS)[self.request["family"]]
        same = {name: self.request[name] for name in ("sizes", "keep", "parallel", "congestion", "words")}
        ground.start_peer({"role": role, "address": address, "port": PORT, **same})
        ground.lay()
        if self.request["capture"]:
            ground.capture(self.request["capture"])
        ground.tell_peer()
        ground.hear_peer()
        if self.request["kernel"]:
            return self._kernel()
        self.theirs = parsed(ground.theirs[self.request["family"]])
        act: Callable[[], dict[str, Any]] = getattr(self, f"_{self.request['role']}")
        return act()

    def _live(self) -> LiveHost:
        r = self.request
        host = self.ground.host()
        knobs = host.tcp.layer.knobs = SYSTEMS[r["system"]]()
        knobs.receive_buffer = knobs.send_buffer = BUFFER
        for name, value in r["knobs"].items():
            setattr(knobs, name, value)
        host.tcp.offload(r["offload"])
        driver: Driver = AfPacket("va", offload=r["offload"] and not r["faults"] and not r["marks"])
        if r["faults"]:
            streams = Streams(r["seed"])
            chances = streams.stream("faults", "va", "out"), streams.stream("faults", "va", "in")
            driver = BadCable(driver, Faults(**r["faults"]), *chances, time.monotonic_ns)
        if r["marks"]:
            self.cable = driver = MarkingCable(driver, r["marks"], Streams(r["seed"]).stream("marks", "va"))
        self.live = LiveHost(host, {"va": driver}, {"va": r["pressure"]} if r["pressure"] else None)
        return self.live

    def _work(self, done: Callable[[], bool], octets: Callable[[], int]) -> bool:
        """Run until it is done; on the way look at the kernel's sockets, and do what was asked for midway."""
        end, half = time.monotonic() + self.request["limit"], sum(self.sizes) // 2
        if self.request["watch"]:
            self.live.run(lambda: done() or octets() > 0, self.request["limit"])
            self.seen = self.ground.sockets()
        if self.request["midway"]:
            self.live.run(lambda: done() or octets() > half, end - time.monotonic())
            self.ground.at_router(self.request["midway"])
        return self.live.run(done, end - time.monotonic())

    def _over(self) -> bool:
        return self.ground.peer.poll() is not None

    # ---- the duel

    def _send(self) -> dict[str, Any]:
        live = self._live()
        texts = [long_pattern(size, seed) for seed, size in enumerate(self.sizes)]
        crowd = Crowd(live, [BulkSender(live.host, self.theirs, PORT, text, lambda *_: None) for text in texts])
        began = time.monotonic()
        done = self._work(lambda: crowd.over(self.request["parallel"]), crowd.octets)
        took = time.monotonic() - began
        errors = sorted({s.error for s in crowd.senders if s.error})
        digests = [hashlib.sha256(t).hexdigest() for t in texts] if self.request["keep"] else []
        return self._answer(done, took, errors, digests)

    def _take(self) -> dict[str, Any]:
        live = self._live()
        sink = Sink(live.host, PORT, keep=self.request["keep"])
        began = time.monotonic()
        self.ground.tell_peer()
        done = self._work(lambda: len(sink.digests) == len(self.sizes), lambda: sink.octets)
        took = time.monotonic() - began
        live.run(self._over, 5)
        errors = [] if sink.octets == sum(self.sizes) else [f"{sink.octets} bytes came"]
        return self._answer(done, took, errors, sink.digests)

    def _serve(self) -> dict[str, Any]:
        live = self._live()
        texts = [long_pattern(size, seed) for seed, size in enumerate(self.sizes)]
        server = HttpServer(live.host, {f"/{n}": text for n, text in enumerate(texts)}, PORT)
        began = time.monotonic()
        self.ground.tell_peer()
        done = live.run(self._over, self.request["limit"])
        took = time.monotonic() - began
        errors = [f"{path}: {status}" for _, path, status in server.served if status != 200]
        return self._answer(done, took, errors, [hashlib.sha256(t).hexdigest() for t in texts])

    def _iperf3(self) -> dict[str, Any]:
        """iperf3's client against our server: ``status`` is its own and what it said, ``tests`` what we counted."""
        live = self._live()
        server = Iperf3Server(live.host, PORT)
        began = time.monotonic()
        self.ground.tell_peer()
        done = live.run(self._over, self.request["limit"])
        took = time.monotonic() - began
        found = self._answer(done, took, [test.error for test in server.done if test.error], [])
        return {**found, "tests": [test._asdict() for test in server.done], "status": self.status}

    def _talk(self) -> dict[str, Any]:
        """Messages of each size to the kernel, one connection after the other; ``waits`` by size, in ms."""
        live, began = self._live(), time.monotonic()
        talkers = [Talker(live.host, self.theirs, size, MESSAGES, port=PORT) for size in self.sizes]
        done = all(self._converses(talker) for talker in talkers)
        took = time.monotonic() - began
        live.run(self._over, 5)
        found = self._answer(done, took, [talker.error for talker in talkers if talker.error], [])
        return {**found, "waits": [[wait / MS for wait in talker.waits] for talker in talkers]}

    def _converses(self, talker: Talker) -> bool:
        self.live.do(talker.start)
        return self.live.run(lambda: talker.finished is not None, self.request["limit"])

    def _echo(self) -> dict[str, Any]:
        """The kernel's messages, sent back by us; its waits are what it says instead of digests."""
        live = self._live()
        server = TcpEchoServer(live.host, PORT)
        began = time.monotonic()
        self.ground.tell_peer()
        done = live.run(self._over, self.request["limit"])
        found = self._answer(done, time.monotonic() - began, [], [])
        return {**found, "waits": [json.loads(said) for said in self.said], "echoed": server.octets}

    def _fetch(self) -> dict[str, Any]:
        live, began = self._live(), time.monotonic()
        gets = [HttpGet(live.host, self.theirs, f"/{n}", name="theirs", port=PORT) for n in range(len(self.sizes))]
        for get in gets:
            live.do(get.start)
        done = live.run(lambda: all(get.finished is not None for get in gets), self.request["limit"])
        took = time.monotonic() - began
        live.run(self._over, 5)
        digests = [hashlib.sha256(get.body).hexdigest() for get in gets]
        return self._answer(done, took, [get.error for get in gets if get.error], digests)

    def _ping(self) -> dict[str, Any]:
        """Pings one after the other to the kernel; ``seconds`` is the median round trip."""
        live = self._live()
        asked = Ping("ours", self.ground.theirs[4], count=self.sizes[0], interval=2 * MS)
        pinger = Pinger(live.host, asked, (4, self.theirs), 1, lambda *_: None)
        pinger.start(live.executor.now())
        replies = pinger.outcome
        done = live.run(lambda: all(r.result != "silence" for r in replies().replies), self.request["limit"])
        rtts = sorted(r.rtt for r in replies().replies if r.result == "answered")
        self.ground.found_by_peer(False)
        live.close()
        return {"done": done, "errors": [], "octets": 0, "seconds": rtts[len(rtts) // 2] / SEC if rtts else 0.0}

    def _waited(self) -> int:
        """The most bytes that waited below us, where a policy looked."""
        executor = self.live.executor
        return executor.outlets["va"].deepest if isinstance(executor, PressedLiveExecutor) else 0

    def _answer(self, done: bool, took: float, errors: list[str], digests: list[str]) -> dict[str, Any]:
        live = self.live
        theirs = self.ground.found_by_peer(done)
        self.said = [said for _, said in theirs]
        if self.request["role"] == "iperf3":
            self.status, theirs = (theirs or [[None, "it had to be stopped"]])[0], []
        if self.request["account"]:
            live.run(lambda: not left_by(live.host), 10)
        found = {
            "done": done,
            "errors": errors,
            "seconds": took,
            "octets": sum(octets for octets, _ in theirs),
            "ours": sorted(digests),
            "theirs": sorted(digest for _, digest in theirs if digest),
            "counters": dict(live.host.interfaces["va"].counters),
            "kernel": self.ground.counters(),
            "sockets": self.seen,
            "left": left_by(live.host),
            "path_mtu": self._path_mtu(),
            "marks": dict(self.cable.seen) if self.request["marks"] else {},
            "waited": self._waited(),
        }
        live.close()
        return found

    def _path_mtu(self) -> int:
        """What our host believes of the way to the other side."""
        paths = self.live.host.paths6 if self.request["family"] == 6 else self.live.host.paths
        return paths.mtu(self.theirs, self.live.executor.now(), self.request["mtu"])

    def _kernel(self) -> dict[str, Any]:
        """The same with the kernel at both ends: what this machine can do."""
        data, began = long_pattern(self.sizes[0], 0), time.monotonic()
        with socket.create_connection((self.ground.theirs[4], PORT)) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
        took = time.monotonic() - began
        self.ground.found_by_peer(True)
        return {"done": True, "errors": [], "seconds": took, "octets": len(data)}


class Crowd:
    """Senders, of which so many run at once."""

    def __init__(self, live: LiveHost, senders: list[BulkSender]) -> None:
        self.senders = senders
        self._live, self._waiting, self._running = live, senders[::-1], list[BulkSender]()

    def octets(self) -> int:
        """Bytes that the other side has acknowledged."""
        started = self.senders[: len(self.senders) - len(self._waiting)]
        ends = (sender.socket.endpoint.connection for sender in started)
        return sum(c.snd_una - c.iss for c in ends)

    def over(self, parallel: int) -> bool:
        """Start as many as there is room for; whether all have ended."""
        self._running = [sender for sender in self._running if sender.finished is None]
        while self._waiting and len(self._running) < parallel:
            self._running.append(self._waiting.pop())
            self._live.do(self._running[-1].start)
        return not self._running


def duel(**request: Any) -> dict[str, Any]:
    """Run one in namespaces of its own. OSError or CalledProcessError where that is not allowed.

    ``alive`` in the answer are objects of the stack that the process still held when all was done.
    """
    argv = ["unshare", "-n", sys.executable, "-m", "netlab.backend.native.duel", json.dumps(request)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, timeout=180)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(argument: str) -> dict[str, Any]:
    """The answer, and what outlived the duel."""
    found = Duel(json.loads(argument)).run()
    return {**found, "alive": alive()}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
