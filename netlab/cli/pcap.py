"""A log's frames as a pcapng file, each on the interface where it was seen."""

from __future__ import annotations

from pathlib import Path

from netlab.topology.codec import plan_from_data
from netlab.trace.log import Log
from netlab.wire.pcapng import INBOUND, OUTBOUND, Writer

DIRECTIONS = {"wire.tx": OUTBOUND, "wire.rx": INBOUND}


def write_pcapng(log: Log, path: Path) -> tuple[int, int]:
    """Write every frame that the log holds, in order of time; how many, and how many had no bytes in the log."""
    seen = sorted((row for row in log.rows if row[1] in DIRECTIONS), key=lambda row: row[0])
    rates = {end: link.rate for link in plan_from_data(log.header.plan).links for end in (link.a, link.b)}
    sent: dict[tuple[int, str], bytes] = {}
    written = 0
    with path.open("wb") as file:
        seed = f", seed {log.header.seed}" if log.header.backend == "sim" else ""
        writer = Writer(file, comment=log.header.backend + seed)
        for t, kind, node, interface, _, pkt, data in seen:
            if kind == "wire.tx" and data[-1]:
                sent[pkt, data[0]] = data[-1]
            # What arrives is what was sent to that interface: a record of the arrival need not hold it again.
            frame = data[-1] or sent.get((pkt, interface))
            if frame:
                number = writer.interface(interface, description=node, rate=rates.get(interface, 0))
                comment = f"packet {pkt}" if pkt else ""
                writer.packet(number, t, frame, comment=comment, direction=DIRECTIONS[kind], length=data[1])
                written += 1
    return written, len(seen) - written
