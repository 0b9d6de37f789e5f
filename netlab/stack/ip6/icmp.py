"""ICMPv6 echo and errors (RFC 4443), and the way of every ICMPv6 message that is made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.ip6.ip import source6
from netlab.stack.ip6.state import Message6, Outgoing6, is_linked
from netlab.stack.mbuf import Mbuf
from netlab.stack.sockets import Echo, Fault
from netlab.stack.stage import Hop, branching, drop, end, stage, to
from netlab.stack.tcp.faults import tcp_fault6
from netlab.wire import icmpv6, ipv4, ipv6, udp
from netlab.wire.address import is_multicast6

if TYPE_CHECKING:
    from netlab.stack.host import Host

_ND = range(icmpv6.ROUTER_SOLICITATION, icmpv6.REDIRECT)
_HEARD = frozenset((icmpv6.MLD_QUERY, icmpv6.MLD_REPORT, icmpv6.MLD_DONE, icmpv6.MLD2_REPORT))


@branching("icmp6.input", to=("icmp6.output", "socket.deliver", "nd.input"))
def icmp6_input(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Answer an echo request; hand echo replies and errors to whoever asked, neighbour discovery to its stage."""
    ip: ipv6.Header = m.l3
    message = icmpv6.parse(m.data, m.l4)
    if message is None:
        return [drop("ICMPv6 message is cut short", m)]
    if not icmpv6.checksum_ok(m.data, m.l4, len(m.data), ip.src, ip.dst):
        return [drop("ICMPv6 checksum is wrong", m)]
    if message.type in _ND:
        return [to("nd.input", m)]
    body = m.data[m.l4 + icmpv6.SIZE :]
    if message.type == icmpv6.ECHO_REQUEST:
        return [end(m), _echo_reply(m, message.rest, body)]
    if message.type == icmpv6.ECHO_REPLY:
        m.tag = (("icmp6", message.id), Echo(ip.src, message.seq, ip.hops, body))
        return [to("socket.deliver", m)]
    if icmpv6.is_error(message.type):
        return [_fault(host, m, message, body, now)]
    return [end(m) if message.type in _HEARD else drop(f"ICMPv6 type {message.type} is not handled", m)]


def _echo_reply(m: Mbuf, rest: int, body: bytes) -> Hop:
    """From the address that was asked; a group's members answer with one of their own (RFC 4443 §4.2)."""
    ip: ipv6.Header = m.l3
    reply = Mbuf(body, parent=m.pkt)
    src = 0 if is_multicast6(ip.dst) else ip.dst
    interface = m.rcvif.name if m.rcvif is not None and is_linked(ip.src) else ""
    reply.tag = Message6(icmpv6.ECHO_REPLY, 0, rest, Outgoing6(ip.src, icmpv6.PROTO, src, interface=interface))
    return to("icmp6.output", reply)


def _fault(host: Host, m: Mbuf, message: icmpv6.Header, body: bytes, now: int) -> Hop:
    """An ICMPv6 error is for the socket whose packet it quotes."""
    quoted, upper = ipv6.parse(body), ipv6.upper(body)
    if quoted is None or upper is None or quoted.src not in host.inet6.addresses:
        return drop("ICMPv6 error quotes nothing that was sent here", m)
    mtu = 0
    if message.type == icmpv6.PACKET_TOO_BIG:
        mtu = host.paths6.learn(quoted.dst, message.rest, quoted.length + ipv6.SIZE, now) or message.rest
    if upper.proto == ipv4.TCP:
        return tcp_fault6(m, message, quoted, body[upper.at :], mtu)
    key, seq = _asker(body, upper)
    if key is None:
        return drop("ICMPv6 error quotes nothing that was sent here", m)
    m.tag = (key, Fault(m.l3.src, message.type, message.code, seq, mtu))
    return to("socket.deliver", m)


def _asker(quote: bytes, upper: ipv6.Upper) -> tuple[tuple[str, int] | None, int]:
    """The key of the socket that sent the quoted packet, and an echo's number."""
    if upper.fragment is not None and upper.fragment.offset:
        return None, 0
    if upper.proto == icmpv6.PROTO:
        inner = icmpv6.parse(quote, upper.at)
        return (("icmp6", inner.id), inner.seq) if inner is not None else (None, 0)
    ports = udp.parse(quote, upper.at) if upper.proto == ipv4.UDP else None
    return (("udp6", ports.src) if ports is not None else None), 0


@stage("icmp6.output", to=("ip6.output",))
def icmp6_output(host: Host, m: Mbuf, now: int) -> Hop:
    """Build an ICMPv6 message: its checksum covers the addresses that IPv6 will use."""
    said: Message6 = m.tag
    if len(m.data) > ipv4.MAXIMUM - icmpv6.SIZE:
        return drop(f"{len(m.data)} bytes are more than an ICMPv6 message holds", m)
    src = said.want.src or source6(host, said.want)
    m.data = icmpv6.build(said.type, said.code, said.rest, m.data, src, said.want.dst)
    m.tag = said.want._replace(src=src)
    return to("ip6.output", m)
