"""Runs a host's stage graph in virtual time: cores, costs, locks, rings and queues hang on the boundary between stages.

Protocol code runs whole, at the instant when its work ends. Nothing is recorded unless somebody watches: with
``emit`` None the record of a step costs one test.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from netlab.backend.sim.costs import REFERENCE, RX_BUDGET, RX_RING, CostTable
from netlab.backend.sim.device import checked, emitted
from netlab.backend.sim.lockplan import NOTHING, LockPlan, Needs, none
from netlab.backend.sim.queues import Scheduling, tx_queue
from netlab.backend.sim.sizes import BY_SIZE
from netlab.sim.core import Core
from netlab.sim.link import LinkDirection
from netlab.sim.lock import Lock
from netlab.sim.loop import EventLoop, Procession
from netlab.sim.queue import BoundedQueue
from netlab.stack.drivers.faults import Injector
from netlab.stack.host import Host
from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop
from netlab.stack.steering import Interrupts, Steering
from netlab.topology.spec import Limit
from netlab.trace.record import Row
from netlab.wire import ecn

Emit = Callable[[Row], None]
Describe = Callable[[bytes], str]


class Frame(NamedTuple):
    """What is on a wire: bytes, and the journey that they belong to."""

    data: bytes
    pkt: int


_new = tuple.__new__  # a third of what the NamedTuple's own constructor takes

Work = tuple[str, list[Mbuf], "RxRing | None"]
"""What waits for a core: a stage and its vector; for "nic.rx" the vector is still in the ring."""


class RxRing:
    """One receive ring of an interface, and the core that empties it."""

    __slots__ = ("core", "frames", "ifp", "interrupts", "polling")

    def __init__(self, ifp: Ifnet, core: Core) -> None:
        self.ifp, self.core = ifp, core
        self.frames: BoundedQueue[Frame] = BoundedQueue(RX_RING)
        self.polling = False
        self.interrupts: Interrupts | None = None
        """Puts off the interrupt that begins the polling; None where each frame that finds the core asleep wakes it."""


class Port:
    """An interface at work: its receive rings, its transmit queue, its end of the cable."""

    __slots__ = (
        "cut",
        "faults",
        "free_at",
        "ifp",
        "link",
        "peer",
        "rings",
        "steering",
        "txq",
        "waking",
        "whole",
        "wire",
    )

    def __init__(self, ifp: Ifnet, link: LinkDirection, cores: list[Core], scheduling: Scheduling | None) -> None:
        self.ifp, self.link = ifp, link
        self.peer: tuple[HostExecutor, Port] | None = None
        self.rings = [RxRing(ifp, core) for core in cores]
        self.steering: Steering | None = None
        """What chooses a frame's ring, where there is a choice."""
        self.txq = tx_queue(ifp.queue, scheduling)
        self.cut: deque[Mbuf] = deque()
        """Frames that the device has made of a longer one and will send before anything else."""
        self.whole: Mbuf | None = None
        """What it took from the queue last."""
        self.faults: Injector | None = None
        """What spoils the frames that leave here; None on a good cable."""
        self.wire = Procession(cores[0].loop)
        """The frames on their way to the peer."""
        self.free_at = 0
        """When the last bit of the last frame will have left."""
        self.waking = False
        """Whether somebody will come back at that time."""


