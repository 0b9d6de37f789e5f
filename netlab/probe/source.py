"""The records of a real network: from the kernel's tracer where it may be read, from captures alone where not."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from netlab.errors import Unavailable
from netlab.probe.flows import FlowJoiner
from netlab.probe.join import KernelJoiner
from netlab.probe.journal import Journal
from netlab.probe.kallsyms import Places, places
from netlab.topology.spec import Plan, PlanNode
from netlab.trace.kinds import KINDS, Fidelity
from netlab.trace.log import Header, Log
from netlab.trace.record import Row

if TYPE_CHECKING:
    import socket

    from netlab.probe.capture import Capture
    from netlab.probe.tracefs import Instance

TICK = 0.01
"""Seconds between two looks at the buffers: cheaper than to be woken by each packet."""
UNFINISHED = 5_000_000
"""ns: what is younger than this when the buffers are drained waits for the next look.

A virtual core may stand still for some ms between an event's time and its being there.
"""
NATIVE_LATENCY = 40_000_000
"""ns that rows of a node with our own stack may take to get here."""
SETTLING = 3_000_000
"""ns that rows are held back, because an end is told as the start of the work that led to it."""
MOUTHFUL = 256
"""Pages of each core that are taken at once, some 20,000 events: with more to do, rows come in between all the same."""
COUNT_EVERY = 1.0
"""Seconds between two looks at the counters of what was lost."""

MANY_SOCKETS = 16
"""Sockets that a run opens at most to tell cores apart: when it is killed, the kernel takes 10 ms to close each."""

ALWAYS_SEEN = ("ether.input", "ifq")
SEEN_BY_PLACE = ("arp.input", "icmp.input", "icmp6.input")
"""Stages that leave a trace at every packet that ends in them, where the kernel's functions can be told by address."""
SEEN_BY_SOCKET = ("udp.input",)
"""Stages that leave a trace at every packet, where the kernel tells that a socket got something (Linux 6.3)."""

NO_TRACER = "captures only: stages inside kernel hosts are not observable here"


