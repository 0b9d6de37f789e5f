"""How many servers may answer at once before the last of them is late?

A client asks for 1 MB in all, an equal part from each server, again and again over connections that stay; the answers
meet at a port of 100 packets. When a whole window is lost there, nothing is left that could ask for it but a timer:
Alizadeh et al., "Data Center TCP (DCTCP)", SIGCOMM 2010, §4.2.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from netlab.backend.sim import SimSession
from netlab.experiment.studies.port import PORT, SINK, shared_port
from netlab.experiment.study import Case, Chart, Metric, Row, Study
from netlab.sim.rng import Stream, Streams
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import TcpListener, TcpSocket
from netlab.stack.tcp.knobs import Ecn, Knobs, freebsd
from netlab.stack.tcp.segment import Event
from netlab.units import MS, SEC, US

RATE, DELAY, BUFFER, K = "1 Gbit/s", "20 us", 100, 20
ANSWER = 1_000_000
IDEAL = ANSWER * 8
"""ns that the answer takes at 1 Gbit/s, headers left out."""
QUERIES, PAUSE, JITTER = 12, 200 * US, 20 * US
WARM = 2
"""Queries that are not counted: windows grow."""
CLIENT_PORT = 5001
GIVEN_UP = 20 * SEC


def knobs(control: str, ecn: Ecn, rto: int) -> Knobs:
    """Timers as in the paper: an acknowledgement is not put off for longer than a sender waits for it."""
    own = replace(freebsd(), congestion=control, ecn=ecn, rto_minimum=rto, rto_slop=0, rto_initial=max(rto, 100 * MS))
    return replace(own, delayed_ack=min(own.delayed_ack, rto // 2), receive_buffer=1 << 20, send_buffer=1 << 21)


class Server:
    """Has a connection to the client, and pours its part into it when it is told to."""

    def __init__(self, session: SimSession, name: str, ready: Callable[[], None]) -> None:
        self._session, self._executor, self._ready = session, session.executors[name], ready
        self._left = 0

    def connect(self, _: None) -> None:
        """Open the connection."""
        (client,) = self._session.executors[SINK].host.addresses
        socket, hops = TcpSocket.connect(self._executor.host, client, CLIENT_PORT, self._hear, self._session.now)
        socket.endpoint.connection.nodelay = True  # else the last bytes wait for a delayed acknowledgement (RFC 896)
        self._socket = socket
        self._executor.inject(hops)

    def answer(self, size: int) -> None:
        """Send so many bytes."""
        self._left += size
        self._executor.inject(self._pour(self._session.now))

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        if event.what == "connected":
            self._ready()
        return self._pour(now) if event.what == "writable" else []

    def _pour(self, now: int) -> list[Hop]:
        hops: list[Hop] = []
        while self._left:
            taken, more = self._socket.send(bytes(min(self._left, 1 << 16)), now)
            self._left -= taken
            hops += more
            if not taken:
                break
        return hops


class Client:
    """Asks all servers, waits for all bytes, asks again; ``times`` are the queries' in ns."""

    def __init__(self, session: SimSession, servers: int, chance: Stream) -> None:
        self._session, self._chance = session, chance
        self._listener = TcpListener(session.executors[SINK].host, CLIENT_PORT, self._hear, lambda socket, now: [])
        self._servers = [Server(session, f"h{n}", self._met) for n in range(1, servers + 1)]
        self._missing, self._asked, self._strangers = 0, 0, servers
        self.times: list[int] = []

    def run(self) -> None:
        """All queries, unless they take too long."""
        loop = self._session.loop
        for n, server in enumerate(self._servers):
            loop.at(n * 100 * US, server.connect)
        loop.run(GIVEN_UP)

    def _met(self) -> None:
        self._strangers -= 1
        if not self._strangers:
            self._session.loop.at(self._session.now + MS, self._ask)

    def _ask(self, _: None) -> None:
        now, part = self._session.now, ANSWER // len(self._servers)
        self._asked, self._missing = now, part * len(self._servers)
        for server in self._servers:
            self._session.loop.at(now + self._chance.below(JITTER), server.answer, part)

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        data, hops = socket.read(1 << 20, now)
        self._missing -= len(data)
        if data and not self._missing:
            self.times.append(now - self._asked)
            if len(self.times) < QUERIES:
                self._session.loop.at(now + PAUSE, self._ask)
        return hops


def incast(case: Case, seed: int) -> Row:
    """The times of some queries."""
    given = case.settings
    mark = f"{K} packets" if given["ecn"] else ""
    plan = shared_port(given["servers"], rate=RATE, access=RATE, delay=DELAY, queue=f"{BUFFER} packets", mark=mark)
    own = knobs(given["control"], given["ecn"], given["rto_ms"] * MS)
    session = SimSession(plan, seed=seed, traced=False, knobs=dict.fromkeys((node.name for node in plan.nodes), own))
    client = Client(session, given["servers"], Streams(seed).stream("incast", "request"))
    client.run()
    times = sorted(client.times[WARM:])
    late = sum(time > IDEAL + 9 * given["rto_ms"] * MS // 10 for time in times)
    return Row(
        {
            "mean": round(sum(times) / len(times) / MS, 2) if times else None,
            "slowest": round(times[-1] / MS, 2) if times else None,
            "late": round(late / len(times), 3) if times else None,
            "drops": session.executors["s1"].host.interfaces[PORT].counters["oqdrops"],
        }
    )


KINDS: tuple[tuple[str, str, Ecn, int], ...] = (
    ("reno, RTO 300 ms", "newreno", 0, 300),
    ("reno, RTO 10 ms", "newreno", 0, 10),
    ("dctcp, RTO 300 ms", "dctcp", 1, 300),
    ("dctcp, RTO 10 ms", "dctcp", 1, 10),
)

INCAST = Study(
    "incast",
    "How many servers may answer at once before the answer is late?",
    tuple(
        Case(f"{name}, {n} servers", {"kind": name, "control": control, "ecn": ecn, "rto_ms": rto, "servers": n})
        for name, control, ecn, rto in KINDS
        for n in (5, 10, 20, 40, 60)
    ),
    incast,
    (
        Metric("mean", "ms", "of the times until all of the answer was there; 8.2 ms at best"),
        Metric("slowest", "ms", "the slowest query's"),
        Metric("late", "", "share of the queries that waited for a retransmission timer"),
        Metric("drops", "packets", "lost at the port"),
    ),
    charts=(
        Chart("Until all of 1 MB is there", ("mean",), "servers", "points", y_label="ms", log_y=True, by="kind"),
        Chart("Queries that waited for a timer", ("late",), "servers", "points", y_label="share", by="kind"),
    ),
    notes=(
        "Alizadeh et al. (SIGCOMM 2010, §4.2.1) measured the same with real switches: TCP is the first to collapse, a "
        "short timer makes it bearable, and DCTCP follows where two segments of each server overflow the buffer",
        f"{QUERIES} queries a case over connections that stay; the first {WARM} are not counted",
    ),
)
