"""ICMP echo, ICMP errors and UDP, and the sockets above them (RFC 792, RFC 1122 §3.2.2 and §4.1, RFC 768)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.ip import Outgoing, error
from netlab.stack.ip6.ip import error6, source6
from netlab.stack.ip6.state import Outgoing6
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import Offload
from netlab.stack.sockets import Datagram, Echo, Fault
from netlab.stack.stage import Hop, branching, drop, end, stage, to
from netlab.stack.tcp.faults import tcp_fault
from netlab.wire import icmp, icmpv6, ipv4, ipv6, udp
from netlab.wire.address import is_multicast6

if TYPE_CHECKING:
    from netlab.stack.host import Host

_new = tuple.__new__  # a third of what the NamedTuple's own constructor takes


@branching("icmp.input", to=("ip.output", "socket.deliver"))
def icmp_input(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Answer an echo request; hand echo replies and errors to whoever asked."""
    ip = m.l3
    message = icmp.parse(m.data, ip.size)
    if message is None or not icmp.checksum_ok(m.data, ip.size):
        return [drop("ICMP message is cut short" if message is None else "ICMP checksum is wrong", m)]
    body = m.data[ip.size + icmp.SIZE :]
    if message.type == icmp.ECHO_REQUEST:
        if ip.dst in host.broadcasts:
            return [drop("echo request to a broadcast address", m)]
        reply = Mbuf(icmp.echo_reply(message.id, message.seq, body), parent=m.pkt)
        reply.tag, reply.fib = Outgoing(ip.src, ipv4.ICMP, src=ip.dst), host.fibs.given(m)
        return [end(m), to("ip.output", reply)]
    if message.type == icmp.ECHO_REPLY:
        m.tag = (("icmp", message.id), Echo(ip.src, message.seq, ip.ttl, body))
        return [to("socket.deliver", m)]
    return [_fault(host, m, message, body, now)]


def _fault(host: Host, m: Mbuf, message: icmp.Header, body: bytes, now: int) -> Hop:
    """An ICMP error is for the socket whose packet it quotes."""
    quoted = ipv4.parse(body) if message.is_error else None
    if quoted is None:
        return drop(f"ICMP type {message.type} is not handled", m)
    mtu = 0
    if (message.type, message.code) == (icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED) and quoted.src in host.addresses:
        mtu = host.paths.learn(quoted.dst, message.mtu, quoted.length, now) or message.mtu
    if quoted.proto == ipv4.TCP:
        return tcp_fault(m, message, quoted, body, mtu)
    if quoted.proto == ipv4.ICMP:
        inner = icmp.parse(body, quoted.size)
        key = ("icmp", inner.id) if inner is not None else None
        seq = inner.seq if inner is not None else 0
    else:
        ports = udp.parse(body, quoted.size) if quoted.proto == ipv4.UDP else None
        key, seq = (("udp", ports.src) if ports is not None else None), 0
    if key is None:
        return drop("ICMP error quotes nothing that was sent here", m)
    m.tag = (key, Fault(m.l3.src, message.type, message.code, seq, mtu))
    return to("socket.deliver", m)


@stage("icmp.output", to=("ip.output",))
def icmp_output(host: Host, m: Mbuf, now: int) -> Hop:
    """An ICMP message of a program, on its way to IP."""
    return to("ip.output", m)


@branching("udp.input", to=("socket.deliver", "vxlan.input", "icmp.error", "icmp6.error"))
def udp_input(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Find the socket of a datagram; tell the sender when there is none."""
    ip, at = m.l3, m.l4
    header = udp.parse(m.data, at)
    if header is None or header.length > len(m.data) - at:
        return [drop("UDP datagram is cut short", m)]
    six = isinstance(ip, ipv6.Header)
    trusted = m.offload is not None and m.offload.trusted
    if (not trusted and not udp.checksum_ok(m.data, at, ip.src, ip.dst)) or (six and not header.checksum):
        return [drop("UDP checksum is wrong", m)]
    if header.dst in host.vxlan_ports:
        return [to("vxlan.input", m)]
    key = ("udp6" if six else "udp", header.dst)
    if key not in host.sockets:
        return _no_socket(host, m, header.dst, six=six)
    segsz = m.offload.segsz if m.offload is not None else 0
    m.tag = (key, _new(Datagram, (m.data[at + udp.SIZE : at + header.length], ip.src, header.src, segsz)))
    return [to("socket.deliver", m)]


def _no_socket(host: Host, m: Mbuf, port: int, *, six: bool) -> list[Hop]:
    if is_multicast6(m.l3.dst) if six else m.l3.dst in host.broadcasts:
        return [drop("no socket", m)]
    reason = f"no socket at UDP port {port}"
    if six:
        return error6(host, m, icmpv6.UNREACHABLE, icmpv6.PORT_UNREACHABLE, reason)
    return error(host, m, icmp.UNREACHABLE, icmp.PORT_UNREACHABLE, reason)


@stage("udp.output", to=("ip.output", "ip6.output"))
def udp_output(host: Host, m: Mbuf, now: int) -> Hop:
    """Put the UDP header in front, with the checksum over the addresses that IP will use."""
    sport, dport, want = m.tag
    if len(m.data) > udp.MAXIMUM:
        return drop(f"{len(m.data)} bytes are more than a UDP datagram holds", m)
    six = isinstance(want, Outgoing6)
    src = source6(host, want) if six else want.src or host.source_for(want.dst, fib=m.fib, mark=m.mark)
    if not six and not host.udp_checksum:
        m.prepend(udp.header(sport, dport, len(m.data)))
    elif m.offload is not None or (host.tcp.delays6 if six else host.tcp.delays4):
        segsz = m.offload.segsz if m.offload is not None else 0
        m.offload = Offload(segsz, partial=True)
        m.prepend(udp.header(sport, dport, len(m.data), udp.left(src, want.dst, len(m.data))))
    else:
        m.data = udp.build(sport, dport, m.data, src, want.dst)
    m.tag = want if src == want.src else _with_source(want, src)
    return to("ip6.output" if six else "ip.output", m)


def _with_source(want: Outgoing | Outgoing6, src: int) -> Outgoing | Outgoing6:
    return _new(type(want), (*want[:2], src, *want[3:]))  # a third of what _replace takes


@branching("socket.deliver", to=("udp.output", "icmp.output", "icmp6.output", "tcp.output"))
def socket_deliver(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Give a message to its socket; what the program behind it sends in answer goes on from here."""
    key, message = m.tag
    receive = host.sockets.get(key)
    if receive is None:
        return [drop("no socket", m)]
    return [end(m), *receive(message, m.pkt, now)]
