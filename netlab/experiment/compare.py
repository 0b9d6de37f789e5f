"""World against world: the same flows in virtual time and in the kernel, packet by packet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import permutations
from typing import Literal, NamedTuple

from netlab.backend.base import Backend
from netlab.backend.names import address_of
from netlab.experiment.run import refuse
from netlab.topology.spec import Plan, PlanNode
from netlab.trace.journey import Journey, difference, journeys
from netlab.trace.log import Log
from netlab.units import MS, SEC
from netlab.workload.spec import Bulk, Outcome, Ping, UdpEcho

APART = 25 * MS
"""Between the starts of two flows, so that one's ARP doesn't fall into another's."""
CLIENT_PORT = 50_000
"""Of the first flow's client."""
SETTLED = 500 * MS
"""After that, hosts that are to find their addresses have them."""
BULK_TIME = 10 * SEC
"""After that, a transfer has failed."""
Compared = Ping | UdpEcho | Bulk
_CHOSEN = re.compile(r" id \d+|:[3-6]\d{4}")
"""What each world chooses for itself: identifiers and ephemeral ports."""
_FINDS = re.compile(r"ARP |ICMPv6 (who has|\S+ is at|router) ")
"""ARP and neighbour discovery: each world has its own moments for these."""


class Passage(NamedTuple):
    """One packet of a flow; ``differs`` is empty when both worlds saw it go the same way."""

    said: str
    nodes: tuple[str, ...]
    differs: str


class Flow(NamedTuple):
    """A request from ``src`` to ``dst``: what became of it in each world, and its packets."""

    kind: str
    src: str
    dst: str
    results: tuple[str, ...]
    """In the order of the worlds."""
    passages: tuple[Passage, ...]
    looks: int = 1
    """How often it was run: again, when the worlds seemed to differ."""

    @property
    def differences(self) -> tuple[str, ...]:
        """Where the worlds disagree, in words."""
        one, two = self.results
        fate = () if one == two else (f"{one} in one world, {two} in the other",)
        return (*fate, *(f"{p.said}: {p.differs}" for p in self.passages if p.differs))


def workloads_of(plan: Plan, limit: int, octets: int = 0) -> tuple[Compared, ...]:
    """A ping and a UDP echo between hosts, each in both directions, by IPv4 and IPv6: ``limit`` flows at most.

    With ``octets`` a TCP transfer of so many bytes as well.
    """
    hosts = [node for node in plan.nodes if node.kind == "host"]
    made: list[Compared] = []
    for src, dst in permutations(hosts, 2):
        for family in _families(src) & _families(dst):
            made += [Ping(src.name, dst.name, family=family), UdpEcho(src.name, dst.name, family=family)]
            made += [Bulk(src.name, dst.name, size=octets, family=family, timeout=BULK_TIME)] if octets else []
    first = SETTLED if plan.ipv6 == "slaac" else 0
    return tuple(_placed(workload, first + n * APART, CLIENT_PORT + n) for n, workload in enumerate(made[:limit]))


def _placed(workload: Compared, start: int, port: int) -> Compared:
    """At its time, and from one port in both worlds: of equal ways, a flow takes the one that its ports say."""
    if isinstance(workload, UdpEcho):
        return replace(workload, start=start, sport=port)
    return replace(workload, start=start)


def _families(node: PlanNode) -> set[Literal[4, 6]]:
    return {6 if ":" in address else 4 for address in node.addresses}


def compare(
    plan: Plan, worlds: tuple[Backend, Backend], *, limit: int = 40, seed: int = 1, octets: int = 0
) -> list[Flow]:
    """Run the same flows in both worlds, and put them side by side; see `workloads_of`.

    Of a TCP transfer only the fate is compared: how many packets it takes is each world's own affair.

    Flows in which they differ are run once more: only what differs twice is told. Unavailable when one of the worlds
    cannot hold the plan.
    """
    for world in worlds:
        refuse(world.problems(plan))
    workloads = workloads_of(plan, limit, octets)
    flows = _compared(plan, worlds, workloads, seed)
    doubtful = [n for n, flow in enumerate(flows) if flow.differences]
    # A kernel under load loses records of a packet now and then; a real difference is there the second time too.
    again = tuple(replace(workloads[n], start=workloads[k].start) for k, n in enumerate(doubtful))
    for n, flow in zip(doubtful, _compared(plan, worlds, again, seed) if again else (), strict=True):
        flows[n] = flow._replace(looks=2)
    return flows


KINDS: dict[type[Compared], str] = {Ping: "ping", UdpEcho: "udp", Bulk: "tcp"}
"""What a flow is called."""


def _compared(plan: Plan, worlds: tuple[Backend, Backend], workloads: tuple[Compared, ...], seed: int) -> list[Flow]:
    (one, first), (two, second) = (_seen(world, plan, workloads, seed) for world in worlds)
    here, there = list(journeys(one).values()), _by_words(journeys(two).values())
    flows = []
    for workload, *outcomes in zip(workloads, first, second, strict=True):
        packets: Iterable[Journey] = ()
        if not isinstance(workload, Bulk):
            packets = _packets(here, workload, address_of(plan, workload.dst, workload.family))
        passages = tuple(_passage(one, packet, two, there) for packet in packets)
        kind = KINDS[type(workload)] + ("6" if workload.family == 6 else "")
        results = tuple(_result(outcome) for outcome in outcomes)
        flows.append(Flow(kind, workload.src, workload.dst, results, passages))
    return flows


def _seen(world: Backend, plan: Plan, workloads: tuple[Compared, ...], seed: int) -> tuple[Log, tuple[Outcome, ...]]:
    with world.open(plan, seed=seed) as session:
        refuse(session.verify())
        outcomes = session.run(workloads)
    return session.log, outcomes


def _result(outcome: Outcome) -> str:
    flows = (flow.error or f"{flow.octets} bytes" for flow in outcome.flows)
    return ", ".join([*(reply.said or reply.result for reply in outcome.replies), *flows])


def _packets(seen: list[Journey], workload: Ping | UdpEcho, address: str) -> Iterator[Journey]:
    """The flow's request and all that it caused, but for what only finds neighbours."""
    six, udp = workload.family == 6, isinstance(workload, UdpEcho)
    sort = "UDP " if udp else "ICMPv6 echo request " if six else "ICMP echo request "
    to = f"→ [{address}]" if udp and six else f"→ {address}"
    asked = f"{to}:{workload.port} " if isinstance(workload, UdpEcho) else f"{to} "
    family: set[int] = set()
    for journey in seen:
        asks = journey.said.startswith(sort) and asked in f"{journey.said} "
        if (asks and journey.hops[0].node == workload.src) or journey.parent in family:
            family.add(journey.pkt)
            if not _FINDS.match(journey.said):
                yield journey


def _words(journey: Journey) -> str:
    return _CHOSEN.sub("", journey.said)


def _by_words(seen: Iterable[Journey]) -> dict[str, Journey]:
    found: dict[str, Journey] = {}
    for journey in seen:
        found.setdefault(_words(journey), journey)
    return found


def _passage(one: Log, packet: Journey, two: Log, there: dict[str, Journey]) -> Passage:
    words = _words(packet)
    other = there.get(words)
    if other is None:
        return Passage(words, packet.nodes, f"not seen in {two.header.backend}")
    return Passage(words, packet.nodes, difference(one, packet.pkt, two, other.pkt))
