"""Queueing disciplines: what a plan's link asks for, its rtnetlink form, and the kernel's answer read back.

A link's rate is a token bucket (tbf) whose child is a fifo with the limit that was asked for, in packets (pfifo)
or bytes (bfifo). Delay and loss are a netem above it: its child then keeps the queue's limit exact, since frames
wait out their delay before they meet the queue. Marking is a red between the rate and the fifo, with its two
thresholds equal and no memory: what finds as much waiting is marked, and nothing is dropped (its flag "nodrop").
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from netlab.backend.mininet.rtnl import CREATE, EXCL, NEWQDISC, attr, attributes, message, nested, number, string
from netlab.topology.spec import Limit, PlanLink
from netlab.units import SEC

ROOT = 0xFFFFFFFF
DEFAULT_PACKETS = 1000
"""The fifo behind a rate where the plan leaves the queue open: Linux's own txqueuelen."""
_NETEM_LIMIT = 1_000_000
_RED_LIMIT = 100_000_000
"""Bytes; the fifo behind it is what limits."""
_RED_ECN, _RED_NODROP = 1, 8
"""TC_RED_ECN and TC_RED_NODROP (Linux 5.7): without the second, red drops what is not ECN-capable."""
_ETHERNET_HEADER = 14
_PACED = 250_000
"""ns: the most that a token bucket may send at once, or one frame where that is more."""
_FRAME_OVERHEAD = 14 + 8
"""Bytes of an Ethernet header and two VLAN tags, which tbf counts and an MTU doesn't."""
_ETHERNET = 1
"""TC_LINKLAYER_ETHERNET: spares us the rate table of old kernels."""


@dataclass(frozen=True)
class Discipline:
    """One qdisc. ``rate`` in bit/s, ``burst`` in bytes, ``delay`` in ns; ``limit`` in the kind's own unit."""

    kind: str
    handle: int
    parent: int
    rate: int = 0
    burst: int = 0
    limit: int = 0
    delay: int = 0
    loss: float = 0.0
    mark: int = 0
    """Bytes that may wait before packets are marked."""


def disciplines(link: PlanLink, mtu: int) -> tuple[Discipline, ...]:
    """The qdiscs that put the link's properties in force at one end, outermost first; none for a bare link."""
    chain: list[Discipline] = []
    parent = ROOT
    if link.delay or link.loss:
        chain.append(Discipline("netem", 0x10000, parent, limit=_NETEM_LIMIT, delay=link.delay, loss=link.loss))
        parent = 0x10001
    if link.rate:
        burst = max(mtu + _FRAME_OVERHEAD, link.rate * _PACED // (8 * SEC))
        chain.append(Discipline("tbf", 0x20000, parent, rate=link.rate // 8 * 8, burst=burst))
        parent = 0x20001
    if link.mark is not None:
        chain.append(Discipline("red", 0x40000, parent, limit=_RED_LIMIT, mark=_in_bytes(link.mark, mtu)))
        parent = 0x40001
    if link.queue is not None:
        kind = "bfifo" if link.queue.unit == "bytes" else "pfifo"
        chain.append(Discipline(kind, 0x30000, parent, limit=link.queue.n))
    elif link.rate or link.mark:
        chain.append(Discipline("pfifo", 0x30000, parent, limit=DEFAULT_PACKETS))
    return tuple(chain)


def _in_bytes(limit: Limit, mtu: int) -> int:
    """The limit in bytes, which is what red counts: full frames for packets."""
    return limit.n if limit.unit == "bytes" else limit.n * (mtu + _ETHERNET_HEADER)


def create(index: int, d: Discipline) -> bytes:
    """The message that makes the discipline on the device with that index."""
    options = {"netem": _netem, "tbf": _tbf, "red": _red}.get(d.kind, _fifo)(d)
    return message(
        NEWQDISC, CREATE | EXCL | 4, _body(index, d.handle, d.parent), attr(1, d.kind.encode() + b"\0"), options
    )


def _body(index: int, handle: int, parent: int) -> bytes:
    return struct.pack("=BxxxiIII", 0, index, handle, parent, 0)


def _fifo(d: Discipline) -> bytes:
    return attr(2, struct.pack("=I", d.limit))


def _tbf(d: Discipline) -> bytes:
    octets = d.rate // 8
    rate = struct.pack("=BBHhHI", 0, _ETHERNET, 0, 0, 0, min(octets, 0xFFFFFFFF))
    # The limit makes tbf's own child, a bfifo; the fifo that follows takes its place.
    parameters = rate + bytes(12) + struct.pack("=III", max(d.burst, 65536), 0, 0)
    wide = attr(4, struct.pack("=Q", octets)) if octets > 0xFFFFFFFF else b""
    return nested(2, attr(1, parameters), wide, attr(6, struct.pack("=I", d.burst)))


def _red(d: Discipline) -> bytes:
    # struct tc_red_qopt: limit, both thresholds, then Wlog 0 (no memory), Plog, Scell_log and flags, which the last
    # attribute has instead. The table of what an idle time does to the average: it is forgotten.
    parameters = struct.pack("=IIIBBBB", d.limit, d.mark, d.mark, 0, 0, 0, 0)
    flags = _RED_ECN | _RED_NODROP
    return nested(2, attr(1, parameters), attr(2, bytes([31]) * 256), attr(4, struct.pack("=II", flags, flags)))


def _netem(d: Discipline) -> bytes:
    loss = round(d.loss * 0xFFFFFFFF)
    fixed = struct.pack("=IIIIII", 0, d.limit, loss, 0, 0, 0)
    # Not nested: the fixed part comes first, then the attributes.
    return attr(2, fixed + attr(10, struct.pack("=q", d.delay)))


def parse(body: bytes) -> tuple[int, Discipline]:
    """A dumped qdisc: its device's index, and what is in force."""
    index, handle, parent = struct.unpack_from("=4xiII", body)
    found = attributes(body, 20)
    kind, options = string(found.get(1)), found.get(2, b"")
    reader = {"netem": _read_netem, "tbf": _read_tbf, "red": _read_red, "pfifo": _read_fifo, "bfifo": _read_fifo}.get(
        kind
    )
    values = reader(options) if reader and options else {}
    return index, Discipline(kind, handle, parent, **values)  # type: ignore[arg-type]


def _read_fifo(options: bytes) -> dict[str, float]:
    return {"limit": struct.unpack_from("=I", options)[0]}


def _read_tbf(options: bytes) -> dict[str, float]:
    found = attributes(options)
    parameters = found[1]
    octets = number(found.get(4)) or struct.unpack_from("=8xI", parameters)[0]
    # The kernel keeps the bucket as time; struct tc_tbf_qopt's buffer is in ticks of 64 ns.
    ticks = struct.unpack_from("=28xI", parameters)[0]
    return {"rate": octets * 8, "burst": ticks * 64 * octets // SEC}


def _read_red(options: bytes) -> dict[str, float]:
    limit, low, high, flags = struct.unpack_from("=III3xB", attributes(options)[1])
    return {"limit": limit, "mark": low if low == high and flags & _RED_ECN else 0}


def _read_netem(options: bytes) -> dict[str, float]:
    _latency, limit, loss = struct.unpack_from("=III", options)
    found = attributes(options, 24)
    return {"limit": limit, "delay": number(found.get(10)), "loss": loss / 0xFFFFFFFF}
