"""What a packet costs a stage beyond its share, because of its size: bytes that are copied or summed, pieces made.

Derived from the costs of cache lines (Brouer, LCA 2015: a hit in L2 takes 4.3 ns, in L3 7.9 ns), at `REFERENCE_GHZ`.
"""

from __future__ import annotations

from collections.abc import Callable

from netlab.stack.host import Host
from netlab.stack.ip6.state import Outgoing6
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import Offload, places
from netlab.stack.tcp.host import leaves_sum
from netlab.stack.tcp.layer import Outgoing

LINE = 64
"""Bytes of a cache line."""
COPY = 12
"""ns to copy a line between a program and mbufs: read it in L3, write it in L2. Assumed to be all that it takes."""
SUM = 12
"""ns to sum a line: read it in L2, and add four bytes in each of 16 cycles. Assumed."""
PIECE = 200
"""ns for each frame that "gso" makes: it makes headers, as ip.output does for a packet, so it is taken to cost as much.
Assumed."""

Extra = Callable[[Host, Mbuf], int]
"""(host, packet before the stage) -> ns."""


def lines(octets: int) -> int:
    """Cache lines that so many bytes touch; the first is in every packet's share already."""
    return (octets - 1) // LINE if octets > 0 else 0


def _moved(octets: int, summed: bool) -> int:
    """ns to copy so many bytes, and to sum them."""
    return lines(octets) * (COPY + SUM if summed else COPY)


def _tcp_output(host: Host, m: Mbuf) -> int:
    out: Outgoing = m.tag
    return _moved(len(out.segment.payload), not leaves_sum(host, out))


def _udp_output(host: Host, m: Mbuf) -> int:
    six = isinstance(m.tag[2], Outgoing6)
    late = m.offload is not None or (host.tcp.delays6 if six else host.tcp.delays4)
    return _moved(len(m.data), not late and (six or host.udp_checksum))


def _input(host: Host, m: Mbuf) -> int:
    return _moved(len(m.data) - m.l4, m.offload is None or not m.offload.trusted)


def _gso(host: Host, m: Mbuf) -> int:
    """For each piece, and for summing where no device does."""
    offload: Offload | None = m.offload
    at, ifp = places(m.data), m.ifp
    if offload is None or at is None or ifp is None:
        return 0
    text = len(m.data) - at.text
    left = offload.partial and (offload.mtu > 0 or not (ifp.sums6 if at.six else ifp.sums4))
    return _made(text, offload.segsz or offload.mtu - 20) * PIECE + (lines(text) * SUM if left else 0)


def _fragment(host: Host, m: Mbuf) -> int:
    """For each fragment, and for the sum that no device can add to fragments."""
    assert m.ifp is not None
    left = m.offload is not None and m.offload.partial
    return _made(len(m.data), m.ifp.mtu - 20) * PIECE + (lines(len(m.data)) * SUM if left else 0)


def _made(octets: int, size: int) -> int:
    """Pieces of ``size`` bytes; 0 where nothing is cut."""
    return -(-octets // size) if size > 0 else 0


BY_SIZE: dict[str, Extra] = {
    "tcp.output": _tcp_output,
    "tcp.input": _input,
    "udp.output": _udp_output,
    "udp.input": _input,
    "ip.fragment": _fragment,
    "ip6.fragment": _fragment,
    "gso": _gso,
}
"""What is not named here costs the same however large the packet is."""
