"""What becomes of packets that an interface has no room for: policies between TCP and the driver, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from netlab.backend.sim import SimSession
from netlab.backend.sim.pressing import Pressure
from netlab.backend.sim.pressured import PressuredExecutor
from netlab.backend.sim.queues import Scheduling
from netlab.experiment.study import Case, Chart, Metric, Published, Row, Study
from netlab.stack.host import Host
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import TcpSocket
from netlab.stack.tcp.knobs import Knobs, freebsd, linux
from netlab.stack.tcp.layer import Pair
from netlab.stack.tcp.segment import Event
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Limit, Link, Node, Topology
from netlab.units import MS, SEC
from netlab.workload.apps import Pinger
from netlab.workload.bulk import Sink
from netlab.workload.spec import Ping

RATE, DELAY = 50_000_000, 10 * MS
BDP = RATE // 8 * 2 * DELAY // SEC
QUEUE = 3 * BDP // 1514
ISDN = 64_000
BUFFER = 131_072
"""Bytes a socket holds on each side: as much as Linux begins with."""
TICK, PING = 2 * MS, 10 * MS
BEGIN = 60 * MS
"""Eight delays later, programs begin to pour: all are connected then."""
PORT = 5001
TEXT, FRAME = 1448, 1538
"""Bytes of text in a full segment with timestamps, and of the wire that it takes."""


def knobs_of_2002() -> Knobs:
    """FreeBSD 4: NewReno without SACK or limited transmit, one segment to begin with, a second before any timeout."""
    return replace(
        freebsd(),
        sack=False,
        congestion="newreno",
        limited_transmit=False,
        initial_window=1,
        delayed_ack=100 * MS,
        rto_minimum=1 * SEC,
        rto_slop=0,
        ecn=0,
    )


ERAS: dict[str, Knobs] = {"2002": knobs_of_2002(), "now": replace(linux(), send_buffer=BUFFER, receive_buffer=BUFFER)}


class Pourer:
    """A program that always has something to send."""

    CHUNK = bytes(1 << 15)

    def __init__(self, host: Host, dst: int, begin: int) -> None:
        self._host, self._dst, self._begin = host, dst, begin

    def start(self, now: int) -> list[Hop]:
        """Connect; pour from ``begin`` on."""
        self.socket, hops = TcpSocket.connect(self._host, self._dst, PORT, self._hear, now)
        self._host.timers.at(self._begin, self._pour)
        return hops

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        return self._pour(now) if event.what == "writable" and now >= self._begin else []

    def _pour(self, now: int) -> list[Hop]:
        hops: list[Hop] = []
        while True:
            taken, more = self.socket.send(self.CHUNK, now)
            hops += more
            if taken < len(self.CHUNK):
                return hops


class Bench:
    """h1 pours over ``senders`` connections to h2, pings it meanwhile, and is looked at every `TICK`."""

    def __init__(self, settings: Mapping[str, Any], seed: int) -> None:
        self.settings = settings
        self.rate, self.delay = settings.get("rate", RATE), settings.get("delay", DELAY)
        link = Link(End("h1"), End("h2"), rate=self.rate, delay=self.delay, queue=self._limit())
        plan = resolve(Topology("backpressure", (Node("h1"), Node("h2")), (link,)))
        ring = settings.get("ring")
        knobs = ERAS[settings.get("era", "now")]
        self.session = SimSession(
            plan,
            seed=seed,
            traced=False,
            knobs={"h1": knobs, "h2": knobs},
            pressure={"h1": Pressure(settings["policy"], self._policy_settings())},
            ring={"h1": ring} if ring else None,
            bql=("h1",) if settings.get("bql") else (),
            schedulers={"h1-eth0": Scheduling("drr")} if settings.get("drr") else {},
        )
        self.hosts = {name: executor.host for name, executor in self.session.executors.items()}
        self.samples: list[tuple[int, int]] = []

    def _limit(self) -> Limit:
        packets = self.settings.get("queue", QUEUE)
        return Limit(packets, "packets")

    def _policy_settings(self) -> dict[str, dict[str, Any]]:
        limit = self.settings.get("limit")
        return {"scheduled": {"limit": limit}} if limit else {}

    def start(self) -> None:
        """Every program connects, a little one after the other; then all pour."""
        [dst] = self.hosts["h2"].addresses
        Sink(self.hosts["h2"], PORT, keep=False)
        executor, loop = self.session.executors["h1"], self.session.loop
        for n in range(self.settings["senders"]):
            pourer = Pourer(self.hosts["h1"], dst, BEGIN + 8 * self.delay)
            loop.at((n > 0) * 3 * self.delay + n * MS // 4, self._begin, pourer)  # the first waits for ARP alone
        every = self.settings.get("ping", PING)
        pings = Ping("h1", "h2", count=self.settings["until"] // every, interval=every, timeout=10 * SEC)
        self.pinger = Pinger(self.hosts["h1"], pings, (4, dst), 1, _nothing)
        self.pinger.start(0)
        executor.arm()
        self._look(None)

    def _begin(self, pourer: Pourer) -> None:
        self.session.executors["h1"].inject(pourer.start(self.session.now))

    def _look(self, _: object) -> None:
        now = self.session.now
        self.samples.append((now, self.session.executors["h1"].ports["h1-eth0"].txq.octets))
        self.session.loop.at(now + TICK, self._look)

    def taken(self) -> dict[Pair, int]:
        """Bytes that have arrived in order, by connection."""
        endpoints = self.hosts["h2"].tcp.layer.endpoints
        return {pair: e.connection.rcv_nxt - e.connection.irs for pair, e in endpoints.items()}

    def counted(self) -> tuple[int, int, int, int]:
        """Wake-ups, packets with text that left, drops, ns of work."""
        executor = self.session.executors["h1"]
        assert isinstance(executor, PressuredExecutor)
        counts = executor.boundaries["h1-eth0"].counts
        drops = self.hosts["h1"].interfaces["h1-eth0"].counters["oqdrops"]
        return counts.wakeups, counts.frames, drops, executor.busy


def run(case: Case, seed: int) -> Row:
    """Pour, wait until the beginning is over, and measure."""
    settings = case.settings
    bench = Bench(settings, seed)
    bench.start()
    since, until = settings["since"], settings["until"]
    bench.session.loop.run(since)
    before, counts = bench.taken(), bench.counted()
    bench.session.loop.run(until)
    shares = [octets - before.get(pair, 0) for pair, octets in bench.taken().items()]
    wakeups, frames, drops, busy = (late - early for late, early in zip(bench.counted(), counts, strict=True))
    could = bench.rate * (until - since) * TEXT // (8 * SEC * FRAME)
    queue = [octets for t, octets in bench.samples if t >= since]
    mean = sum(queue) / len(queue)
    return Row(
        {
            "goodput": round(100 * sum(shares) / could, 1),
            "queue": round(mean / 1000, 1),
            "longest": round(max(queue) / 1000, 1),
            "wait": round(mean * 8000 / bench.rate, 1),
            "ping p99": _p99(bench, since),
            "fairness": round(_jain(shares), 3),
            "wakeups": round(wakeups / frames, 2) if frames else None,
            "cpu": round(busy / frames / 1000, 1) if frames else None,
            "drops": drops,
        },
        {"queue": _line(bench)} if settings.get("series") else {},
    )


def _line(bench: Bench) -> tuple[list[float], list[float]]:
    """The queue over time, a point every ten ticks: s and kB."""
    some = bench.samples[::10]
    return [t / SEC for t, _ in some], [octets / 1000 for _, octets in some]


def _p99(bench: Bench, since: int) -> float | None:
    first = since // bench.settings.get("ping", PING)
    rtts = sorted(reply.rtt for reply in bench.pinger.outcome().replies[first:] if reply.rtt is not None)
    return round(rtts[len(rtts) * 99 // 100] / MS, 1) if rtts else None


def _jain(shares: list[int]) -> float:
    squares = len(shares) * sum(share * share for share in shares)
    return sum(shares) ** 2 / squares if squares else 0.0


def _nothing(program: str, now: int, said: str, value: int) -> None:
    """The pinger speaks to nobody."""


# ---- the cases ------------------------------------------------------------------------------------

SAME = ("drop", "rollback", "quench", "wake all", "scheduled", "endless", "accounted", "notify")
HERD = (4, 16, 64, 200)


def _same(policy: str, name: str = "", **more: Any) -> Case:
    settings = {"policy": policy, "senders": 8, "since": 1 * SEC, "until": 2400 * MS, "series": True, **more}
    return Case(name or policy, settings)


def _isdn(policy: str, queue: int, name: str) -> Case:
    settings = {"policy": policy, "senders": 1, "rate": ISDN, "delay": 65 * MS, "queue": queue, "era": "2002"}
    return Case(name, {**settings, "since": 20 * SEC, "until": 140 * SEC, "ping": 1000 * SEC})


def _herd(policy: str, senders: int, **more: Any) -> Case:
    settings = {"policy": policy, "senders": senders, "since": 500 * MS, "until": 1200 * MS, **more}
    return Case(f"herd {policy} N={senders}", settings)


CASES = (
    *(_same(policy) for policy in SAME),
    _same("accounted+scheduled", limit=BDP),
    _same("drop", "drop, fair queue, ring", drr=True, ring=256),
    _same("drop", "drop, fair queue, ring, bql", drr=True, ring=256, bql=True),
    _isdn("drop", 2, "isdn drop"),
    _isdn("quench", 2, "isdn quench"),
    _isdn("rollback", 2, "isdn rollback"),
    _isdn("drop", 26, "isdn drop, 5 s queue"),
    *(_herd(policy, senders) for senders in HERD for policy in ("wake all", "scheduled")),
    _herd("accounted+scheduled", 200, limit=BDP),
)

COBBS = "FreeBSD 7734ea0612 (A. Cobbs, 2002): ISDN, what a 0.5 s queue gave without and with local rollback"
TSQ = "Linux 46d3ceab (E. Dumazet, 2012): what one sender leaves in the queue without and with small queues"

BACKPRESSURE = Study(
    "backpressure",
    "What should a host do with what its interface has no room for?",
    CASES,
    run,
    (
        Metric("goodput", "%", "of what the link can carry"),
        Metric("queue", "kB", "mean of what waits in the interface queue and the ring"),
        Metric("longest", "kB", "the most that ever waited"),
        Metric("wait", "ms", "mean queue over the rate"),
        Metric("ping p99", "ms", "round trip of a ping from the same host"),
        Metric("fairness", "", "Jain's index of what the connections got"),
        Metric("wakeups", "per packet", "of connections, for each packet with data that left"),
        Metric("cpu", "us", "work of the sending host for each such packet, in the costs that the simulation assumes"),
        Metric("drops", "", "what found the queue full"),
    ),
    published=(
        Published(COBBS, "isdn drop", {"goodput": 50}),
        Published(COBBS, "isdn rollback", {"goodput": 100}),
        Published(TSQ, "Linux at 100 Mbit/s, without", {"wait": 132}, {"rate": 100_000_000}),
        Published(TSQ, "Linux at 100 Mbit/s, with", {"wait": 8}, {"rate": 100_000_000}),
    ),
    charts=(
        Chart(
            "What a ping waits while eight senders fill the link",
            ("ping p99",),
            cases=(*SAME, "accounted+*", "drop, *"),
            log_y=True,
            caption="All of them fill it: what differs is who pays.",
        ),
        Chart(
            "The queue over time",
            ("queue",),
            x="series",
            kind="line",
            cases=SAME,
            x_label="s",
            y_label="kB",
            log_y=True,
        ),
        Chart("ISDN: a queue of half a second", ("goodput",), cases=("isdn *",)),
        Chart(
            "The herd",
            ("wakeups",),
            x="senders",
            kind="line",
            by="policy",
            cases=("herd wake all*", "herd scheduled*"),
            log_x=True,
            log_y=True,
            caption="Who wakes everybody pays for everybody.",
        ),
    ),
    notes=(
        "A wake-up costs what a delivery to a socket is assumed to cost (500 ns); a context switch would cost more.",
        "The round trip of the ISDN line was not published; 130 ms is assumed. Between 100 and 160 ms plain dropping "
        "gives about three fifths, below 70 ms nine tenths, for then losses are found without a timeout.",
    ),
)
