"""Do flows that come and go share a port fairly, and how soon?

Five senders join one after the other and leave in the same order, as in figure 16 of Alizadeh et al., "Data Center TCP
(DCTCP)", SIGCOMM 2010; a step is 30 s there and 50 ms here, which is still 500 round trips.
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.backend.sim import SimSession
from netlab.experiment.studies.dctcp import ACCESS, BUFFER, DELAY, RATE, knobs
from netlab.experiment.studies.port import PORT, SINK, shared_port
from netlab.experiment.study import Case, Chart, Metric, Row, Study
from netlab.sim.rng import Streams
from netlab.stack.tcp.knobs import Ecn
from netlab.trace.record import Row as Record
from netlab.units import MS, US
from netlab.wire.address import format_ipv4
from netlab.workload.spec import Bulk

FLOWS, STEP, BIN = 5, 50 * MS, 5 * MS
STEPS = 2 * FLOWS - 1
_SOURCE = slice(14 + 12, 14 + 16)
"""Where an untagged frame says who sent its IPv4 packet."""


class Shares:
    """Counts what leaves by an interface: bytes of each sender, in bins of `BIN` ns."""

    def __init__(self, session: SimSession, interface: str) -> None:
        self._interface = interface
        self.octets: dict[str, list[int]] = {}
        session.executors[session.plan.interface(interface).node].emit = self._seen

    def _seen(self, row: Record) -> None:
        t, kind, _, name, _, _, data = row
        if kind == "wire.tx" and name == self._interface and t < STEPS * STEP:
            source = format_ipv4(int.from_bytes(data[4][_SOURCE], "big"))
            self.octets.setdefault(source, [0] * (STEPS * STEP // BIN))[t // BIN] += data[1]

    def total(self, source: str, since: int, until: int) -> int:
        """Bytes of a sender from one time to another, in whole bins."""
        return sum(self.octets.get(source, [])[since // BIN : until // BIN])


def active(step: int) -> range:
    """The flows, from 0, that send in a step: n joins at the n-th and leaves as the n-th."""
    return range(max(0, step - FLOWS + 1), min(step + 1, FLOWS))


def jain(shares: Sequence[float]) -> float:
    """Jain's index: 1 when all are equal, 1/n when one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares)) if any(shares) else 0.0


def convergence(case: Case, seed: int) -> Row:
    """Throughput of each flow over time, and how equal and how steady it is in the second half of each step."""
    given = case.settings
    mark = f"{given['K']} packets" if given["K"] else ""
    plan = shared_port(FLOWS, rate=RATE, access=ACCESS, delay=DELAY, queue=f"{BUFFER} packets", mark=mark)
    own = knobs(given["control"], given["ecn"], 0 if given["K"] else BUFFER // 2)
    session = SimSession(plan, seed=seed, traced=False, knobs=dict.fromkeys((node.name for node in plan.nodes), own))
    shares = Shares(session, PORT)
    chance = Streams(seed).stream("convergence", "start")
    session.run(
        [Bulk(f"h{n + 1}", SINK, start=n * STEP + chance.below(200 * US), duration=FLOWS * STEP) for n in range(FLOWS)]
    )
    rates = [_rates(shares.octets.get(plan.node(f"h{n + 1}").addresses[0], [])) for n in range(FLOWS)]
    times = [BIN * n / MS for n in range(STEPS * STEP // BIN)]
    return Row(_judged(rates), {f"flow {n + 1}": (times, rate) for n, rate in enumerate(rates)})


def _rates(octets: Sequence[int]) -> list[float]:
    """Mbit/s in each bin."""
    return [round(n * 8 * 1000 / BIN, 1) for n in octets] or [0.0] * (STEPS * STEP // BIN)


def _judged(rates: Sequence[Sequence[float]]) -> dict[str, int | float | None]:
    """The mean over steps with several flows: equal over the half step, and steady from bin to bin."""
    fair, wobbles, used = [], [], []
    bins = STEP // BIN
    for step in range(1, STEPS - 1):
        half = slice(step * bins + bins // 2, (step + 1) * bins)
        held = [rates[flow][half] for flow in active(step)]
        means = [sum(rate) / len(rate) for rate in held]
        fair.append(jain(means))
        wobbles += [_spread(rate) / (sum(means) / len(means) or 1) for rate in held]
        used.append(sum(means))
    return {
        "fairness": round(sum(fair) / len(fair), 3),
        "least fair": round(min(fair), 3),
        "wobble": round(sum(wobbles) / len(wobbles), 3),
        "throughput": round(sum(used) / len(used)),
    }


def _spread(values: Sequence[float]) -> float:
    """The standard deviation."""
    mean = sum(values) / len(values)
    return float((sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5)


def _case(name: str, control: str, ecn: Ecn = 0, k: int = 0) -> Case:
    return Case(name, {"control": control, "ecn": ecn, "K": k})


def _chart(case: str) -> Chart:
    flows = tuple(f"flow {n}" for n in range(1, FLOWS + 1))
    return Chart(case, flows, "series", "line", x_label="time (ms)", y_label="Mbit/s", cases=(case,))


CONVERGENCE = Study(
    "convergence",
    "Do five flows that come and go share a port fairly?",
    (
        _case("dctcp K=20", "dctcp", 1, 20),
        _case("reno+ecn K=20", "newreno", 1, 20),
        _case("reno", "newreno"),
        _case("cubic", "cubic"),
    ),
    convergence,
    (
        Metric("fairness", "", "Jain's index of the flows in the second half of a step, mean of the steps"),
        Metric("least fair", "", "the same, of the worst step"),
        Metric("wobble", "", f"standard deviation of a flow from {BIN // MS} ms to the next, in fair shares"),
        Metric("throughput", "Mbit/s", "all flows together, frames without preamble and gap"),
    ),
    charts=(
        _chart("dctcp K=20"),
        _chart("reno+ecn K=20"),
        _chart("reno"),
        Chart("How equal the shares are", ("fairness", "least fair"), y_label="Jain's index"),
    ),
    notes=(
        "without marks a round trip is up to 7 ms and a sawtooth 400 ms, so Reno and CUBIC have no time to become fair "
        "in steps of 50 ms: they are not unfair, but slow behind their own queue",
        "Alizadeh et al. (SIGCOMM 2010, fig. 16) found DCTCP fair with little variation, in steps of 30 s",
    ),
)
