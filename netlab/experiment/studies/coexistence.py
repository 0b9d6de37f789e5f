"""Can DCTCP share a queue with senders that react to congestion in another way?

Two flows at one port that marks at K = 20 and holds 600 packets. Who cannot be marked stops at the full buffer alone,
and who halves at every mark makes room for who does not.
"""

from __future__ import annotations

from netlab.backend.sim import SimSession
from netlab.experiment.queuewatch import QueueWatch
from netlab.experiment.studies.convergence import Shares
from netlab.experiment.studies.dctcp import ACCESS, BUFFER, DELAY, RATE, knobs
from netlab.experiment.studies.port import PORT, SINK, shared_port
from netlab.experiment.study import Case, Chart, Metric, Row, Study
from netlab.sim.rng import Streams
from netlab.stack.tcp.knobs import Ecn
from netlab.units import MS, US
from netlab.workload.spec import Bulk

K, LENGTH, WARM = 20, 300 * MS, 100 * MS
SENDERS: dict[str, tuple[str, Ecn]] = {"dctcp": ("dctcp", 1), "reno+ecn": ("newreno", 1), "reno": ("newreno", 0)}


def side_by_side(case: Case, seed: int) -> Row:
    """Two flows: the first one's share of what got through, and the queue that they keep."""
    pair = case.settings["first"], case.settings["second"]
    plan = shared_port(2, rate=RATE, access=ACCESS, delay=DELAY, queue=f"{BUFFER} packets", mark=f"{K} packets")
    # The sink grants ECN to who asks for it. DCTCP's own echo is agreed on for each connection, by the workload.
    own = {f"h{n}": knobs(*SENDERS[name], BUFFER // 2 if name == "reno" else 0) for n, name in enumerate(pair, 1)}
    own[SINK] = knobs("newreno", 1)
    session = SimSession(plan, seed=seed, traced=False, knobs=own)
    shares = Shares(session, PORT)
    watch = QueueWatch(session, PORT, since=WARM, until=LENGTH, step=MS)
    chance = Streams(seed).stream("coexistence", "start")
    session.run(
        [
            Bulk(f"h{n}", SINK, 5000 + n, duration=LENGTH, congestion=SENDERS[name][0], start=chance.below(200 * US))
            for n, name in enumerate(pair, 1)
        ]
    )
    watch.finish()
    first, second = (shares.total(plan.node(f"h{n}").addresses[0], WARM, LENGTH) for n in (1, 2))
    return Row(
        {
            "share": round(first / (first + second), 3),
            "q50": watch.quantile(0.5),
            "utilisation": round(watch.utilisation, 4),
        }
    )


def _case(first: str, second: str) -> Case:
    return Case(f"{first} beside {second}", {"first": first, "second": second})


COEXISTENCE = Study(
    "coexistence",
    "Can DCTCP share a queue with another congestion control?",
    (
        _case("dctcp", "dctcp"),
        _case("dctcp", "reno+ecn"),
        _case("dctcp", "reno"),
        _case("reno+ecn", "reno"),
    ),
    side_by_side,
    (
        Metric("share", "", "of the first of the two in what got through; 0.5 is fair"),
        Metric("q50", "packets", "the median of the queue"),
        Metric("utilisation", "", "share of the time in which the link was busy"),
    ),
    charts=(Chart("What the first one gets", ("share",), y_label="share"),),
    notes=("DCTCP wants a queue of its own: RFC 8257 §5 has operators keep it apart from conventional TCP",),
)
