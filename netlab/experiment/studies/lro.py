"""How many segments come to one crossing of the stack, when the acknowledgements of many connections come mixed?

A receive ring gives batches of 64 packets to an LRO of eight entries, as FreeBSD's drivers do, with and without the
sorting by flow that its D4914 added.
"""

from __future__ import annotations

from netlab.experiment.study import Case, Chart, Metric, Published, Row, Study
from netlab.sim.rng import Streams
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import LroLimits, lro
from netlab.wire import ethernet, ipv4, tcp

BATCH, BATCHES, ENTRIES = 64, 60, 8
FLOWS = (1, 4, 8, 12, 16, 20, 24, 32, 48, 64)
SENDER, RECEIVER, STEP = 0x0A000001, 0x0A000002, 2896


def acknowledgement(flow: int, number: int) -> bytes:
    """The frame of a connection's ``number``-th acknowledgement."""
    segment = tcp.build(1024 + flow, 80, 1, 1 + number * STEP, tcp.ACK, 5000, b"", RECEIVER, SENDER)
    packet = ipv4.build(RECEIVER, SENDER, ipv4.TCP, segment, id=number & 0xFFFF, fragment=ipv4.DONT_FRAGMENT)
    return ethernet.build(bytes(6), bytes(6), ethernet.IPV4, packet)


def aggregation(case: Case, seed: int) -> Row:
    """Every packet is of a connection that is drawn anew."""
    flows, limits = case.settings["flows"], LroLimits(entries=ENTRIES, sort=case.settings["sorted"])
    chance = Streams(seed).stream("lro", "flow")
    sent, up, most = [0] * flows, 0, 0
    for _ in range(BATCHES):
        batch = []
        for _ in range(BATCH):
            flow = chance.below(flows)
            sent[flow] += 1
            batch.append(Mbuf(acknowledgement(flow, sent[flow])))
        out, _ = lro(batch, limits)
        up, most = up + len(out), max(most, len(out))
    packets = BATCH * BATCHES
    return Row({"aggregation": round(packets / up, 3), "joined": round(1 - up / packets, 4), "most": most})


def _case(flows: int, ordered: bool) -> Case:
    name = f"{flows} flow{'s' if flows > 1 else ''}{', sorted' if ordered else ''}"
    return Case(name, {"flows": flows, "sorted": ordered, "batch": "sorted" if ordered else "as it came"})


SOURCE = "FreeBSD D4914: more than 16 connections on a ring"

LRO = Study(
    "lro",
    "How many acknowledgements does LRO make one of, with how many connections on a ring?",
    tuple(_case(flows, ordered) for ordered in (False, True) for flows in FLOWS),
    aggregation,
    (
        Metric("aggregation", "", "packets for each that goes up the stack"),
        Metric("joined", "", "share of packets that went into others"),
        Metric("most", "packets", "that one batch of 64 left over"),
    ),
    published=(
        Published(SOURCE, "20 flows", {"aggregation": 1.3}),
        Published(SOURCE, "20 flows, sorted", {"aggregation": 3.0}),
    ),
    charts=(
        Chart(
            "With more flows than entries, sorting is what LRO lives on",
            ("aggregation",),
            "flows",
            "line",
            x_label="connections on the ring",
            y_label="packets for each crossing",
            log_x=True,
            by="batch",
        ),
    ),
    notes=(
        "batches of 64 packets, each of a connection drawn at random; 8 entries (TCP_LRO_ENTRIES)",
        "the published figures say 'more than 16' and no batch size; they stand at 20 here",
    ),
)
