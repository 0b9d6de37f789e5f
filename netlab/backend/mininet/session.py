"""The Mininet world: a plan opened as a real network, with records of what happens in it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any

from netlab.backend.base import Problem, SlotFailure, Slots
from netlab.backend.mininet import checks, runs
from netlab.backend.mininet.arena import Arena
from netlab.backend.mininet.command import Completed, Running
from netlab.backend.mininet.natives import Natives
from netlab.backend.mininet.observer import Observer
from netlab.backend.mininet.remote import RemoteNet
from netlab.backend.mininet.tasks import Stop, Tasks, source_named
from netlab.backend.mininet.verify import differences
from netlab.backend.names import address_of, node_named, owner, sinks_of
from netlab.errors import BadInput, NetlabError, Unavailable
from netlab.probe import tracefs
from netlab.topology.codec import plan_to_data
from netlab.topology.spec import Plan
from netlab.trace.log import DEFAULT_LIMIT, Header, Log
from netlab.workload.bulk import check_bulk, check_control
from netlab.workload.spec import Bulk, Frames, Outcome, UdpEcho, Workload


class _Parts:
    """What an open network consists of, taken down together. Nothing in it knows its session: see `MininetSession`."""

    def __init__(self, plan: Plan, log: Log) -> None:
        self._owner = os.getpid()
        self.arena = Arena()
        self.observer = Observer(plan, log)
        self.natives: Natives | None = None
        self.failures: Mapping[str, Sequence[SlotFailure]] = {}

    def close(self) -> None:
        """Last records first, then everything else; a second call does nothing, nor does a forked child's."""
        if os.getpid() != self._owner:
            return
        natives, self.natives = self.natives, None
        try:
            if natives is not None:
                with suppress(OSError, NetlabError):
                    natives.flush()
            self.observer.stop()
        finally:
            if natives is not None:
                self.failures = natives.failures
                natives.close()
            self.arena.close()


class MininetSession:
    """An open Mininet network; see `netlab.backend.base.Session`.

    ``arena`` is the network itself, ``net`` what people who know Mininet expect. A session that is forgotten (a
    notebook's cell that is run again) closes by itself: so none of its parts, some of which are threads, may hold it.
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
        self._parts = _Parts(plan, self.log)
        self._close = weakref.finalize(self, self._parts.close)
        self.arena = self._parts.arena
        try:
            self.arena.build(plan)
            self.net = RemoteNet(self.arena)
            observer = self._parts.observer
            if watched:
                observer.start(self.arena, tracing=tracing)
            self._tasks = Tasks(self.arena, plan, observer.tell)
            self._parts.natives = self._natives = Natives(
                self.arena, plan, observer.add_native, slots or {}, traced=watched
            )
        except BaseException:
            self.close()
            raise

    # ---- the Session protocol

    @property
    def slot_failures(self) -> Mapping[str, Sequence[SlotFailure]]:
        """Node -> what went wrong in its slots."""
        return self._parts.natives.failures if self._parts.natives is not None else self._parts.failures

    def verify(self) -> tuple[Problem, ...]:
        """What is asked and not in force, read back from the kernel."""
        return differences(self.plan, self.arena.state())

    def run(self, workloads: Sequence[Workload]) -> tuple[Outcome, ...]:
        """Run the workloads together to their end; the log has what they did. An interrupt ends their commands."""
        check_bulk(workloads, self.plan.name)
        stop, sinks = Stop(), sinks_of(self.plan, workloads)
        jobs = [self._prepared(workload, stop) for workload in workloads]
        with ExitStack() as ends:
            for (server, port), congestion in sinks.items():
                ends.callback(self._at(server).serve_bulk(server, port, congestion))
            outcomes = self._run(jobs, stop)
        self._natives.flush()
        self._parts.observer.settle()
        return outcomes

    def _run(self, jobs: Sequence[Callable[[], Outcome]], stop: Stop) -> tuple[Outcome, ...]:
        pool = ThreadPoolExecutor(max(1, len(jobs)), thread_name_prefix="netlab-workload")
        try:
            under_way: list[Future[Outcome]] = [pool.submit(job) for job in jobs]
            return tuple(future.result() for future in under_way)
        except BaseException:
            stop()
            raise
        finally:
            pool.shutdown(wait=False)

    def close(self) -> None:
        """Take the network down: returns when nothing of it is left. A second call does nothing."""
        self._close()

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

    def _prepared(self, workload: Workload, stop: Stop) -> Callable[[], Outcome]:
        """A workload that can start at once: its names are right and its server is up."""
        src = source_named(self.plan, workload)
        if isinstance(workload, Bulk) and src in self._natives:
            check_control(workload, self.plan.name)
        if not isinstance(workload, Frames):
            address_of(self.plan, workload.dst, workload.family)
        if isinstance(workload, UdpEcho):
            self._serve(workload)
        natives, tasks = self._natives, self._tasks
        if src in natives:
            return lambda: natives.run(workload)
        return lambda: tasks.run(workload, stop)

    def _serve(self, workload: UdpEcho) -> None:
        server = owner(self.plan, workload.dst)
        if server:  # else an address that nobody has: the datagrams say so
            self._at(server).serve_udp_echo(server, workload.port)

    def _at(self, node: str) -> Natives | Tasks:
        """Who starts programs on a node."""
        return self._natives if node in self._natives else self._tasks


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
        _sweep()
        return MininetSession(plan, seed=seed, slots=slots, problems=found, **self._settings)


def _sweep() -> None:
    """Remove what a killed keeper or janitor of an earlier run could not."""
    runs.sweep()
    with suppress(Unavailable):  # who may not trace has left no trace instance
        tracefs.sweep()


def _header(plan: Plan, seed: int, problems: Sequence[Problem]) -> Header:
    notes = tuple(str(problem) for problem in problems)
    return Header("mininet", seed, plan_to_data(plan), os.uname().release, "monotonic", notes=notes)
