"""How long is the queue that a congestion control keeps, and what does it cost in throughput?

1 Gbit/s, a round trip of 100 µs (8.3 packets of 1500 bytes), a buffer of 600 packets: figures 1 and 13 of Alizadeh et
al., "Data Center TCP (DCTCP)", SIGCOMM 2010, and its rule K > C · RTT / 7.
"""

from __future__ import annotations

from dataclasses import replace

from netlab.backend.sim import SimSession
from netlab.experiment.queuewatch import QueueWatch
from netlab.experiment.studies.port import PORT, SINK, shared_port
from netlab.experiment.study import Case, Chart, Metric, Published, Row, Study
from netlab.sim.rng import Streams
from netlab.stack.tcp.knobs import Ecn, Knobs, freebsd
from netlab.units import MS, US
from netlab.workload.spec import Bulk

RATE, ACCESS, DELAY, BUFFER = "1 Gbit/s", "10 Gbit/s", "20 us", 600
"""Four links of 20 µs make 80 of the 100 µs; the rest is packets on the wire and work in the hosts."""
WINDOW = 2 * 1024 * 1024 - 1
SEGMENT = 1448
SAMPLES = 400


def knobs(control: str, ecn: Ecn, threshold: int = 0) -> Knobs:
    """Windows that do not limit; ``threshold`` packets end the first slow start."""
    own = replace(freebsd(), receive_buffer=WINDOW, send_buffer=WINDOW)
    return replace(own, congestion=control, ecn=ecn, initial_threshold=threshold * SEGMENT)


def queue_length(tried: Case, seed: int) -> Row:
    """Flows that have much to send share the port; what waits there is watched once they have settled."""
    given = tried.settings
    flows, length, warm = given["flows"], given["ms"] * MS, given["warm"] * MS
    mark = f"{given['K']} packets" if given["K"] else ""
    plan = shared_port(flows, rate=RATE, access=ACCESS, delay=DELAY, queue=f"{BUFFER} packets", mark=mark)
    # Without a mark the first slow start would lose half a buffer at once, and the rest of a short run would mend that.
    threshold = 0 if given["K"] else BUFFER // flows
    own = {node.name: knobs(given["control"], given["ecn"], threshold) for node in plan.nodes}
    own[SINK] = knobs(given["receiver"] or given["control"], given["ecn"])
    session = SimSession(plan, seed=seed, traced=False, knobs=own)
    watch = QueueWatch(session, PORT, since=warm, until=length, step=(length - warm) // SAMPLES)
    chance = Streams(seed).stream("dctcp", "start")
    session.run([Bulk(f"h{n}", SINK, duration=length, start=chance.below(200 * US)) for n in range(1, flows + 1)])
    watch.finish()
    return _row(session, watch)


def _row(session: SimSession, watch: QueueWatch) -> Row:
    counters = session.executors["s1"].host.interfaces[PORT].counters
    times = [(watch.since + n * watch.step) / MS for n in range(len(watch.samples))]
    return Row(
        {
            "q5": watch.quantile(0.05),
            "q50": watch.quantile(0.50),
            "q95": watch.quantile(0.95),
            "utilisation": round(watch.utilisation, 4),
            "drops": counters["oqdrops"],
            "marked": round(counters["oqmarks"] / counters["opackets"], 4),
        },
        {"queue": (times, watch.samples), "distribution": watch.distribution()},
    )


def case(
    name: str,
    control: str,
    *,
    receiver: str = "",
    ecn: Ecn = 0,
    k: int = 0,
    flows: int = 2,
    ms: int = 120,
    warm: int = 20,
) -> Case:
    """Watched from ``warm`` to ``ms`` milliseconds; ``receiver`` is the sink's control, where it is another's."""
    settings = {"control": control, "receiver": receiver, "ecn": ecn, "K": k, "flows": flows, "ms": ms, "warm": warm}
    return Case(name, settings)


MODEL = "a model of windows and one queue alone, 50 lines, same rate, round trip and buffer"
TOOTH, SETTLED = 450, 50
"""ms: a sawtooth without marks takes about 400. Two flows win 300 packets back, one each in a round trip of 5 ms."""
SWEEP = ("dctcp K=?", "dctcp K=??")

DCTCP = Study(
    "dctcp",
    "How long is the queue that two flows keep at a shared port, and is the link still full?",
    (
        case("reno", "newreno", ms=TOOTH, warm=SETTLED),
        case("cubic", "cubic", ms=TOOTH, warm=SETTLED),
        case("reno+ecn K=20", "newreno", ecn=1, k=20, ms=TOOTH, warm=SETTLED),
        case("dctcp K=20", "dctcp", ecn=1, k=20, ms=TOOTH, warm=SETTLED),
        *(case(f"dctcp K={k}", "dctcp", ecn=1, k=k) for k in (1, 2, 5, 10, 40)),
        case("dctcp K=20 to a plain receiver", "dctcp", receiver="newreno", ecn=1, k=20),
        case("dctcp K=20, 20 flows", "dctcp", ecn=1, k=20, flows=20),
    ),
    queue_length,
    (
        Metric("q5", "packets", "the queue was no longer for 5 % of the time"),
        Metric("q50", "packets", "the median of its length"),
        Metric("q95", "packets", "it was longer for 5 % of the time"),
        Metric("utilisation", "", "share of the time in which the link was busy"),
        Metric("drops", "packets", "lost at the full queue, the first slow start's among them"),
        Metric("marked", "", "share of all packets that left with a mark of this queue"),
    ),
    published=(
        Published(MODEL, "reno", {"q5": 343, "q50": 402, "q95": 454, "utilisation": 1.0}),
        Published(MODEL, "reno+ecn K=20", {"q5": 6, "q50": 15, "q95": 22, "utilisation": 1.0}),
        Published(MODEL, "dctcp K=2", {"q50": 2, "utilisation": 0.924}),
        Published(MODEL, "dctcp K=5", {"q50": 5, "utilisation": 1.0}),
        Published(MODEL, "dctcp K=10", {"q50": 10, "utilisation": 1.0}),
        Published(MODEL, "dctcp K=20", {"q5": 17, "q50": 19, "q95": 22, "utilisation": 1.0}),
        Published(MODEL, "dctcp K=40", {"q50": 39, "utilisation": 1.0}),
        Published(MODEL, "dctcp K=20, 20 flows", {"q50": 32}),
    ),
    charts=(
        Chart(
            "What waits at the port",
            ("queue",),
            "series",
            "line",
            x_label="time (ms)",
            y_label="packets waiting",
            cases=("reno", "reno+ecn K=20", "dctcp K=20"),
            caption="Reno fills whatever buffer it is given; DCTCP stands at K.",
        ),
        Chart(
            "For how much of the time the queue was no longer than that",
            ("distribution",),
            "series",
            "line",
            x_label="packets waiting",
            y_label="share of the time",
            log_x=True,
            cases=("reno", "cubic", "reno+ecn K=20", "dctcp K=20"),
        ),
        Chart("The queue follows K", ("q5", "q50", "q95"), "K", "points", cases=SWEEP),
        Chart("The link is full from about C · RTT / 7 on", ("utilisation",), "K", "points", cases=SWEEP),
    ),
    notes=(
        "twenty flows keep 2 · 20 packets less the 8 on their way: a window is never below two segments",
        "K > C · RTT / 7 asks for 2 packets here (Alizadeh et al., SIGCOMM 2010; RFC 8257 §3.1)",
    ),
)
