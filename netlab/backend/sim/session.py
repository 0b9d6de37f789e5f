"""A plan opened in virtual time: hosts, cables, programs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import count
from types import TracebackType

from netlab.backend.base import Problem, SlotFailure, Slots
from netlab.backend.names import destination, node_named, owner, sinks_of
from netlab.backend.sim.account import AccountedExecutor
from netlab.backend.sim.costs import LINE_RATE, REFERENCE_GHZ, costs_at
from netlab.backend.sim.device import CAN
from netlab.backend.sim.executor import HostExecutor, Port
from netlab.backend.sim.lockplan import PLANS
from netlab.backend.sim.pressing import Pressing, Pressure
from netlab.backend.sim.pressured import PressuredExecutor
from netlab.backend.sim.queues import Scheduling
from netlab.backend.sim.txring import Ring
from netlab.errors import BadInput
from netlab.sim.link import LinkDirection
from netlab.sim.loop import EventLoop
from netlab.sim.rng import Streams
from netlab.stack.drivers.faults import Faults, Injector
from netlab.stack.fib import FIBS
from netlab.stack.forward import SLOTS
from netlab.stack.host import build_host
from netlab.stack.interfaces import switch
from netlab.stack.steering import Interrupts, Moderation
from netlab.stack.steering.planned import steering_of
from netlab.stack.tcp.knobs import Knobs
from netlab.topology.codec import plan_to_data
from netlab.topology.spec import Plan, PlanLink
from netlab.topology.words import listing
from netlab.trace.kinds import KINDS
from netlab.trace.log import DEFAULT_LIMIT, Header, Log
from netlab.wire.decode import describe
from netlab.workload.apps import App, FrameSender, Pinger, UdpEchoClient, UdpEchoServer
from netlab.workload.bulk import BulkClient, Sink, check_bulk, check_control
from netlab.workload.spec import Bulk, Frames, Outcome, Ping, UdpEcho, Workload, length

GC_THRESHOLDS = (50_000, 50, 1000)
UNREST = 50_000
"""How many events a network may take to come to rest after its traffic's end."""
NEVER = 1 << 62
ENDLESS = Problem("note", "network", "packets circled without end after the traffic's end, so the run was ended there")
ASSUMED = "costs of stages are assumed, but for their sum (FreeBSD forwarding, 1,226 ns a packet)"