class KernelProbe:
    """Fills ``log`` with what happens in a network of namespaces, from `start` to `stop`.

    Rows come in order of time, about 20 ms behind what they tell (60 ms where a node runs our own stack). A thread of
    its own looks at the buffers; with ``threaded`` false `poll` does, when it is called.
    """

    def __init__(
        self,
        plan: Plan,
        names: Mapping[str, str],
        open_socket: Callable[[str], socket.socket],
        log: Log,
        base_ns: int,
        *,
        tracing: bool = True,
        threaded: bool = True,
    ) -> None:
        """``names``: plain interface name -> kernel name. ``open_socket``: plain name -> bound AF_PACKET raw socket.

        ``base_ns`` is the CLOCK_MONOTONIC time that records count from; ``tracing`` false asks for captures alone.
        """
        self.plan, self.log = plan, log
        self._names, self._open_socket = dict(names), open_socket
        self._tracing, self._threaded = tracing, threaded
        self._journal = Journal(base_ns)
        self._instance: Instance | None = None
        self._capture: Capture | None = None
        self._joiner: KernelJoiner | FlowJoiner | None = None
        self._inbox: list[Row] = []
        self._lock = threading.Lock()
        """Guards the joiner, the journal and what is drained; `poll` holds it."""
        self._inbox_lock = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None
        self._counted = 0.0
        self._lost = 0
        self._sees_sockets = False
        self._behind = False
        """There was more in the buffers than was taken."""
        self._shares = 1
        self._notes: list[str] = []
        self.has_native = any(node.stack == "netlab" for node in plan.nodes)

    # ---- from start to stop ----

    def start(self) -> None:
        """Begin to watch; the log's header says from here on what can be seen."""
        self._open()
        self.log.header = self.header(self.log.header)
        if self._threaded:
            self._thread = threading.Thread(target=self._run, name="netlab-probe", daemon=True)
            self._thread.start()

    def _open(self) -> None:
        from netlab.probe.capture import Capture
        from netlab.probe.tracefs import Instance

        if self._tracing:
            try:
                self._instance = Instance(
                    {kernel: plain for plain, kernel in self._names.items()}, _ending(self._names)
                )
            except Unavailable as error:
                self._notes.append(f"{NO_TRACER} ({error})")
        else:
            self._notes.append(NO_TRACER)
        try:
            interfaces = self._captured()
            self._shares = self._share(len(interfaces))
            self._capture = Capture(
                interfaces, self._open_socket, outgoing=self._instance is not None, shares=self._shares
            )
        except BaseException:  # an arena that has ended, an interrupt: whatever it is, the tracer must not stay on
            self._close()
            raise
        self._joiner = self._make_joiner(interfaces)
        if self._instance is not None:
            self._sees_sockets = self._instance.parser.tells_sockets
            self._instance.drain()  # packets that were on their way before the captures were ready

    def _captured(self) -> tuple[str, ...]:
        """Where frames are captured: where packets begin or change, and everywhere when nothing else is known.

        A node that runs our own stack tells its frames itself.
        """
        kernel = [node for node in self.plan.nodes if node.stack == "kernel"]
        if self._instance is not None:
            kernel = [node for node in kernel if node.kind != "switch"]
        return tuple(i.name for node in kernel for i in node.interfaces)

    def _share(self, interfaces: int) -> int:
        """Sockets on each interface: one for each core, when there are few of both."""
        cores = os.cpu_count() or 1
        return cores if self._instance is not None and interfaces * cores <= MANY_SOCKETS else 1

    def _make_joiner(self, captured: tuple[str, ...]) -> KernelJoiner | FlowJoiner:
        if self._instance is None:
            return FlowJoiner(self.plan, self._journal)
        return KernelJoiner(
            self.plan,
            self._journal,
            stage_at=self._places().stage,
            reasons=self._instance.parser.reasons,
            captured=captured,
            shares=self._shares,
        )

    def _places(self) -> Places:
        found = places()
        if not found:
            self._notes.append(
                "the kernel hides the names of its functions: where a packet ended is not observable here"
            )
        return found

    def _run(self) -> None:
        while not self._ending.wait(0 if self._behind else TICK):
            try:
                self.poll()
            except Exception as error:  # noqa: BLE001 - a thread's edge: `stop` raises it where somebody can see it
                self._failure = error
                return

    def poll(self) -> int:
        """Drain, join, and add what is ready to the log; how many rows that was."""
        with self._lock:
            if self._joiner is None:
                return 0
            now = time.monotonic_ns()
            until = self._drain(now, MOUTHFUL) - (NATIVE_LATENCY if self.has_native else UNFINISHED)
            self._joiner.advance(until)
            rows = self._journal.release(until - SETTLING)
            self.log.extend(rows)
            if now / 1e9 - self._counted > COUNT_EVERY:
                self._counted = now / 1e9
                self._count_lost()
            return len(rows)

    def _drain(self, now: int, pages: int) -> int:
        """Feed the joiner; the time up to which it has all that happened."""
        assert self._joiner is not None and self._capture is not None
        complete = None
        if isinstance(self._joiner, KernelJoiner):
            assert self._instance is not None
            events, complete = self._instance.drain(pages)
            # the frames after the events: an event's frame is there when the event is
            self._joiner.feed(events, self._capture.drain())
        else:
            self._joiner.feed(self._capture.drain())
        self._behind = complete is not None
        with self._inbox_lock:
            rows, self._inbox = self._inbox, []
        if rows:
            self._joiner.add_native(rows)
        return now if complete is None else min(now, complete)

    def stop(self) -> None:
        """Watch no more: the log has all that was seen. A second call does nothing."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            if self._joiner is None:
                return
            try:
                self._finish()
            finally:
                self._close()
                self._joiner = None
        if self._failure is not None:
            raise self._failure

    def _finish(self) -> None:
        assert self._joiner is not None
        if self._instance is not None:
            self._instance.pause()
        self._drain(0, 1 << 30)
        self._joiner.finish()
        self.log.extend(self._journal.flush())
        self._count_lost()
        self._say_what_is_missing()
        self.log.header = self.header(self.log.header)

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.close()
            self._capture = None
        if self._instance is not None:
            self._instance.close()
            self._instance = None

    # ---- what others tell ----

    def add_native(self, rows: Iterable[Row]) -> None:
        """Rows of a node that runs our own stack; from any thread.

        ``t`` is CLOCK_MONOTONIC ns, ``pkt`` the node's own number. A node's rows come in order, wire rows carry their
        frames, and a wire.tx is stamped before the frame is handed to the kernel.
        """
        with self._inbox_lock:
            self._inbox += rows

    def add(self, row: Row) -> None:
        """Any other record (a program's), ``t`` in CLOCK_MONOTONIC ns: it goes in at its time. From any thread."""
        with self._lock:
            self._journal.add(*row)

    # ---- what may be relied on ----

    def header(self, header: Header) -> Header:
        """``header`` with what this probe knows: kernel, clock, fidelity, stages, notes."""
        return replace(
            header,
            kernel=os.uname().release,
            clock="monotonic",
            fidelity=self._fidelity(),
            stages={node.name: self._stages(node) for node in self.plan.nodes if node.stack == "kernel"},
            notes=tuple(dict.fromkeys((*header.notes, *self._notes))),
        )

    def _fidelity(self) -> dict[str, Fidelity]:
        exact: set[str] = {"wire.tx", "wire.rx", "app"}
        inferred: set[str] = {"packet"}
        if self._sees_inside():
            exact.add("drop")
            inferred.add("stage")
        # Our own stack tells every kind, and exactly, but the queues before the cables are the kernel's.
        told = set(KINDS) - {"mark"} if self.has_native else exact | inferred
        return {kind: "none" if kind not in told else "inferred" if kind in inferred else "exact" for kind in KINDS}

    def _sees_inside(self) -> bool:
        return isinstance(self._joiner, KernelJoiner)

    def _stages(self, node: PlanNode) -> tuple[str, ...]:
        if not self._sees_inside():
            return ()
        if node.kind == "switch":
            return ALWAYS_SEEN
        return ALWAYS_SEEN + SEEN_BY_PLACE * bool(places()) + SEEN_BY_SOCKET * self._sees_sockets

    def _count_lost(self) -> None:
        lost = (self._instance.lost() if self._instance else 0) + (self._capture.lost() if self._capture else 0)
        self.log.lost += lost - self._lost
        self._lost = lost

    def _say_what_is_missing(self) -> None:
        if self._lost:
            self._notes.append(f"{self._lost} kernel events or frames came too fast and are lost")
        if self._journal.frames_cut:
            self._notes.append(f"{self._journal.frames_cut} frames are shown without bytes: the run keeps no more")
        if isinstance(self._joiner, KernelJoiner) and self._joiner.ambiguous:
            self._notes.append(
                f"{self._joiner.ambiguous} frames left together with another of their length: "
                "which bytes are whose is told by time alone"
            )


def _ending(names: Mapping[str, str]) -> str:
    """What the kernel names have and the plain ones don't, when it is the same for all."""
    endings = {kernel[len(plain) :] if kernel.startswith(plain) else "" for plain, kernel in names.items()}
    return endings.pop() if len(endings) == 1 else ""
