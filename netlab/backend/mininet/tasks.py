"""A workload whose source is a kernel host, as commands in its node; it runs in a thread and tells as it goes."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from netlab.backend.mininet import ping
from netlab.backend.mininet.arena import Arena
from netlab.backend.mininet.command import Completed, Running
from netlab.backend.names import address_of, node_named
from netlab.errors import BadInput, NetlabError, Unavailable
from netlab.topology.spec import Plan
from netlab.units import SEC, format_time
from netlab.workload.spec import Bulk, Flow, Frames, Outcome, Ping, Reply, UdpEcho, Workload, length

Tell = Callable[[int, str, str, str, int], None]
"""(CLOCK_MONOTONIC ns, node, program, what it says, a value): where a program's words go."""
_ECHO = ("port", "sport", "count", "interval", "size", "timeout", "start")
_POUR = ("port", "size", "duration", "flows", "timeout", "start")
_TRAFFIC = str(Path(__file__).with_name("traffic.py"))
_BULK = str(Path(__file__).with_name("bulktraffic.py"))
_GRACE = 10.0
"""Seconds that a command may take beyond what its workload lasts."""


class Stop:
    """What the workloads of one run share: once it is called, their commands end, also those that start later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the others
        self._jobs: set[Running] = set()
        self._called = False

    def __call__(self) -> None:
        with self._lock:
            self._called = True
            for job in self._jobs:
                job.cancel()

    def add(self, job: Running) -> None:
        """A command has started."""
        with self._lock:
            self._jobs.add(job)
            if self._called:
                job.cancel()

    def discard(self, job: Running) -> None:
        """A command has ended."""
        with self._lock:
            self._jobs.discard(job)


class Tasks:
    """Starts workloads on kernel hosts."""

    def __init__(self, arena: Arena, plan: Plan, tell: Tell) -> None:
        self.arena, self.plan, self.tell = arena, plan, tell
        self._servers: dict[tuple[str, int], Running] = {}
        self._lock = threading.Lock()  # guards _servers

    def serve_udp_echo(self, node: str, port: int) -> None:
        """Have an echo server on a kernel host, ready; a second call does nothing."""
        with self._lock:
            if (node, port) in self._servers:
                return
            server = self.arena.start(node, _python(_TRAFFIC, "serve", str(port)))
            if next(server.lines(), "") != "ready":
                said = _last_words(server.wait(5))
                raise Unavailable(f"no UDP echo server can be started on '{node}': {said}", where=self.plan.name)
            self._servers[node, port] = server

    def serve_bulk(self, node: str, port: int, congestion: str) -> Callable[[], None]:
        """Have a sink for TCP on a kernel host, ready; call what is returned when it is no longer needed."""
        server = self.arena.start(node, _python(_BULK, "sink", str(port), kernel_name(congestion)))
        if next(server.lines(), "") != "ready":
            raise Unavailable(
                f"no sink can be started on '{node}': {_last_words(server.wait(5))}", where=self.plan.name
            )
        return server.cancel

    def run(self, workload: Workload, stop: Stop) -> Outcome:
        """Run a workload to its end, or until ``stop``: then its outcome is incomplete."""
        if isinstance(workload, Ping):
            return self._ping(workload, stop)
        if isinstance(workload, UdpEcho):
            return self._echo(workload, stop)
        return self._bulk(workload, stop) if isinstance(workload, Bulk) else self._frames(workload, stop)

    def _ping(self, workload: Ping, stop: Stop) -> Outcome:
        argv = ping.command(workload, address_of(self.plan, workload.dst, workload.family))
        if workload.start:
            argv = ["sh", "-c", 'sleep "$0" && exec "$@"', f"{workload.start / SEC:.6f}", *argv]
        replies: dict[int, Reply] = {}

        def line(text: str) -> None:
            reply = ping.reply(text, workload.timeout)
            if reply is not None and reply.seq not in replies:
                replies[reply.seq] = reply
                self._news(time.monotonic_ns(), workload.src, "ping", reply)

        env = {**os.environ, "LC_ALL": "C"}
        done = self._run(workload.src, argv, _seconds(workload), line, stop, env=env)
        for reply in ping.refused(done.stderr, workload.count):
            replies[reply.seq] = reply
        return self._outcome(workload, replies, "ping")

    def _echo(self, workload: UdpEcho, stop: Stop) -> Outcome:
        fields = {name: getattr(workload, name) for name in _ECHO}
        replies: dict[int, Reply] = {}

        def line(text: str) -> None:
            said = json.loads(text)
            kind = "error" if said["error"] else "answered"
            replies[said["seq"]] = reply = Reply(said["seq"], kind, said["rtt"], said["error"])  # type: ignore[arg-type]
            self._news(said["t"], workload.src, "udp-echo", reply)

        request = {**fields, "dst": address_of(self.plan, workload.dst, workload.family)}
        self._program(workload.src, _TRAFFIC, "echo", request, _seconds(workload), line, stop)
        return self._outcome(workload, replies, "udp-echo")

    def _bulk(self, workload: Bulk, stop: Stop) -> Outcome:
        request = {name: getattr(workload, name) for name in _POUR} | {
            "dst": address_of(self.plan, workload.dst, workload.family),
            "congestion": kernel_name(workload.congestion),
            "late": workload.late,
        }
        flows: dict[int, Flow] = {}

        def line(text: str) -> None:
            said = json.loads(text)
            flows[said["flow"]] = flow = Flow(said["octets"], said["ns"], said["error"])
            self.tell(said["t"], workload.src, "bulk", str(flow), flow.octets)

        done = self._program(workload.src, _BULK, "pour", request, length(workload) / SEC, line, stop)
        if not done.ok and done.why == "exited":
            raise Unavailable(f"'{workload.src}' cannot send: {_last_words(done)}", where=self.plan.name)
        missing = Flow(0, 0, "not begun")
        return Outcome(workload, flows=tuple(flows.get(n, missing) for n in range(workload.flows)))

    def _frames(self, workload: Frames, stop: Stop) -> Outcome:
        device = self.arena.devices[workload.interface].kernel
        request = {
            "device": device,
            "frames": [frame.hex() for frame in workload.frames],
            "interval": workload.interval,
            "start": workload.start,
        }
        seconds = (workload.start + len(workload.frames) * workload.interval) / SEC
        done = self._program(workload.src, _TRAFFIC, "frames", request, seconds, lambda _line: None, stop)
        if not done.ok:
            raise NetlabError(f"frames could not be sent on {workload.interface}: {_last_words(done)}")
        return Outcome(workload, ())

    def _program(
        self,
        node: str,
        file: str,
        verb: str,
        request: dict[str, Any],
        seconds: float,
        line: Callable[[str], None],
        stop: Stop,
    ) -> Completed:
        """Run one of the programs of a file; its request lies in memory that it inherits."""
        memory = os.memfd_create("netlab-request")
        try:
            os.write(memory, json.dumps(request).encode())
            return self._run(node, _python(file, verb, "{fd3}"), seconds, line, stop, fds=(memory,))
        finally:
            os.close(memory)

    def _run(
        self,
        node: str,
        argv: Sequence[str],
        seconds: float,
        line: Callable[[str], None],
        stop: Stop,
        *,
        fds: Sequence[int] = (),
        env: dict[str, str] | None = None,
    ) -> Completed:
        job = self.arena.start(node, argv, timeout=seconds + _GRACE, env=env, fds=fds)
        stop.add(job)
        try:
            for text in job.lines():
                line(text)
            return job.wait()
        finally:
            stop.discard(job)

    def _news(self, t: int, node: str, program: str, reply: Reply) -> None:
        self.tell(t, node, program, words_of(reply), reply.rtt)

    def _outcome(self, workload: Ping | UdpEcho, replies: dict[int, Reply], program: str) -> Outcome:
        for seq in range(1, workload.count + 1):
            if seq not in replies:
                replies[seq] = Reply(seq, "silence")
                self._news(time.monotonic_ns(), workload.src, program, replies[seq])
        return Outcome(workload, tuple(replies[seq] for seq in range(1, workload.count + 1)))


def _seconds(workload: Ping | UdpEcho) -> float:
    return (workload.start + workload.count * workload.interval + workload.timeout) / SEC


def _python(*words: str) -> list[str]:
    return [sys.executable, "-I", "-S", *words]


def kernel_name(congestion: str) -> str:
    """What Linux calls a congestion control: our "newreno" is its "reno"."""
    return "reno" if congestion == "newreno" else congestion


def _last_words(done: Completed) -> str:
    return done.stderr.strip().rpartition("\n")[2] or done.why


def words_of(reply: Reply) -> str:
    """What a program says of a reply, as in the simulated world."""
    if reply.result == "answered":
        return f"seq {reply.seq}: answered after {format_time(reply.rtt)}"
    return f"seq {reply.seq}: {reply.said or 'no answer'}"


def source_named(plan: Plan, workload: Workload) -> str:
    """The name of the workload's source, which must be able to send. BadInput says why it is not."""
    node = node_named(plan, workload.src)
    if node.kind == "switch" and node.stack == "kernel":
        raise BadInput(f"'{node.name}' is a bridge, on which no program runs", where=plan.name)
    if not isinstance(workload, Frames) and not node.addresses:
        raise BadInput(f"'{node.name}' has no address, so nothing can be sent from it", where=plan.name)
    return node.name
