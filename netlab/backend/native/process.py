"""The process that runs one node's stack: `python -m netlab.backend.native.process FD`, inside the node's namespace.

The first message on the socket says all: the plan, the node, its devices' kernel names, the run's start. It ends when
the socket does.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from netlab.backend.names import destination
from netlab.backend.native.afpacket import AfPacket, takes_whole
from netlab.backend.native.executor import LiveExecutor
from netlab.backend.native.messages import Messages, failure_to_data, outcome_to_data, plain, workload_from_data
from netlab.stack.host import build_host
from netlab.stack.interfaces import switch
from netlab.stack.slot import SlotCall, SlotFailure
from netlab.topology.codec import plan_from_data
from netlab.topology.spec import Plan
from netlab.trace.record import Row
from netlab.workload.apps import App, FrameSender, Pinger, UdpEchoClient, UdpEchoServer
from netlab.workload.bulk import BulkClient, Sink
from netlab.workload.spec import Bulk, Frames, Ping, length

FLUSH = 0.02
"""Seconds that records may wait before they are sent to the session."""


class NodeProcess:
    """One node at work: interfaces, timers, and messages from its session."""

    def __init__(self, messages: Messages, control: socket.socket) -> None:
        self.messages, self.control = messages, control
        first = messages.receive()
        if first is None:
            raise SystemExit(0)
        _, data, name, devices, base, slots, traced = first
        self.plan: Plan = plan_from_data(data)
        self.rows: list[Row] = []
        self._questions = count(1)
        self._idents, self._ports = count(4096), count(49152)
        self._sinks: dict[int, Sink] = {}
        self._running: dict[int, tuple[list[App], int]] = {}
        calls: dict[str, SlotCall] = {slot: self._asker(slot) for slot in slots}
        self.host = build_host(self.plan.node(name), self.plan, slots=calls)
        whole = takes_whole(self.plan.node(name))
        self.host.tcp.offload(whole)
        queues = {interface.name: interface.queues for interface in self.plan.node(name).interfaces}
        self.drivers = {
            plain: AfPacket(device, queues=queues.get(plain, 1), offload=whole) for plain, device in devices.items()
        }
        emit = self.rows.append if traced else None
        self.executor = LiveExecutor(self.host, dict(self.drivers), base=base, ids=count(1), emit=emit)
        for interface in self.plan.node(name).interfaces:
            switch(self.host.interfaces[interface.name], interface.offload)

    def serve(self) -> None:
        """Work until the session closes the socket."""
        poller = select.epoll()
        rings = {fd: (name, n) for name, driver in self.drivers.items() for n, fd in enumerate(driver.filenos())}
        for fd in (*rings, self.control.fileno()):
            poller.register(fd, select.EPOLLIN)
        self.messages.send("ready")
        flushed = time.monotonic()
        while True:
            now = self.executor.now()  # so that every timer of a workload has run before its end is looked at
            wait = self.executor.run_timers()
            self._finish(now)
            for fd, _ in poller.poll(self._patience(wait)):
                if fd in rings:
                    self.executor.poll(*rings[fd])
                elif not self._listen():
                    return
            if self.rows and (len(self.rows) > 4096 or time.monotonic() - flushed > FLUSH):
                self._flush()
                flushed = time.monotonic()

    def _patience(self, wait: float | None) -> float:
        """Seconds until something is to be done unasked: a timer, records to be sent, a workload to be given up."""
        now = self.executor.now()
        waits = [max(0, deadline - now) / 1e9 for _, deadline in self._running.values()]
        waits += [wait] if wait is not None else []
        waits += [FLUSH] if self.rows else []
        return min(waits, default=-1)

    def _flush(self) -> None:
        rows, self.rows[:] = list(self.rows), []
        failures = [failure_to_data(f) for f in self.host.slot_failures]
        self.host.slot_failures.clear()
        self.messages.send("rows", rows, failures)

    # ---- messages ----------------------------------------------------------------------------

    def _listen(self) -> bool:
        if not self.messages.fill():
            return False
        while (message := self.messages.pop()) is not None:
            self._obey(message)
        return True

    def _obey(self, message: tuple[Any, ...]) -> None:
        kind, *rest = message
        if kind == "run":
            number, workloads = rest
            self._start(number, workloads)
        elif kind == "serve":
            (port,) = rest
            if ("udp", port) not in self.host.sockets:
                UdpEchoServer(self.host, port)
            self.messages.send("served", port)
        elif kind == "sink":
            port, congestion = rest
            if port not in self._sinks:
                self._sinks[port] = Sink(self.host, port, keep=False, congestion=congestion)
            self.messages.send("sink", port)
        elif kind == "unsink":
            self.executor.inject(self._sinks.pop(rest[0]).close(self.executor.now()))
        elif kind == "flush":
            self._flush()
            self.messages.send("flushed")

    def _start(self, number: int, workloads: list[tuple[str, dict[str, Any]]]) -> None:
        apps = [self._app(data) for data in workloads]
        now = self.executor.now()
        for app in apps:
            app.start(now)
        last = max((length(workload_from_data(data)) for data in workloads), default=0)
        self._running[number] = (apps, now + last)

    def _app(self, data: tuple[str, dict[str, Any]]) -> App:
        workload = workload_from_data(data)
        if isinstance(workload, Frames):
            return FrameSender(self.host, workload)
        dst = destination(self.plan, workload)
        if isinstance(workload, Ping):
            return Pinger(self.host, workload, dst, next(self._idents), self._say)
        if isinstance(workload, Bulk):
            return BulkClient(self.host, workload, dst, self._say)
        return UdpEchoClient(self.host, workload, dst, workload.sport or next(self._ports), self._say)

    def _say(self, program: str, now: int, said: str, value: int) -> None:
        if self.executor.emit:
            self.executor.emit((now, "app", self.host.name, program, 0, 0, (said, value)))

    def _finish(self, now: int) -> None:
        """Answer for workloads that have nothing left to wait for, or that were to last until ``now`` at most."""
        for number, (apps, deadline) in list(self._running.items()):
            if now >= deadline or all(app.settled() for app in apps):
                del self._running[number]
                self._flush()
                for app in apps:
                    app.close()
                self.messages.send("outcomes", number, [outcome_to_data(app.outcome()) for app in apps])

    def _asker(self, slot: str) -> Callable[..., Any]:
        """A slot is filled by whoever the session has; ask it, and wait: a stage runs whole."""

        def call(*args: Any) -> Any:
            question = next(self._questions)
            self.messages.send("slot", question, slot, plain(args))
            while True:
                message = self.messages.receive()
                if message is None:
                    raise SystemExit(0)
                if message[0] == "slot" and message[1] == question:
                    _, _, ok, value = message
                    if ok:
                        return value
                    raise SlotFailure(*value)
                self._obey(message)

        return call


def main(argv: list[str]) -> int:
    """Run the node whose session is at the other end of file descriptor ``argv[0]``."""
    control = socket.socket(fileno=int(argv[0]))
    node = NodeProcess(Messages(control), control)
    try:
        node.serve()
    except (BrokenPipeError, ConnectionResetError):
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
