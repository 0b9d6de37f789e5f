"""What does a sender's clock buy, with segmentation in the device, in software, and with none?

One core sends as fast as it can over 10 Gbit/s to a receiver that is never what is waited for and does LRO. The
published rows are those of the software-GSO patch for FreeBSD (Garzarella, Lettieri and Rizzo, EuroBSDcon 2014).
"""

from __future__ import annotations

from typing import NamedTuple

from netlab.backend.sim import SimSession
from netlab.experiment.study import Case, Chart, Metric, Published, Row, Study
from netlab.stack.host import Host
from netlab.stack.ifcaps import Capability
from netlab.stack.ip6.sockets import UdpSocket6
from netlab.stack.mbuf import Mbuf
from netlab.stack.sockets import UdpSocket
from netlab.stack.stage import Hop, Stage
from netlab.stack.steering import Moderation
from netlab.stack.tcp.knobs import Knobs, linux
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Limit, Link, Node, Plan, Topology
from netlab.units import MS, US
from netlab.wire.address import parse_ipv4, parse_ipv6
from netlab.workload.bulk import BulkFlow, Sink
from netlab.workload.spec import Bulk

RATE, DELAY = 10_000_000_000, 5 * US
CLOCKS = (2.93, 2.53, 2.00, 1.46, 1.05, 0.45)
MODES = {"TSO": Capability.TSO, "GSO": Capability.GSO, "none": Capability.NONE}
RECEIVER_GHZ = 20.0
"""So fast that the receiver is never what is waited for."""
BATCHES = Moderation(64, 32 * US)
"""31,250 interrupts a second, or one for 64 frames: without batches there is nothing that LRO could join."""
WARM, END = 2 * MS, 5 * MS
"""Between these two is counted."""
DATAGRAM = 63_000
"""Bytes that a program gives UDP at once."""
PORT = 5001


def _plan(six: bool) -> Plan:
    nodes = (Node("h1", stack="netlab"), Node("h2", stack="netlab"))
    queue = Limit(1 << 20, "packets")  # UDP would lose fragments that its sender has paid for
    link = Link(End("h1"), End("h2"), rate=RATE, delay=DELAY, queue=queue)
    return resolve(Topology("segmentation", nodes, (link,), ipv6="static" if six else ""))


def _knobs() -> Knobs:
    """Windows that do not limit, and a start that is over soon."""
    knobs = linux()
    knobs.receive_buffer = knobs.send_buffer = 2 << 20
    knobs.initial_window = 100
    return knobs


class Bench(NamedTuple):
    """Two hosts and the cable between them."""

    session: SimSession
    sender: Host
    receiver: Host
    target: int
    """The receiver's address."""
    built: list[int]
    """How many segments and datagrams the sender's transports built so far, as a single number."""


def bench(ghz: float, mode: str, *, six: bool) -> Bench:
    """The sender's device checksums IPv4 alone, as the one that was measured seems to have done."""
    plan = _plan(six)
    session = SimSession(
        plan,
        traced=False,
        clock={"h1": ghz, "h2": RECEIVER_GHZ},
        knobs={"h1": _knobs(), "h2": _knobs()},
        moderation={i.name: BATCHES for i in plan.interfaces()},
    )
    sender, receiver = (session.executors[name].host for name in ("h1", "h2"))
    for ifp in sender.interfaces.values():
        ifp.capenable = Capability.TXCSUM | Capability.RXCSUM | MODES[mode]
    for ifp in receiver.interfaces.values():
        ifp.capenable = Capability.TXCSUM | Capability.TXCSUM6 | Capability.RXCSUM | Capability.LRO
    address = next(a for a in plan.node("h2").addresses if (":" in a) == six)
    built = [0]
    for name in ("tcp.output", "udp.output"):
        sender.stages[name] = _counted(sender.stages[name], built)
    return Bench(session, sender, receiver, parse_ipv6(address) if six else parse_ipv4(address), built)


