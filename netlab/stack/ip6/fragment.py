"""IPv6 packets cut by their sender, and put together by their receiver (RFC 8200 §4.5, RFC 5722, RFC 6946)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.fragment import settle
from netlab.stack.ip6.ip import deliver6, error6
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import pieces_of_packet, unpartial
from netlab.stack.reassembly import LARGEST, MARKED_IN_PART, Piece, was_marked
from netlab.stack.stage import Hop, branching, drop, to
from netlab.wire import icmpv6, ipv6

if TYPE_CHECKING:
    from netlab.stack.host import Host

HEADERS = ipv6.SIZE + ipv6.FRAGMENT_SIZE


@branching("ip6.fragment", to=("nd.output",))
def ip6_fragment(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Cut a packet that is longer than its way carries; the first part goes on as the packet's own journey."""
    header = ipv6.parse(m.data)
    assert header is not None and m.ifp is not None
    mtu = host.paths6.mtu(header.dst, now, host.inet6.link_mtu(m.ifp))
    return [hop for one in pieces_of_packet(m) for hop in _fragmented(host, one, mtu)]


def _fragmented(host: Host, m: Mbuf, mtu: int) -> list[Hop]:
    if len(m.data) <= mtu:
        return [to("nd.output", m)]
    host.inet6.fragment_id = (host.inet6.fragment_id + 1) & 0xFFFFFFFF
    first, *others = cut6(unpartial(m), mtu, host.inet6.fragment_id)
    m.data = first
    return [to("nd.output", m), *(to("nd.output", _another(m, part)) for part in others)]


def cut6(packet: bytes, mtu: int, id: int) -> list[bytes]:
    """A packet without extension headers as fragments of at most ``mtu`` bytes (at least 56)."""
    header = ipv6.parse(packet)
    assert header is not None
    payload, room = packet[ipv6.SIZE :], max(mtu - HEADERS & ~7, 8)
    parts = [(at, payload[at : at + room]) for at in range(0, len(payload), room)]
    return [
        header._replace(proto=ipv6.FRAGMENT, length=len(part) + ipv6.FRAGMENT_SIZE).pack()
        + ipv6.fragment(header.proto, at, at + len(part) < len(payload), id, part)
        for at, part in parts
    ]


def _another(m: Mbuf, part: bytes) -> Mbuf:
    other = m.copy()
    other.data, other.pkt, other.parent = part, 0, m.pkt
    return other


@branching("ip6.reassemble", to=("ip6.reassemble", "icmp6.input", "udp.input", "tcp.input", "icmp6.error"))
def ip6_reassemble(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Hold a fragment until the others have come; then the first one's journey goes on with the whole packet."""
    at = m.l4
    fragment = ipv6.parse_fragment(m.data, at)
    if fragment is None:
        return [drop("fragment header is cut short", m)]
    piece = Piece(fragment.offset, m.data[at + ipv6.FRAGMENT_SIZE :], fragment.more_fragments)
    if piece.more and len(piece.payload) % 8:
        # The field that is wrong is the payload length, at byte 4.
        return error6(host, m, icmpv6.PARAMETER_PROBLEM, 0, "fragment before the last is no multiple of 8 bytes", 4)
    if piece.end > LARGEST:
        return error6(host, m, icmpv6.PARAMETER_PROBLEM, 0, "fragment ends behind the largest packet", at + 2)
    if piece.offset == 0 and not piece.more:
        return _goes_on(host, m, piece.payload, False)  # an atomic fragment is nobody else's part (RFC 6946)
    if piece.offset == 0 and ipv6.upper(m.data) is None:
        return error6(host, m, icmpv6.PARAMETER_PROBLEM, 3, "first fragment has not all headers")  # RFC 7112
    taken = host.fragments6.take((m.l3.src, m.l3.dst, fragment.id), piece, m, now)
    hops = settle(host, taken, _gives_up)
    if taken.first is not None:
        hops += _goes_on(host, taken.first, taken.whole, was_marked(taken))
    return hops


def _goes_on(host: Host, m: Mbuf, payload: bytes, marked: bool | None) -> list[Hop]:
    """Take the fragment header out: the header that named it now names what it named. ``tag`` is where that stands."""
    at, pointer = m.l4, m.tag
    if marked is None:
        return [drop(MARKED_IN_PART, m)]
    length = at - ipv6.SIZE + len(payload)
    if length > LARGEST:
        return [drop("fragments make a packet that is too long", m)]
    before = bytearray(m.data[:at])
    before[pointer] = m.data[at]
    before[4:6] = length.to_bytes(2, "big")
    m.data = (ipv6.with_ce(bytes(before)) if marked else bytes(before)) + payload
    m.l3 = ipv6.parse(m.data)
    return deliver6(host, m)


def _gives_up(host: Host, m: Mbuf) -> list[Hop]:
    """The first fragment is there, so its sender is told (§4.5)."""
    return error6(host, m, icmpv6.TIME_EXCEEDED, 1, "reassembly timed out")
