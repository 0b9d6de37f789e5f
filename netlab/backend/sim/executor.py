"""Runs a host's stage graph in virtual time: cores, costs, locks, rings and queues hang on the boundary between stages.

Protocol code runs whole, at the instant when its work ends. Nothing is recorded unless somebody watches: with
``emit`` None the record of a step costs one test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from netlab.backend.sim.costs import COSTS, OTHER, QUEUE_LIMIT, RX_BUDGET, RX_RING
from netlab.backend.sim.lockplan import LockPlan, Needs
from netlab.sim.core import Core
from netlab.sim.link import LinkDirection
from netlab.sim.lock import Lock
from netlab.sim.loop import EventLoop
from netlab.sim.queue import BoundedQueue
from netlab.stack.host import Host
from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop
from netlab.trace.record import Row

Emit = Callable[[Row], None]
Describe = Callable[[bytes], str]


class Frame(NamedTuple):
    """What is on a wire: bytes, and the journey that they belong to."""

    data: bytes
    pkt: int


class Work(NamedTuple):
    """What waits for a core: a stage and its vector; for "nic.rx" the vector is still in the interface's ring."""

    stage: str
    vector: list[Mbuf]
    port: Port | None = None


class Port:
    """An interface at work: its receive ring, its transmit queue, its end of the cable."""

    __slots__ = ("core", "ifp", "link", "peer", "polling", "ring", "sending", "txq")

    def __init__(self, ifp: Ifnet, link: LinkDirection, core: Core) -> None:
        self.ifp, self.link, self.core = ifp, link, core
        self.peer: tuple[HostExecutor, Port] | None = None
        self.ring: BoundedQueue[Frame] = BoundedQueue(RX_RING)
        self.polling = False
        limit = ifp.queue
        self.txq: BoundedQueue[Mbuf] = (
            BoundedQueue(limit.n, in_bytes=limit.unit == "bytes") if limit else BoundedQueue(QUEUE_LIMIT)
        )
        self.sending = False


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
    ) -> None:
        self.host, self.loop, self.emit = host, loop, emit
        self.cores = [Core(loop, n, self._begin) for n in range(cores)]
        self.ports: dict[str, Port] = {}
        self._lock_plan, self._ids, self._describe = lock_plan, ids, describe
        self._locks: dict[str, Lock] = {}
        self._armed: int | None = None

    def attach(self, ifp: Ifnet, link: LinkDirection) -> Port:
        """Give an interface its end of a cable."""
        port = Port(ifp, link, self.cores[len(self.ports) % len(self.cores)])
        self.ports[ifp.name] = port
        return port

    def inject(self, hops: list[Hop]) -> None:
        """Send on their way what a program or a timer of this host made."""
        self._follow(hops, self.cores[0], "program", ahead=False)
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
        if not port.ring.put(frame, len(frame.data)):
            ifp.counters["ierrors"] += 1
            self._drop(frame.pkt, "nic.rx", "receive ring full", ifp.name, -1)
            return
        if not port.polling:
            port.polling = True
            port.core.submit(Work("nic.rx", [], port))

    def _poll(self, port: Port) -> list[Mbuf]:
        vector: list[Mbuf] = []
        counters = port.ifp.counters
        while len(port.ring) and len(vector) < RX_BUDGET:
            frame = port.ring.get()
            counters["ipackets"] += 1
            counters["ibytes"] += len(frame.data)
            vector.append(Mbuf(frame.data, pkt=frame.pkt, rcvif=port.ifp))
        return vector

    # ---- working -----------------------------------------------------------------------------

    def _begin(self, core: Core, work: Work) -> None:
        vector = self._poll(work.port) if work.port else work.vector
        needs = self._lock_plan(work.stage, vector)
        if needs:
            self._acquire(core, work, vector, needs, self.loop.now)
        else:
            self._work(core, work, vector, needs, self.loop.now)

    def _acquire(self, core: Core, work: Work, vector: list[Mbuf], needs: Needs, asked: int, held: int = 0) -> None:
        if held == len(needs):
            self._work(core, work, vector, needs, asked)
            return
        name, mode = needs[held]
        lock = self._locks.setdefault(name, Lock(name))
        lock.acquire(mode, lambda: self._acquire(core, work, vector, needs, asked, held + 1))

    def _work(self, core: Core, work: Work, vector: list[Mbuf], needs: Needs, asked: int) -> None:
        call, packet = COSTS.get(work.stage, OTHER)
        took = call + packet * len(vector)
        core.busy_ns += took
        self.loop.at(self.loop.now + took, self._done, (core, work, vector, needs, asked, took))

    def _done(self, step: tuple[Core, Work, list[Mbuf], Needs, int, int]) -> None:
        core, work, vector, needs, asked, took = step
        began = self.loop.now - took
        if self.emit:
            self._record_stage(core, work.stage, vector, began)
        hops = self.host.stages[work.stage].run(self.host, vector, self.loop.now)
        for name, mode in needs:
            self._locks[name].release(mode)
            if self.emit:
                data = (mode, began - asked, took)
                self.emit((asked, "lock", self.host.name, name, core.number, vector[0].pkt, data))
        self._follow(hops, core, work.stage, ahead=True)
        if work.port is not None:
            self._poll_again(core, work.port)
        self.arm()
        core.finish()

    def _poll_again(self, core: Core, port: Port) -> None:
        if len(port.ring):
            core.submit(Work("nic.rx", [], port))
        else:
            port.polling = False

    def _record_stage(self, core: Core, stage: str, vector: list[Mbuf], began: int) -> None:
        call, packet = COSTS.get(stage, OTHER)
        t, emit = began, self.emit
        assert emit is not None
        for m in vector:
            if not m.pkt:
                m.pkt, m.born = next(self._ids), stage
            ifp = m.ifp or m.rcvif
            dur = packet + (call if t == began else 0)
            emit((t, "stage", self.host.name, stage, core.number, m.pkt, (ifp.name if ifp else "", dur)))
            t += dur

    # ---- what comes after a stage ------------------------------------------------------------

    def _follow(self, hops: list[Hop], core: Core, where: str, *, ahead: bool) -> None:
        groups: dict[str, list[Mbuf]] = {}
        for target, m, reason in hops:
            if not m.pkt:
                m.pkt, m.born = next(self._ids), where
            if target == "nic.tx":
                self._enqueue(m, core)
            elif target:
                groups.setdefault(target, []).append(m)
            elif reason:
                if self.emit and m.born:
                    self._announce(m, m.data)
                self._drop(m.pkt, where, reason, m.rcvif.name if m.rcvif else "", core.number)
        work = [Work(target, vector) for target, vector in groups.items()]
        if ahead:
            core.submit_first(work)
        else:
            for item in work:
                core.submit(item)

    def _drop(self, pkt: int, where: str, reason: str, ifname: str, cpu: int) -> None:
        if self.emit:
            self.emit((self.loop.now, "drop", self.host.name, where, cpu, pkt, (reason, ifname)))

    # ---- sending -----------------------------------------------------------------------------

    def _enqueue(self, m: Mbuf, core: Core) -> None:
        ifp = m.ifp
        assert ifp is not None
        port = self.ports[ifp.name]
        if not port.txq.put(m, len(m.data)):
            ifp.counters["oqdrops"] += 1
            self._drop(m.pkt, "ifq", "queue full", ifp.name, core.number)
            return
        self._queue_record("enqueue", port, m, core.number)
        if not port.sending:
            self._send(port)

    def _queue_record(self, kind: str, port: Port, m: Mbuf, cpu: int) -> None:
        if self.emit:
            data = (len(port.txq), port.txq.octets)
            self.emit((self.loop.now, kind, self.host.name, port.ifp.name, cpu, m.pkt, data))

    def _send(self, port: Port) -> None:
        """The wire is free: put the oldest frame of the queue on it."""
        if not len(port.txq):
            port.sending = False
            return
        port.sending = True
        m = port.txq.get()
        self._queue_record("dequeue", port, m, -1)
        now, ifp, link = self.loop.now, port.ifp, port.link
        length = len(m.data)
        took = link.serialisation(length)
        ifp.counters["opackets"] += 1
        ifp.counters["obytes"] += length
        if self.emit:
            if m.born:
                self._announce(m, m.data)
            data = (ifp.peer, length, took, link.delay, m.data)
            self.emit((now, "wire.tx", self.host.name, ifp.name, -1, m.pkt, data))
        self.loop.at(now + took, self._send, port)
        if port.peer is None or link.loses():
            self.loop.at(now + took, self._lost, (m.pkt, ifp.name))
        else:
            executor, far = port.peer
            self.loop.at(now + took + link.delay, executor.receive, (far, Frame(m.data, m.pkt)))

    def _lost(self, argument: tuple[int, str]) -> None:
        pkt, ifname = argument
        self._drop(pkt, ifname, "lost on the link", ifname, -1)

    def _announce(self, m: Mbuf, frame: bytes) -> None:
        assert self.emit is not None
        born, m.born = m.born, ""
        self.emit((self.loop.now, "packet", self.host.name, born, -1, m.pkt, (m.parent, self._describe(frame))))
