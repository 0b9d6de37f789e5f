"""IPv4 packets cut to size, and put together again (RFC 791 §3.2, RFC 815, RFC 1122 §3.3.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from netlab.stack.ip import deliver, error
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import pieces_of_packet, unpartial
from netlab.stack.reassembly import MARKED_IN_PART, Partial, Piece, Taken, was_marked
from netlab.stack.stage import Hop, branching, drop, end, to
from netlab.wire import icmp, ipv4

if TYPE_CHECKING:
    from netlab.stack.host import Host

COPIED = 0x80
"""An option whose kind has this bit stands in every fragment, another one in the first alone (RFC 791 §3.1)."""


def cut(packet: bytes, mtu: int) -> list[bytes]:
    """The packet as fragments of at most ``mtu`` bytes; ValueError when its header leaves no room for 8 bytes.

    A fragment is cut as any packet is: the parts' offsets count from where it stood itself.
    """
    header = ipv4.parse(packet)
    assert header is not None
    later = _later_options(packet)
    payload, options = packet[header.size : header.length], packet[ipv4.SIZE : header.size]
    room = mtu - header.size & ~7
    if room < 8 or not payload:
        raise ValueError(f"an MTU of {mtu} bytes leaves no room behind a header of {header.size}")
    fragments, at = [], 0
    while at < len(payload):
        left = len(payload) - at
        room = mtu - ipv4.SIZE - len(options)
        size = left if left <= room and not header.more_fragments else min(left, room & ~7)
        more = header.more_fragments or at + size < len(payload)
        flags = (header.fragment & ~0x3FFF) | (header.offset + at) >> 3 | (ipv4.MORE_FRAGMENTS if more else 0)
        part = payload[at : at + size]
        fragments.append(
            ipv4.build(
                header.src,
                header.dst,
                header.proto,
                part,
                ttl=header.ttl,
                id=header.id,
                fragment=flags,
                tos=header.tos,
                options=options,
            )
        )
        at, options = at + size, later
    return fragments


def _later_options(packet: bytes) -> bytes:
    found = ipv4.options(packet) or []
    kept = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in found if kind & COPIED)
    return kept + bytes(-len(kept) % 4)


def joined(first: bytes, payload: bytes) -> bytes:
    """The whole packet: the first fragment's header, and what all of them carried."""
    header = ipv4.parse(first)
    assert header is not None
    return ipv4.build(
        header.src,
        header.dst,
        header.proto,
        payload,
        ttl=header.ttl,
        id=header.id,
        fragment=header.fragment & ipv4.DONT_FRAGMENT,
        tos=header.tos,
        options=first[ipv4.SIZE : header.size],
    )


@branching("ip.fragment", to=("ether.output",))
def ip_fragment(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Cut a packet that is longer than its way carries; the first part goes on as the packet's own journey."""
    ifp, header = m.ifp, ipv4.parse(m.data)
    assert ifp is not None and header is not None
    mtu = ifp.mtu if m.rcvif is not None else host.paths.mtu(header.dst, now, ifp.mtu)
    return [hop for one in pieces_of_packet(m) for hop in _fragmented(one, mtu)]


def _fragmented(m: Mbuf, mtu: int) -> list[Hop]:
    if len(m.data) <= mtu:
        return [to("ether.output", m)]
    try:
        first, *others = cut(unpartial(m), mtu)
    except ValueError as refusal:
        return [drop(str(refusal), m)]
    m.data = first
    return [to("ether.output", m), *(to("ether.output", _another(m, part)) for part in others)]


def _another(m: Mbuf, part: bytes) -> Mbuf:
    other = m.copy()
    other.data, other.pkt, other.parent = part, 0, m.pkt
    return other


@branching("ip.reassemble", to=("icmp.input", "udp.input", "tcp.input", "icmp.error"))
def ip_reassemble(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Hold a fragment until the others have come; then the first one's journey goes on with the whole packet."""
    header: ipv4.Header = m.l3
    piece = Piece(header.offset, m.data[header.size :], header.more_fragments)
    taken = host.fragments.take((header.src, header.dst, header.proto, header.id), piece, m, now)
    hops = settle(host, taken, _gives_up)
    if taken.first is not None:
        hops += _goes_on(host, taken.first, taken.whole, was_marked(taken))
    return hops


def _goes_on(host: Host, m: Mbuf, payload: bytes, marked: bool | None) -> list[Hop]:
    if marked is None:
        return [drop(MARKED_IN_PART, m)]
    if m.l3.size + len(payload) > ipv4.MAXIMUM:
        return [drop("fragments make a packet of more than 65535 bytes", m)]
    m.data = joined(ipv4.with_ce(m.data) if marked else m.data, payload)
    m.l3 = ipv4.parse(m.data)
    return deliver(host, m, m.l3)


def _gives_up(host: Host, m: Mbuf) -> list[Hop]:
    """The first fragment is there, so its sender is told (RFC 792; without it nobody is)."""
    return error(host, m, icmp.TIME_EXCEEDED, icmp.REASSEMBLY_EXCEEDED, "reassembly timed out")


def settle(host: Host, taken: Taken, gives_up: Callable[[Host, Mbuf], list[Hop]]) -> list[Hop]:
    """Drops and ends of what a fragment settled; a packet that it began is given up when its time comes."""
    if taken.begun is not None:
        host.timers.at(taken.begun.deadline, _expiry(host, taken.begun, gives_up))
    return [*(drop(reason, m) for reason, m in taken.gone), *(end(m) for m in taken.others)]


def _expiry(host: Host, partial: Partial, gives_up: Callable[[Host, Mbuf], list[Hop]]) -> Callable[[int], list[Hop]]:
    # Of IPv6 packets too: a partial knows whose it is by the table that holds it.
    def due(now: int) -> list[Hop]:
        held = host.fragments.expire(partial) or host.fragments6.expire(partial)
        hops = [drop("reassembly timed out", m) for m in held if m is not partial.first]
        return hops if partial.first is None or not held else [*gives_up(host, partial.first), *hops]

    return due