def _counted(stage: Stage, built: list[int]) -> Stage:
    def run(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
        built[0] += len(vector)
        return stage.run(host, vector, now)

    return stage.running(run)


def throughput(case: Case, seed: int) -> Row:
    """Text that arrived in the time that counts, and the cycles that each 1,448 (or 1,480) bytes of it took."""
    given = case.settings
    made = bench(given["GHz"], given["mode"], six=given["IP"] == 6)
    octets, size = _tcp(made) if given["protocol"] == "TCP" else _udp(made)
    rate = octets * 8 * 1000 / (END - WARM)
    frames = next(iter(made.sender.interfaces.values())).counters["opackets"]
    crossings = made.built[0]
    return Row(
        {
            "throughput": round(rate),
            "cycles": round(given["GHz"] * 1e3 * size * 8 / rate),
            "frames": frames,
            "crossings": round(frames / crossings, 1),
        }
    )


def _tcp(made: Bench) -> tuple[int, int]:
    session, family = made.session, 6 if made.target > 0xFFFFFFFF else 4
    sink = Sink(made.receiver, PORT, keep=False)
    asked = Bulk("h1", "h2", port=PORT, duration=END, family=family)
    flow = BulkFlow(made.sender, asked, (family, made.target), lambda *_: None)
    session.executors["h1"].inject(flow.start(0))
    session.loop.run(WARM)
    before = sink.octets
    session.loop.run(END)
    return sink.octets - before, 1448 if family == 4 else 1428


def _udp(made: Bench) -> tuple[int, int]:
    """Datagrams as fast as the core makes them: they all wait for it from the beginning."""
    six = made.target > 0xFFFFFFFF
    kind, header = (UdpSocket6, 14 + 40 + 8) if six else (UdpSocket, 14 + 20)
    kind(made.receiver, PORT, lambda *_: [])
    socket, executor = kind(made.sender, PORT, lambda *_: []), made.session.executors["h1"]
    executor.inject([socket.send(made.target, PORT, b"?")])  # so that its link address is known
    made.session.loop.run(MS)
    for _ in range(RATE // 8 * (END - MS) // 10**9 // DATAGRAM + 1):
        executor.inject([socket.send(made.target, PORT, bytes(DATAGRAM))])
    (ifp,) = made.sender.interfaces.values()
    made.session.loop.run(WARM)
    octets, frames = ifp.counters["obytes"], ifp.counters["opackets"]
    made.session.loop.run(END)
    octets, frames = ifp.counters["obytes"] - octets, ifp.counters["opackets"] - frames
    return octets - frames * header, 1480


def _name(protocol: str, ip: int, mode: str, ghz: float) -> str:
    return f"{protocol}{ip} {mode} {ghz:.2f} GHz"


def _case(protocol: str, ip: int, mode: str, ghz: float) -> Case:
    return Case(_name(protocol, ip, mode, ghz), {"protocol": protocol, "IP": ip, "mode": mode, "GHz": ghz})


SOURCE = "stefano-garzarella/freebsd-gso: i7-870, 10 Gbit/s, checksum offload on, receiver with LRO"
SEEN = (2.93, 2.53, 2.00, 0.45)
TABLE: dict[tuple[str, int, str], tuple[int, ...]] = {
    ("TCP", 4, "TSO"): (9347, 9266, 9408, 6760),
    ("TCP", 4, "GSO"): (9298, 9401, 9294, 2206),
    ("TCP", 4, "none"): (8308, 6771, 5499, 1244),
    ("TCP", 6, "TSO"): (9097, 9113, 9066, 2005),
    ("TCP", 6, "GSO"): (8861, 8290, 6599, 1505),
    ("TCP", 6, "none"): (4966, 4008, 3152, 651),
}
"""Mbit/s at each clock of `SEEN`; data to stand beside ours. One of them is an anchor of the costs (see there)."""
PUBLISHED = (
    *(
        Published(SOURCE, _name(*row, ghz), {"throughput": rate})
        for row, rates in TABLE.items()
        for ghz, rate in zip(SEEN, rates, strict=True)
    ),
    Published(SOURCE, _name("UDP", 4, "GSO", 2.93), {"throughput": 9440}),
    Published(SOURCE, _name("UDP", 4, "none", 2.93), {"throughput": 8084}),
    Published(SOURCE, _name("UDP", 4, "GSO", 0.45), {"throughput": 1312}),
    Published(SOURCE, _name("UDP", 4, "none", 0.45), {"throughput": 1120}),
)

CASES = (
    *(_case("TCP", ip, mode, ghz) for ip in (4, 6) for mode in MODES for ghz in CLOCKS),
    *(_case("UDP", 4, mode, ghz) for mode in ("GSO", "none") for ghz in CLOCKS),
)

SEGMENTATION = Study(
    "segmentation",
    "How much faster does a core send when long segments are cut by the device, late in software, or never made?",
    CASES,
    throughput,
    (
        Metric("throughput", "Mbit/s", "text that arrived"),
        Metric("cycles", "", "of the sender's clock for each full frame; where the link is full they wait in it too"),
        Metric("frames", "", "that the sender put on the wire"),
        Metric("crossings", "", "frames for each segment or datagram that crossed the sender's stack"),
    ),
    published=PUBLISHED,
    charts=tuple(
        Chart(
            f"{protocol} over IPv{ip}",
            ("throughput",),
            "GHz",
            "line",
            x_label="the sender's clock (GHz)",
            y_label="throughput (Mbit/s)",
            cases=(f"{protocol}{ip} *",),
            by="mode",
            caption=caption,
        )
        for protocol, ip, caption in (
            ("TCP", 4, "Until the link is full, GSO doubles what a clock can do; TSO does it again."),
            ("TCP", 6, "Dearer, for its checksums are made by the core."),
            ("UDP", 4, "Datagrams of 63,000 bytes, as IP fragments that are made early or late."),
        )
    ),
    notes=(
        "costs are assumed but for two sums (see netlab.backend.sim.costs): forwarding, and TCP4 none at 2.00 GHz, "
        "which therefore is no prediction; no other point has set a cost",
        "that devices interrupt every 32 µs or 64 frames, and how long is waited before counting, was chosen with the "
        "published rows in sight: LRO needs batches to join",
        "costs are taken to shrink with the clock, caches' too; that the card left IPv6 checksums to the core is "
        "inferred from the published rows, in which IPv6 is dearer in every mode",
        "the receiver's core runs at 20 GHz, so that it is never waited for; counted is from 2 to 5 ms",
    ),
)