class SimSession:
    """An open simulated network; see `netlab.backend.base.Session`."""

    def __init__(
        self,
        plan: Plan,
        *,
        seed: int = 0,
        slots: Slots | None = None,
        cores: int = 1,
        lock_plan: str = "none",
        traced: bool = True,
        log_limit: int = DEFAULT_LIMIT,
        schedulers: Mapping[str, Scheduling] | None = None,
        faults: Mapping[str, Faults] | None = None,
        moderation: Mapping[str, Moderation] | None = None,
        fib: str = "linear",
        account: bool = False,
        knobs: Mapping[str, Knobs] | None = None,
        offload: Sequence[str] = (),
        pressure: Mapping[str, Pressure | str] | None = None,
        ring: Mapping[str, Ring | int] | None = None,
        bql: Collection[str] = (),
        clock: float | Mapping[str, float] = REFERENCE_GHZ,
    ) -> None:
        """``clock`` is the GHz of every core, or of some nodes' cores."""
        self.plan, self.problems = plan, SimBackend().problems(plan)
        self.loop, self.streams = EventLoop(), Streams(seed)
        self.log = Log(_header(plan, seed), limit=log_limit)
        self._ids = count(1)
        self._servers: set[tuple[str, int]] = set()
        self._sinks: dict[tuple[str, int], Sink] = {}
        self._idents = count(1)
        self._ports = count(49152)
        self.executors: dict[str, HostExecutor] = {}
        filled = slots or {}
        self._pressing = Pressing(plan, pressure, ring, bql)
        """Backpressure between TCP, queues and drivers, by interface or node; where nothing is said, queues drop."""
        if fib not in FIBS:
            raise BadInput(f"there is no FIB '{fib}'", where=plan.name, right=f"there are {', '.join(FIBS)}")
        for node in plan.nodes:
            own = {slot: call for (name, slot), call in filled.items() if name == node.name}
            self.executors[node.name] = self._pressing.executor(node.name, account=account)(
                build_host(node, plan, slots=own, fib=fib),
                self.loop,
                cores=cores,
                lock_plan=PLANS[lock_plan],
                ids=self._ids,
                emit=self.log.add if traced else None,
                describe=describe,
                costs=costs_at(clock.get(node.name, REFERENCE_GHZ) if isinstance(clock, Mapping) else clock),
            )
        self._set_tcp(knobs or {}, offload)
        self._schedulers = dict(schedulers or {})
        """What orders the queue of an interface, by its plain name; first in first out where nothing does."""
        self._faults = dict(faults or {})
        """What spoils the frames that leave by an interface, by its plain name."""
        self._moderation = dict(moderation or {})
        """When an interface interrupts, by its plain name; at once where nothing is said."""
        names = [interface.name for interface in plan.interfaces()]
        for name in (*self._schedulers, *self._faults, *self._moderation):
            if name not in names:
                raise BadInput(f"no interface is called '{name}'", where=plan.name, right=f"there are {listing(names)}")
        for link in plan.links:
            self._lay(link)

    def _set_tcp(self, knobs: Mapping[str, Knobs], offload: Sequence[str]) -> None:
        """Each node has knobs of its own, even where one object was given for several."""
        for name, own in knobs.items():
            self.executors[node_named(self.plan, name).name].host.tcp.layer.knobs = replace(own)
        for name in offload:
            self.executors[node_named(self.plan, name).name].host.tcp.offload(True)

    def _lay(self, link: PlanLink) -> None:
        """A cable is two directions, each with its own losses."""
        ends = [self._end(link, name) for name in (link.a, link.b)]
        ports = [self._attach(*end) for end in ends]
        ports[0].peer = (ends[1][0], ports[1])
        ports[1].peer = (ends[0][0], ports[0])

    def _attach(self, executor: HostExecutor, name: str, direction: LinkDirection) -> Port:
        interface, steering = executor.host.interfaces[name], steering_of(self.plan.interface(name))
        interface.capabilities = CAN
        switch(interface, self.plan.interface(name).offload)
        port = executor.attach(interface, direction, steering=steering, scheduling=self._schedulers.get(name))
        self._pressing.press(executor, port, self._schedulers.get(name))
        if name in self._moderation:
            for ring in port.rings:
                ring.interrupts = Interrupts(self._moderation[name])
        if name in self._faults:
            port.faults = Injector(self._faults[name], self.streams.stream("faults", name))
        return port

    def _end(self, link: PlanLink, name: str) -> tuple[HostExecutor, str, LinkDirection]:
        loss = self.streams.stream("link", name, "loss")
        direction = LinkDirection(link.rate or LINE_RATE, link.delay, link.loss, loss)
        return self.executors[self.plan.interface(name).node], name, direction

    @property
    def slot_failures(self) -> dict[str, list[SlotFailure]]:
        """Node -> what went wrong in its slots."""
        return {name: e.host.slot_failures for name, e in self.executors.items() if e.host.slot_failures}

    def unaccounted(self) -> tuple[str, ...]:
        """With ``account``: a sentence for each packet in a host that neither ended nor is held in a known place."""
        return tuple(
            said for e in self.executors.values() if isinstance(e, AccountedExecutor) for said in e.unaccounted()
        )

    def stalled(self, patience: int = 0) -> tuple[str, ...]:
        """The watchdog of backpressure: a sentence for each connection that waits for a wake-up which was lost."""
        return tuple(
            s for e in self.executors.values() if isinstance(e, PressuredExecutor) for s in e.stalled(patience)
        )

    @property
    def now(self) -> int:
        """Virtual ns since the start."""
        return self.loop.now

    def verify(self) -> tuple[Problem, ...]:
        """The simulated world does what it is asked."""
        return ()

    def run(self, workloads: Sequence[Workload]) -> tuple[Outcome, ...]:
        """Run the workloads together until nothing is left to happen, or what happens has no end."""
        check_bulk(workloads, self.plan.name)
        sinks = sinks_of(self.plan, workloads)
        apps = [self._app(workload) for workload in workloads]
        self._open_sinks(sinks)
        for app in apps:
            app.start(self.loop.now)
        for executor in self.executors.values():
            executor.arm()
        self.drain(self.loop.now + max(map(length, workloads), default=0))
        for app in apps:
            app.close()
        self._close_sinks()
        return tuple(app.outcome() for app in apps)

    def drain(self, horizon: int | None = None) -> None:
        """Go on until nothing is left to happen. With a ``horizon``, packets that circle for ever are given up.

        Garbage is looked for less often meanwhile: a log is tens of thousands of tuples that stay, and looking through
        them again and again costs a recorded run a tenth of its time.
        """
        thresholds = gc.get_threshold()
        gc.set_threshold(*GC_THRESHOLDS)
        try:
            self.loop.run() if horizon is None else self._rest(horizon)
        finally:
            gc.set_threshold(*thresholds)

    def _rest(self, horizon: int) -> None:
        """Much may still have to happen after the horizon (a slow queue, a timer far ahead), but not without end."""
        if not self.loop.run_towards(horizon) and not self.loop.run_towards(NEVER, UNREST):
            self.problems = (*self.problems, ENDLESS)

    def _app(self, workload: Workload) -> App:
        executor = self.executors[node_named(self.plan, workload.src).name]
        host, say = executor.host, self._sayer(executor)
        if isinstance(workload, Frames):
            return FrameSender(host, workload)
        if not host.addresses:
            raise BadInput(f"'{host.name}' has no address, so nothing can be sent from it", where=self.plan.name)
        dst = destination(self.plan, workload)
        if isinstance(workload, Ping):
            return Pinger(host, workload, dst, next(self._idents), say)
        if isinstance(workload, Bulk):
            check_control(workload, self.plan.name)
            return BulkClient(host, workload, dst, say)
        self._serve(workload)
        return UdpEchoClient(host, workload, dst, workload.sport or next(self._ports), say)

    def _serve(self, workload: UdpEcho) -> None:
        server = owner(self.plan, workload.dst)
        if server and (server, workload.port) not in self._servers:
            self._servers.add((server, workload.port))
            UdpEchoServer(self.executors[server].host, workload.port)

    def _open_sinks(self, sinks: Mapping[tuple[str, int], str]) -> None:
        """Sinks for the length of a run, but where something else listens."""
        for (server, port), congestion in sinks.items():
            host = self.executors[server].host
            if (None, port) not in host.tcp.layer.listeners:
                self._sinks[server, port] = Sink(host, port, keep=False, congestion=congestion)

    def _close_sinks(self) -> None:
        for (server, _), sink in self._sinks.items():
            self.executors[server].inject(sink.close(self.loop.now))
        self._sinks.clear()

    def _sayer(self, executor: HostExecutor) -> Callable[[str, int, str, int], None]:
        def say(program: str, now: int, said: str, value: int) -> None:
            if executor.emit:
                executor.emit((now, "app", executor.host.name, program, -1, 0, (said, value)))

        return say

    def close(self) -> None:
        """Nothing outlives a simulated network."""

    def __enter__(self) -> SimSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SimBackend:
    """Virtual time: deterministic, without privilege, on any machine."""

    name = "sim"

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        """None: what a plan can say, the simulation can do. A kernel node runs our stack as well."""
        return ()

    def open(self, plan: Plan, *, seed: int = 0, slots: Slots | None = None) -> SimSession:
        """The plan in virtual time. BadInput for a slot that no node has."""
        for name, slot in slots or {}:
            stage = SLOTS[slot][0] if slot in SLOTS else None
            kind = node_named(plan, name).kind
            if stage is None or (slot == "forward" and kind != "router"):
                raise BadInput(f"node '{name}' has no slot '{slot}'", where=plan.name, right="a router has 'forward'")
        return SimSession(plan, seed=seed, slots=slots)


def _header(plan: Plan, seed: int) -> Header:
    fidelity = dict.fromkeys(KINDS, "exact")
    return Header("sim", seed, plan_to_data(plan), fidelity=fidelity, notes=(ASSUMED,))  # type: ignore[arg-type]
