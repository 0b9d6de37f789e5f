"""What does one stream gain from two paths, what does it take from others, and what is left when a path dies?

Two paths of 40 and 20 Mbit/s as in the tests against Linux's own MPTCP; one link of 10 Mbit/s that is shared with one
plain TCP, after Wischik et al., "Design, implementation and evaluation of congestion control for multipath TCP", NSDI
2011; receive buffers after Raiciu et al., "How hard can it be?", NSDI 2012.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from netlab.backend.sim import SimSession
from netlab.experiment.study import Case, Chart, Metric, Published, Row, Study
from netlab.stack.host import Host
from netlab.stack.mptcp.connection import Mptcp
from netlab.stack.mptcp.host import MptcpSocket, multipath, use_addresses
from netlab.stack.tcp.host import TcpSocket
from netlab.stack.tcp.knobs import linux
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Interface, Node, Plan, Route, Rule, Table, Topology
from netlab.units import MS, SEC
from netlab.wire.address import parse_ipv4
from netlab.workload.multipath import Endless, MultipathSink

PORT = 5001
STEP = 10 * MS
LARGE = 4 << 20
RTO = 200 * MS
"""The least that a retransmission timeout waits beyond the round trip (Linux's default)."""


def measured(tried: Case, seed: int) -> Row:
    """A case on two paths, or (``shared``) on one link beside a plain TCP."""
    return shared_link(tried, seed) if tried.settings["shared"] else two_paths(tried, seed)


# ---- two paths -----------------------------------------------------------------------------------


def two_paths(tried: Case, seed: int) -> Row:
    """h1 pours to h2, over as many paths as asked for; with ``dies`` the first is cut after so many ms."""
    given = tried.settings
    session = _session(disjoint(given), seed, int(given["buffer"]))
    hosts = {name: e.host for name, e in session.executors.items()}
    layer = multipath(hosts["h1"])
    layer.settings.scheduler = given["scheduler"]
    layer.settings.opportunistic, layer.settings.fill = given["opportunistic"], 100
    if given["paths"] == "both":
        use_addresses(hosts["h1"])
    dst = parse_ipv4("10.0.2.2" if given["paths"] == "second" else "10.0.1.2")
    sink = MultipathSink(hosts["h2"], PORT, keep=False)
    flow = Endless(MptcpSocket, hosts["h1"], dst, PORT)
    session.executors["h1"].inject(flow.start(0))
    if given["dies"]:
        session.loop.run(given["dies"] * MS)
        _cut(session)
    return _watched(session, tried, lambda: sink.octets, _connection(flow))


def disjoint(given: Any) -> Plan:
    """Two hosts and two cables, each a network of its own; the second has a table of its own."""
    links = (
        cable("h1:eth0", "h2:eth0", rate=given["rate1"], delay=given["delay1"], queue=given["queue"]),
        cable("h1:eth1", "h2:eth1", rate=given["rate2"], delay=given["delay2"], queue=given["queue"]),
    )
    return resolve(Topology("two paths", (_twohomed("h1", 1, 2), _twohomed("h2", 2, 1)), links))


def _twohomed(name: str, own: int, other: int) -> Node:
    return Node(
        name,
        interfaces=(Interface("eth0", (f"10.0.1.{own}/24",)), Interface("eth1", (f"10.0.2.{own}/24",))),
        tables=(Table(2, (Route("default", f"10.0.2.{other}"),)),),
        rules=(Rule(10, 2, source="10.0.2.0/24"),),
    )


def _session(plan: Plan, seed: int, buffer: int) -> SimSession:
    own = replace(linux(), receive_buffer=buffer, send_buffer=max(buffer, LARGE), congestion="newreno")
    knobs = {node.name: replace(own) for node in plan.nodes if node.kind == "host"}
    return SimSession(plan, seed=seed, traced=False, knobs=knobs)


def _cut(session: SimSession) -> None:
    """The first cable loses all, in both directions; nobody is told."""
    for name in ("h1", "h2"):
        session.executors[name].ports[f"{name}-eth0"].link.loss = 1.0


def _connection(flow: Endless) -> Mptcp:
    assert isinstance(flow.socket, MptcpSocket)
    return flow.socket.connection


def _watched(session: SimSession, tried: Case, octets: Callable[[], int], m: Mptcp) -> Row:
    """Goodput between the warm-up and the end, as what the receiving program has read."""
    given = tried.settings
    times, counts = [], []
    t = max(session.now, STEP)
    while t <= given["ms"] * MS:
        session.loop.run(t)
        times.append(t)
        counts.append(octets())
        t += STEP
    since = next(n for n, t in enumerate(times) if t >= given["warm"] * MS)
    span = times[-1] - times[since]
    first = [s.octets for s in m.subflows if s.pair.local == parse_ipv4("10.0.1.1")]
    total = sum(s.octets for s in m.subflows)
    return Row(
        {
            "goodput": _mbit(counts[-1] - counts[since], span),
            "stall": _stall(times, counts, since) // MS,
            "first": round(sum(first) / total, 3) if total else None,
            "share": None,
        },
        {"goodput": _rates(times, counts)},
    )


def _mbit(octets: int, span: int) -> float:
    return round(octets * 8 * SEC / span / 1e6, 2)


def _stall(times: list[int], counts: list[int], since: int) -> int:
    """The longest time in which nothing reached the program, in ns, as finely as it was looked at."""
    longest, last = 0, times[since]
    for (_, before), (t, after) in pairwise(zip(times[since:], counts[since:], strict=True)):
        if after > before:
            last = t
        longest = max(longest, t - last)
    return longest


def _rates(times: list[int], counts: list[int], over: int = 10) -> tuple[list[float], list[float]]:
    """Mbit/s over ten steps each, against the time in ms."""
    ends = range(over, len(times), over)
    return [times[n] / MS for n in ends], [_mbit(counts[n] - counts[n - over], over * STEP) for n in ends]


# ---- one link ------------------------------------------------------------------------------------


def shared_link(tried: Case, seed: int) -> Row:
    """Two subflows of h1 and one plain TCP of h2 through the same link; ``share`` is h1's, 1 for half of the link."""
    given = tried.settings
    links = [cable(f"h{n}", "s1" if n < 3 else "s2") for n in range(1, 5)]
    links.append(cable("s1", "s2", rate=given["rate1"], delay=given["delay1"], queue=given["queue"]))
    plan = resolve(Topology("one link", (*several("h", 4), *several("s", 2, "switch")), tuple(links)))
    session = _session(plan, seed, int(given["buffer"]))
    hosts = {name: e.host for name, e in session.executors.items()}
    settings = multipath(hosts["h1"]).settings
    settings.coupled, settings.same_addresses = given["coupled"], 1
    sinks = [MultipathSink(hosts[name], PORT, keep=False) for name in ("h3", "h4")]
    for kind, name, to in ((MptcpSocket, "h1", "h3"), (TcpSocket, "h2", "h4")):
        flow = Endless(kind, hosts[name], _address(hosts[to]), PORT)
        session.executors[name].inject(flow.start(session.now))
    session.loop.run(given["warm"] * MS)
    before = [sink.octets for sink in sinks]
    session.loop.run(given["ms"] * MS)
    ours, plain = (sink.octets - then for sink, then in zip(sinks, before, strict=True))
    span = (given["ms"] - given["warm"]) * MS
    return Row({"goodput": _mbit(ours, span), "share": round(2 * ours / (ours + plain), 3)})


def _address(host: Host) -> int:
    [only] = host.addresses
    return only


# ---- the study -----------------------------------------------------------------------------------


def case(name: str, **settings: Any) -> Case:
    """Two paths of 40 and 20 Mbit/s, unless said otherwise."""
    usual: dict[str, Any] = {
        "shared": False,
        "paths": "both",
        "scheduler": "minrtt",
        "opportunistic": False,
        "coupled": True,
        "rate1": "40 Mbit/s",
        "rate2": "20 Mbit/s",
        "delay1": "5 ms",
        "delay2": "10 ms",
        "queue": "60 packets",
        "buffer": LARGE,
        "dies": 0,
        "warm": 300,
        "ms": 2000,
    }
    return Case(name, {**usual, **settings})


def uneven(name: str, **settings: Any) -> Case:
    """The second path is slow and long, and the receive buffer holds a sixth of a second of it."""
    return case(name, **{"rate2": "5 Mbit/s", "delay2": "40 ms", "buffer": 256 << 10, "ms": 1500, **settings})


def bottleneck(name: str, *, coupled: bool, ms: int = 30_000) -> Case:
    """One link of 10 Mbit/s."""
    link = {"rate1": "10 Mbit/s", "delay1": "10 ms", "queue": "40 packets", "buffer": 1 << 20}
    return case(name, shared=True, coupled=coupled, ms=ms, warm=ms // 5, **link)


LINUX = "Linux 6.18 at both ends, two veths with tbf, 4 s (its own scheduler, uncoupled)"

MPTCP = Study(
    "mptcp",
    "What does one stream gain from two paths, and what does it take from others?",
    (
        case("first path alone", paths="first"),
        case("second path alone", paths="second"),
        case("both, minrtt"),
        case("both, round robin", scheduler="round robin"),
        *(case(f"both, {size} kB to receive into", buffer=size << 10) for size in (64, 128, 256)),
        case("both, 256 kB, round robin", buffer=256 << 10, scheduler="round robin"),
        uneven("40 and 5 Mbit/s, minrtt"),
        uneven("40 and 5 Mbit/s, round robin", scheduler="round robin"),
        uneven("40 and 5 Mbit/s, opportunistic", opportunistic=True),
        case("first path dies", dies=800),
        bottleneck("one link, LIA", coupled=True),
        bottleneck("one link, uncoupled", coupled=False),
    ),
    measured,
    (
        Metric("goodput", "Mbit/s", "what the receiving program read, handshakes and first slow start left out"),
        Metric("stall", "ms", "the longest time in which nothing came"),
        Metric("first", "", "share of the bytes that were given to the first path"),
        Metric("share", "", "of the link beside one plain TCP; 1 is an equal part"),
    ),
    published=(
        Published(LINUX, "first path alone", {"goodput": 37.9}),
        Published(LINUX, "both, minrtt", {"goodput": 51.6}),
    ),
    charts=(
        Chart("Two paths, and either alone", ("goodput",), cases=("*alone", "both, minrtt", "both, round robin")),
        Chart(
            "A path dies after 0.8 s",
            ("goodput",),
            "series",
            "line",
            x_label="time (ms)",
            y_label="Mbit/s over 100 ms",
            cases=("both, minrtt", "first path dies"),
        ),
        Chart(
            "A second path that is slow, and a receive buffer of 256 kB",
            ("goodput",),
            cases=("first path alone", "40 and 5*"),
            caption="What came by the fast path waits for what comes by the slow one, unless the fast one helps out.",
        ),
        Chart("Beside one plain TCP", ("share",), cases=("one link*",), caption="LIA takes what one TCP would."),
    ),
    notes=(
        "where the receive buffer does not limit, both windows are full, and a scheduler has nothing to choose",
        "a receive buffer smaller than both paths can fill holds the fast path back behind the slow one",
        "a dead path is noticed by its retransmission timeout: 200 ms and a round trip",
    ),
)
