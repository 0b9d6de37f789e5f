"""The Mininet world: a plan opened as a real network, with records of what happens in it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any

from netlab.backend.base import Problem, SlotFailure, Slots
from netlab.backend.mininet import checks, runs
from netlab.backend.mininet.arena import Arena
from netlab.backend.mininet.command import Completed, Running
from netlab.backend.mininet.natives import Natives
from netlab.backend.mininet.remote import RemoteNet
from netlab.backend.mininet.tasks import Tasks, source_named, words_of
from netlab.backend.mininet.verify import differences
from netlab.backend.names import address_of, node_named
from netlab.errors import BadInput, Unavailable
from netlab.probe.source import NATIVE_LATENCY, SETTLING, TICK, UNFINISHED, KernelProbe
from netlab.topology.codec import plan_to_data
from netlab.topology.spec import Plan
from netlab.trace.log import DEFAULT_LIMIT, Header, Log
from netlab.trace.record import Row
from netlab.workload.spec import Outcome, Reply, UdpEcho, Workload


class MininetSession:
    """An open Mininet network; see `netlab.backend.base.Session`.

    ``arena`` is the network itself, ``net`` what people who know Mininet expect. ``started`` is the CLOCK_MONOTONIC
    ns that records count from.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        seed: int = 0,
        slots: Slots | None = None,
        problems: Sequence[Problem] = (),
        watched: bool = True,
        tracing: bool = True,
        log_limit: int = DEFAULT_LIMIT,
    ) -> None:
        self.plan, self.problems = plan, tuple(problems)
        self.log = Log(_header(plan, seed, problems), limit=log_limit)
        self.started = time.monotonic_ns()
        self._probe: KernelProbe | None = None
        self._natives: Natives | None = None
        self._failures: Mapping[str, Sequence[SlotFailure]] = {}
        self.arena = Arena()
        try:
            self.arena.build(plan)
            self.net = RemoteNet(self.arena)
            self.started = time.monotonic_ns()
            self._tasks = Tasks(self.arena, plan, self._tell)
            if watched:
                self._watch(tracing)
            self._natives = Natives(self.arena, plan, self._native_rows, slots or {})
        except BaseException:
            self.close()
            raise

    # ---- the Session protocol

    @property
    def slot_failures(self) -> Mapping[str, Sequence[SlotFailure]]:
        """Node -> what went wrong in its slots."""
        return self._natives.failures if self._natives is not None else self._failures

    def verify(self) -> tuple[Problem, ...]:
        """What is asked and not in force, read back from the kernel."""
        return differences(self.plan, self.arena.state())

    def run(self, workloads: Sequence[Workload]) -> tuple[Outcome, ...]:
        """Run the workloads together to their end; the log has what they did. An interrupt ends their commands."""
        jobs = [self._prepared(workload) for workload in workloads]
        pool = ThreadPoolExecutor(max(1, len(jobs)), thread_name_prefix="netlab-workload")
        try:
            under_way: list[Future[Outcome]] = [pool.submit(job) for job in jobs]
            outcomes = tuple(future.result() for future in under_way)
        except BaseException:
            self._tasks.cancel()
            raise
        finally:
            pool.shutdown(wait=False)
        self._settle()
        return outcomes

    def close(self) -> None:
        """Take the network down: returns when nothing of it is left. A second call does nothing."""
        try:
            if self._natives is not None:
                with suppress(OSError, Unavailable):
                    self._natives.flush()
            if self._probe is not None:
                self._probe.stop()
        finally:
            self._probe = None
            if self._natives is not None:
                self._failures = self._natives.failures
                self._natives.close()
                self._natives = None
            self.arena.close()

    def __enter__(self) -> MininetSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- commands

    def command(self, node: str, argv: Sequence[str], *, timeout: float | None = 60.0) -> Completed:
        """Run a command in a node to its end; after ``timeout`` seconds it and all it started are killed."""
        node_named(self.plan, node)
        return self.arena.command(node, argv, timeout=timeout)

    def stream(self, node: str, argv: Sequence[str], *, timeout: float | None = None) -> Running:
        """Start a command in a node; iterate over it, or over its ``lines()``, as it goes."""
        node_named(self.plan, node)
        return self.arena.start(node, argv, timeout=timeout)

    # ---- how it is done

    def _prepared(self, workload: Workload) -> Callable[[], Outcome]:
        """A workload that can start at once: its names are right and its server is up."""
        src = source_named(self.plan, workload)
        if hasattr(workload, "dst"):
            address_of(self.plan, workload.dst)
        if isinstance(workload, UdpEcho):
            self._serve(workload)
        natives = self._natives
        if natives is not None and src in natives:
            return lambda: natives.run(workload)
        return lambda: self._tasks.run(workload)

    def _serve(self, workload: UdpEcho) -> None:
        server = next((n.name for n in self.plan.nodes if workload.dst in (n.name, *n.addresses)), "")
        if not server:
            return  # an address that nobody has: the datagrams say so
        if self._natives is not None and server in self._natives:
            self._natives.serve_udp_echo(server, workload.port)
        else:
            self._tasks.serve_udp_echo(server, workload.port)

    def _watch(self, tracing: bool) -> None:
        names = {d.name: d.kernel for d in self.arena.devices.values() if not d.bridge}
        probe = KernelProbe(self.plan, names, self.arena.packet_socket, self.log, self.started, tracing=tracing)
        probe.start()
        self._probe = probe

    def _settle(self) -> None:
        """Return when the log has what has happened so far."""
        if self._natives is not None:
            self._natives.flush()
        if self._probe is not None:
            latency = NATIVE_LATENCY if self._probe.has_native else UNFINISHED
            time.sleep((latency + SETTLING) / 1e9 + TICK)
            self._probe.poll()

    def _tell(self, t: int, node: str, program: str, reply: Reply) -> None:
        row = (t, "app", node, program, -1, 0, (words_of(reply), reply.rtt))
        if self._probe is not None:
            self._probe.add(row)
        else:
            self.log.add((t - self.started, *row[1:]))

    def _native_rows(self, rows: list[Row]) -> None:
        if self._probe is not None:
            self._probe.add_native(rows)


class MininetBackend:
    """The real Linux stack, in an arena of its own. ``settings`` go to `MininetSession`."""

    name = "mininet"

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        """What this machine cannot do of the plan, before anything is made."""
        return checks.problems(plan)

    def open(self, plan: Plan, *, seed: int = 0, slots: Slots | None = None) -> MininetSession:
        """The plan as a real network, whose bridges forward. Unavailable when a problem refuses it."""
        found = self.problems(plan)
        grave = [str(problem) for problem in found if problem.severity == "refuse"]
        if grave:
            raise Unavailable("\n".join(grave))
        for name, slot in slots or {}:
            if node_named(plan, name).stack != "netlab":
                right = "give the node 'stack: netlab'"
                raise BadInput(
                    f"node '{name}' runs the kernel's stack, which has no slot '{slot}'", where=plan.name, right=right
                )
        runs.sweep()
        return MininetSession(plan, seed=seed, slots=slots, problems=found, **self._settings)


def _header(plan: Plan, seed: int, problems: Sequence[Problem]) -> Header:
    notes = tuple(str(problem) for problem in problems)
    return Header("mininet", seed, plan_to_data(plan), os.uname().release, "monotonic", notes=notes)