class HostExecutor:
    """One host in virtual time. ``ids`` gives new journeys their numbers, ``describe`` puts a frame in words."""

    def __init__(
        self,
        host: Host,
        loop: EventLoop,
        *,
        cores: int,
        lock_plan: LockPlan,
        ids: Iterator[int],
        emit: Emit | None,
        describe: Describe,
        costs: CostTable = REFERENCE,
    ) -> None:
        self.host, self.loop, self.emit, self.costs = host, loop, emit, costs
        self._stage_costs, self._other_cost, _ = costs
        self.cores = [Core(loop, n, self._begin) for n in range(cores)]
        self.ports: dict[str, Port] = {}
        self._lock_plan = None if lock_plan is none else lock_plan
        self._ids, self._describe = ids, describe
        self._locks: dict[str, Lock] = {}
        self._armed: int | None = None

    def attach(
        self,
        ifp: Ifnet,
        link: LinkDirection,
        *,
        steering: Steering | None = None,
        scheduling: Scheduling | None = None,
    ) -> Port:
        """Give an interface its end of a cable. Ring n of several is emptied by core n, as far as there are cores."""
        first, rings = (0, steering.rings) if steering else (len(self.ports), 1)
        cores = [self.cores[(first + n) % len(self.cores)] for n in range(rings)]
        self.ports[ifp.name] = port = Port(ifp, link, cores, scheduling)
        port.steering = steering
        return port

    def inject(self, hops: list[Hop]) -> None:
        """Send on their way what a program or a timer of this host made."""
        for work in self._sort(hops, self.cores[0], "program"):
            self.cores[0].submit(work)
        self.arm()

    def arm(self) -> None:
        """Have the loop call when the host's next deadline comes."""
        deadline = self.host.timers.next()
        if deadline is not None and (self._armed is None or deadline < self._armed):
            self._armed = max(deadline, self.loop.now)
            self.loop.at(self._armed, self._due, self._armed)

    def _due(self, deadline: int) -> None:
        if self._armed == deadline:
            self._armed = None
            self.inject(self.host.timers.run(self.loop.now))

    # ---- receiving ---------------------------------------------------------------------------

    def receive(self, argument: tuple[Port, Frame]) -> None:
        """A frame's last bit has arrived at a port: into the ring, and wake its core unless it polls already."""
        port, frame = argument
        now, ifp = self.loop.now, port.ifp
        if self.emit:
            self.emit((now, "wire.rx", self.host.name, ifp.name, -1, frame.pkt, (ifp.peer, len(frame.data), None)))
        ring = port.rings[port.steering.ring(frame.data) if port.steering else 0]
        if not ring.frames.put(frame, len(frame.data)):
            ifp.counters["ierrors"] += 1
            self._drop(frame.pkt, "nic.rx", "receive ring full", ifp.name, -1)
            return
        if ring.polling:
            return
        if ring.interrupts is None:
            self._awake(ring)
        else:
            self._moderate(ring, ring.interrupts)

    def _awake(self, ring: RxRing) -> None:
        ring.polling = True
        ring.core.submit(("nic.rx", [], ring))

    def _moderate(self, ring: RxRing, interrupts: Interrupts) -> None:
        """Interrupt now if there are frames enough, else when the first of them has waited long enough."""
        fresh = interrupts.due() is None
        interrupts.received(self.loop.now)
        due = interrupts.due()
        assert due is not None
        if due <= self.loop.now:
            self._interrupt(ring)
        elif fresh:
            self.loop.at(due, self._interrupt, ring)

    def _interrupt(self, ring: RxRing) -> None:
        if not ring.polling and ring.interrupts is not None and ring.interrupts.fire(self.loop.now):
            self._awake(ring)

    def _poll(self, ring: RxRing) -> list[Mbuf]:
        vector: list[Mbuf] = []
        counters = ring.ifp.counters
        while len(ring.frames) and len(vector) < RX_BUDGET:
            frame = ring.frames.get()
            counters["ipackets"] += 1
            counters["ibytes"] += len(frame.data)
            vector.append(Mbuf(frame.data, pkt=frame.pkt, rcvif=ring.ifp))
        if ring.ifp.checks:
            for m in vector:
                checked(m)
        return vector

    # ---- working -----------------------------------------------------------------------------

    def _begin(self, core: Core, work: Work) -> bool:
        """Turn to an item and go on with what it leads to, while nothing else comes first; whether all that is over."""
        loop, plan = self.loop, self._lock_plan
        while True:
            stage, vector, ring = work
            if ring is not None:
                vector = self._poll(ring)
            needs = plan(stage, vector) if plan is not None else NOTHING
            if needs:
                self._acquire(core, (stage, vector, ring), needs, loop.now)
                return False
            took = self._cost(stage, vector)
            end = loop.now + took
            if not loop.skip_to(end):
                loop.at(end, self._done, (core, stage, vector, ring, took))
                return False
            following = self._complete(core, stage, vector, ring, took)
            if following is None:
                return True
            work = following

    def _cost(self, stage: str, vector: list[Mbuf]) -> int:
        call, packet = self._stage_costs.get(stage, self._other_cost)
        took = call + packet * len(vector)
        if stage in BY_SIZE:
            for m in vector:
                took += self._extra(stage, m)
        return took

    def _extra(self, stage: str, m: Mbuf) -> int:
        """What a packet costs more because of its size."""
        return round(BY_SIZE[stage](self.host, m) * self.costs.slower)

    def _done(self, step: tuple[Core, str, list[Mbuf], RxRing | None, int]) -> None:
        core = step[0]
        following = self._complete(*step)
        if following is None or self._begin(core, following):
            core.finish()

    def _complete(self, core: Core, stage: str, vector: list[Mbuf], ring: RxRing | None, took: int) -> Work | None:
        """The stage's work ends now: protocol code runs whole; what is next, the rest being ahead of the queue."""
        now, host = self.loop.now, self.host
        if self.emit:
            self._record_stage(core, stage, vector, now - took)
        found = host.stages[stage]
        if found.one is not None and len(vector) == 1:  # as `run` does it, without lists for what is one
            following = self._go(found.one(host, vector[0], now), core, stage)
        elif found.many is not None and len(vector) == 1:
            following = self._next(found.many(host, vector[0], now), core, stage)
        else:
            following = self._next(found.run(host, vector, now), core, stage)
        if ring is not None:
            self._poll_again(core, ring)
        if host.timers.changed:
            self.arm()
        return following

    # ---- locks -------------------------------------------------------------------------------

    def _acquire(self, core: Core, work: Work, needs: Needs, asked: int, held: int = 0) -> None:
        if held == len(needs):
            took = self._cost(work[0], work[1])
            self.loop.at(self.loop.now + took, self._release, (core, work, took, needs, asked))
            return
        name, mode = needs[held]
        lock = self._locks.setdefault(name, Lock(name))
        lock.acquire(mode, lambda: self._acquire(core, work, needs, asked, held + 1))

    def _release(self, step: tuple[Core, Work, int, Needs, int]) -> None:
        core, (stage, vector, ring), took, needs, asked = step
        following = self._complete(core, stage, vector, ring, took)
        if following is not None:
            core.submit_first([following])
        for name, mode in needs:
            self._locks[name].release(mode)
            if self.emit:
                data = (mode, self.loop.now - took - asked, took)
                self.emit((asked, "lock", self.host.name, name, core.number, vector[0].pkt, data))
        core.finish()

    def _poll_again(self, core: Core, ring: RxRing) -> None:
        if len(ring.frames):
            core.submit(("nic.rx", [], ring))
        else:
            ring.polling = False

    def _record_stage(self, core: Core, stage: str, vector: list[Mbuf], began: int) -> None:
        call, packet = self.costs.stages.get(stage, self.costs.other)
        t, emit = began, self.emit
        assert emit is not None
        sized = stage in BY_SIZE
        for m in vector:
            if not m.pkt:
                m.pkt, m.born = next(self._ids), stage
            ifp = m.ifp or m.rcvif
            dur = packet + (call if t == began else 0) + (self._extra(stage, m) if sized else 0)
            emit((t, "stage", self.host.name, stage, core.number, m.pkt, (ifp.name if ifp else "", dur)))
            t += dur

    # ---- what comes after a stage ------------------------------------------------------------

    def _next(self, hops: list[Hop], core: Core, where: str) -> Work | None:
        if len(hops) == 1:  # by far the most common; `_sort` would say the same
            return self._go(hops[0], core, where)
        works = self._sort(hops, core, where)
        if len(works) > 1:
            core.submit_first(works[1:])
        return works[0] if works else None

    def _go(self, hop: Hop, core: Core, where: str) -> Work | None:
        target, m, _ = hop
        if target and m.pkt:
            if target != "nic.tx":
                return target, [m], None
            self._enqueue(m, core)
            return None
        works = self._sort([hop], core, where)
        return works[0] if works else None

    def _sort(self, hops: list[Hop], core: Core, where: str) -> list[Work]:
        """Hops by their target, in order; what leaves or ends here does so now."""
        groups: dict[str, list[Mbuf]] = {}
        for target, m, reason in hops:
            if not m.pkt:
                m.pkt, m.born = next(self._ids), where
            if target == "nic.tx":
                self._enqueue(m, core)
            elif target:
                if target in groups:
                    groups[target].append(m)
                else:
                    groups[target] = [m]
            elif reason:
                if self.emit and m.born:
                    self._announce(m, m.data)
                self._drop(m.pkt, where, reason, m.rcvif.name if m.rcvif else "", core.number)
        return [(target, vector, None) for target, vector in groups.items()]

    def _drop(self, pkt: int, where: str, reason: str, ifname: str, cpu: int) -> None:
        if self.emit:
            self.emit((self.loop.now, "drop", self.host.name, where, cpu, pkt, (reason, ifname)))

    # ---- sending -----------------------------------------------------------------------------

    def _enqueue(self, m: Mbuf, core: Core) -> None:
        ifp = m.ifp
        assert ifp is not None
        port = self.ports[ifp.name]
        if not port.txq.put(m, len(m.data)):
            self._refuse(port, m, core)
            return
        self._queue_record("enqueue", port, m, core.number)
        if ifp.mark is not None:
            self._mark(port, ifp.mark, m, core.number)
        if not port.waking:
            if port.free_at <= self.loop.now:
                self._send(port)
            if port.free_at > self.loop.now and (len(port.txq) or port.cut):
                self._wake(port)

    def _mark(self, port: Port, limit: Limit, m: Mbuf, cpu: int) -> None:
        """Mark what found so much waiting already, as RED does with min = max and no memory (RFC 8257 §3.1)."""
        waited = port.txq.octets - len(m.data) if limit.unit == "bytes" else len(port.txq) - 1
        if waited >= limit.n and (marked := ecn.with_ce(m.data)):
            m.data = marked
            port.ifp.counters["oqmarks"] += 1
            self._queue_record("mark", port, m, cpu)

    def _refuse(self, port: Port, m: Mbuf, core: Core) -> None:
        """The queue takes no more."""
        port.ifp.counters["oqdrops"] += 1
        self._drop(m.pkt, "ifq", "queue full", port.ifp.name, core.number)

    def _wake(self, port: Port) -> None:
        """Come back when the wire is free. Nobody does so for an empty queue: that spares an event a packet."""
        port.waking = True
        self.loop.at(port.free_at, self._woken, port)

    def _woken(self, port: Port) -> None:
        port.waking = False
        self._send(port)
        if len(port.txq) or port.cut:
            self._wake(port)

    def _queue_record(self, kind: str, port: Port, m: Mbuf, cpu: int) -> None:
        if self.emit:
            data = (len(port.txq), port.txq.octets)
            self.emit((self.loop.now, kind, self.host.name, port.ifp.name, cpu, m.pkt, data))

    def _send(self, port: Port) -> Mbuf | None:
        """The wire is free: put the oldest frame on it, of what the device has cut, else of the queue.

        The answer is what is all on the wire with it: nothing while pieces of it are still to come.
        """
        m = port.cut.popleft() if port.cut else self._dequeue(port)
        now, ifp, link = self.loop.now, port.ifp, port.link
        length = len(m.data)
        took = link.serialisation(length)
        port.free_at = now + took
        ifp.counters["opackets"] += 1
        ifp.counters["obytes"] += length
        if self.emit:
            if m.born:
                self._announce(m, m.data)
            data = (ifp.peer, length, took, link.delay, m.data)
            self.emit((now, "wire.tx", self.host.name, ifp.name, -1, m.pkt, data))
        if port.peer is None or link.loses():
            self.loop.at(now + took, self._lost, (m.pkt, ifp.name))
        elif port.faults is not None:
            self._spoil(port, port.faults.fate(m.data), m.pkt, now + took)
        else:
            executor, far = port.peer
            port.wire.at(now + took + link.delay, executor.receive, (far, _new(Frame, (m.data, m.pkt))))
        return None if port.cut else port.whole

    def _dequeue(self, port: Port) -> Mbuf:
        """The oldest frame of the queue; what the device has yet to do with it is done, further pieces follow it."""
        m = port.whole = port.txq.get()
        self._queue_record("dequeue", port, m, -1)
        if m.offload is None or not m.offload.unfinished:
            return m
        first, *others = emitted(m)
        for piece in others:
            piece.pkt, piece.born = next(self._ids), "nic.tx"
        port.cut.extend(others)
        return first

    def _spoil(self, port: Port, fate: list[tuple[int, bytes]], pkt: int, left: int) -> None:
        """A bad cable: what comes out of it, and when."""
        assert port.peer is not None
        executor, far = port.peer
        if not fate:
            self.loop.at(left, self._lost, (pkt, port.ifp.name))
        for late, data in fate:
            self.loop.at(left + port.link.delay + late, executor.receive, (far, Frame(data, pkt)))

    def _lost(self, argument: tuple[int, str]) -> None:
        pkt, ifname = argument
        self._drop(pkt, ifname, "lost on the link", ifname, -1)

    def _announce(self, m: Mbuf, frame: bytes) -> None:
        assert self.emit is not None
        born, m.born = m.born, ""
        self.emit((self.loop.now, "packet", self.host.name, born, -1, m.pkt, (m.parent, self._describe(frame))))
