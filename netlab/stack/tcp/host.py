"""TCP in a host's graph of stages: segments between it and IP, events to sockets, deadlines to the timers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from netlab.stack.ifcaps import SOFTWARE, Capability
from netlab.stack.ifnet import Ifnet
from netlab.stack.ip import Outgoing as IpOutgoing
from netlab.stack.ip6.ip import source6, way_to
from netlab.stack.ip6.state import Outgoing6
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import Offload
from netlab.stack.pressure.account import Account, Wake
from netlab.stack.pressure.boundary import Boundary
from netlab.stack.sockets import Message
from netlab.stack.stage import Hop, branching, drop, end, stage, to
from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.knobs import Knobs, linux
from netlab.stack.tcp.layer import HEADERS, Endpoint, Outgoing, Pair, Step, TcpLayer, Told
from netlab.stack.tcp.listener import Listener
from netlab.stack.tcp.segment import Event, Segment
from netlab.stack.tcp.sockopts import SocketOptions
from netlab.stack.vlan import VlanLink
from netlab.wire import ipv4, ipv6, tcp
from netlab.wire.address import is_multicast6

if TYPE_CHECKING:
    from netlab.stack.host import Host

_new = tuple.__new__  # a third of what the NamedTuple's own constructor takes
KEY = ("tcp", 0)
"""Where "socket.deliver" finds TCP's sockets: all of them behind one key."""
EPHEMERAL = 16384
"""Ports that are given to who wants none in particular: 49152 and above (RFC 6335 §6)."""
LARGEST_LINK = 1500
"""The MTU towards a destination that no route leads to."""


class TcpNews(NamedTuple):
    """What connections tell their sockets, on its way through "socket.deliver"."""

    told: list[Told]


class TcpFault(NamedTuple):
    """An ICMP error about a segment of ours; ``mtu`` is said where it was too large."""

    pair: Pair
    seq: int
    error: str
    """The errno's name that it stands for."""
    hard: bool
    """Whether it ends an attempt to connect (RFC 1122 §4.2.3.9)."""
    mtu: int


class HostTcp:
    """A host's TCP. ``owners`` are told of events; what they answer is sent."""

    def __init__(self, host: Host, knobs: Knobs | None = None) -> None:
        self.host = host
        self.layer = TcpLayer(knobs or linux(), secret=host.name.encode()[:64], mtu=self._mtu, longest=self._longest)
        self._now = 0
        self._armed: int | None = None
        self._ports = 49151
        self.delays4 = self.delays6 = False
        """Whether the checksum of what leaves is left to a device, for each version of IP (TXCSUM)."""
        self.cuts_itself = True
        """Whether no device cuts long segments: then their checksums are left to whoever cuts them."""
        self.boundaries: dict[str, Boundary] = {}
        """What stands between TCP and an interface, by its name, where anything does (see `stack.pressure`)."""

    def offload(self, on: bool) -> None:
        """Build long segments and join what comes in (GSO, GRO) on every interface; or have neither, nor a device's.

        One interface's switches are set by `ifapi.if_set_capenable`.
        """
        long = SOFTWARE | Capability.TSO | Capability.USO | Capability.LRO
        for ifp in self.host.interfaces.values():
            ifp.capenable = ifp.capenable | SOFTWARE if on else ifp.capenable & ~long

    def reckon(self) -> None:
        """Look at the interfaces again: what is in use has changed."""
        interfaces = self.host.interfaces.values()
        self.delays4, self.delays6 = any(ifp.sums4 for ifp in interfaces), any(ifp.sums6 for ifp in interfaces)
        self.cuts_itself = not any(ifp.cuts_tcp for ifp in interfaces)

    def _longest(self, pair: Pair, fib: int | None = None, mark: int = 0) -> Callable[[], int]:
        """What asks the interface that a connection leaves by how long a segment may be; 0 for what fits."""
        ifp = self._leaves_by(pair, fib, mark)
        return lambda: ifp.longest if ifp is not None else 0

    def _leaves_by(self, pair: Pair, fib: int | None = None, mark: int = 0) -> Ifnet | None:
        """The interface that packets to a peer leave by; None where no route leads there."""
        host = self.host
        if pair.version == 6:
            way = way_to(host, Outgoing6(pair.remote, ipv4.TCP))
            return way[0] if way is not None else None
        route = host.fibs.lookup(pair.remote, fib=fib, mark=mark)
        return host.interfaces[route.interface] if route is not None else None

    def _mtu(self, pair: Pair, fib: int | None = None, mark: int = 0) -> int:
        host = self.host
        if pair.version == 6:
            way = way_to(host, Outgoing6(pair.remote, ipv4.TCP))
            return host.paths6.mtu(pair.remote, self._now, host.inet6.link_mtu(way[0]) if way else LARGEST_LINK)
        route = host.fibs.lookup(pair.remote, fib=fib, mark=mark)
        link = host.interfaces[route.interface].mtu if route else LARGEST_LINK
        return host.paths.mtu(pair.remote, self._now, link)

    def new_endpoint(self, pair: Pair, now: int, options: SocketOptions) -> Endpoint:
        """An endpoint in CLOSED with a socket's options; its routes are those of the socket's table."""
        c = self.layer.new_connection(pair, now)
        if options.fib is not None or options.mark:
            c.local_mss = self._mtu(pair, options.fib, options.mark) - HEADERS[pair.version]
            c.longest = self._longest(pair, options.fib, options.mark)
        endpoint = Endpoint(pair, c)
        options.connecting(endpoint)
        return endpoint

    def ephemeral(self) -> int:
        """A local port that no connection uses (RFC 6056, in order); ValueError when all are in use."""
        used = {pair.local_port for pair in self.layer.endpoints}
        for _ in range(EPHEMERAL):
            self._ports = 49152 + (self._ports + 1 - 49152) % EPHEMERAL
            if self._ports not in used:
                return self._ports
        raise ValueError(f"{self.host.name}: every port for connections of its own is in use")

    def hops(self, step: Step, now: int, *, cause: int = 0) -> list[Hop]:
        """Segments of a step on their way, without its events; the host's timers know the next deadline."""
        self._now = now
        found: list[Hop] = []
        for out in step.send:
            m = Mbuf(b"", parent=cause)
            m.tag = out
            if out.gate is not None:
                m.charge = out.gate.charge(out.segment)
            found.append(to("tcp.output", m))
        self._arm()
        return found

    def follow(self, step: Step, now: int, *, cause: int = 0) -> list[Hop]:
        """Segments of a step, and what the sockets that it tells of events answer."""
        return [*self.hops(step, now, cause=cause), *self.tell(step.told, now)]

    def tell(self, told: list[Told], now: int) -> list[Hop]:
        """Let sockets hear of events."""
        found: list[Hop] = []
        for about, event in told:
            owner = about.owner
            if isinstance(owner, TcpSocket | TcpListener):
                found += owner.hear(event, now)
        return found

    def receive(self, message: Message, pkt: int, now: int) -> list[Hop]:
        """What "socket.deliver" hands over."""
        if isinstance(message, TcpNews):
            return self.tell(message.told, now)
        if isinstance(message, Wake):
            return self._wake(message.account, now)
        assert isinstance(message, TcpFault)
        said = self.layer.icmp(message.pair, message.seq, now, message.error, hard=message.hard, mtu=message.mtu)
        return self.follow(said, now, cause=pkt)

    def press(self, boundary: Boundary) -> None:
        """From now on connections that leave by the boundary's interface are subject to its policy."""
        self.boundaries[boundary.name] = boundary
        self.layer.bind = self._bind

    def _bind(self, connection: Connection, pair: Pair) -> None:
        boundary = self.boundaries.get(self._way_out(pair))
        if boundary is not None:
            connection.gate = Account(connection, pair, boundary)
            connection.unsent_limit = boundary.policy.unsent

    def _way_out(self, pair: Pair) -> str:
        """The device that packets to a peer leave by; "" for none, or for a tunnel's."""
        ifp = self._leaves_by(pair)
        while ifp is not None and ifp.below is not None:
            ifp = ifp.below.parent if isinstance(ifp.below, VlanLink) else None
        return ifp.name if ifp else ""

    def _wake(self, account: Account, now: int) -> list[Hop]:
        """A connection may go on."""
        boundary, endpoint = account.boundary, self.layer.endpoints.get(account.pair)
        before, hops = boundary.taken, []
        if endpoint is not None and endpoint.connection is account.connection:
            hops = self.follow(self.layer.done(endpoint, endpoint.connection.push(now)), now)
        return [*hops, *boundary.woken(account, boundary.taken > before, now)]

    def unanswered(self, packet: bytes, now: int) -> list[Hop]:
        """A packet of this host was given up because its next hop is silent: its connection is told, as by a router."""
        six = packet[0] >> 4 == 6
        ip = ipv6.parse(packet) if six else ipv4.parse(packet)
        header = tcp.parse(packet, ip.size) if ip is not None and ip.proto == ipv4.TCP else None
        if ip is None or header is None:
            return []
        pair = Pair(ip.src, header.src, ip.dst, header.dst, 6 if six else 4)
        return self.follow(self.layer.icmp(pair, header.seq, now, "EHOSTUNREACH"), now)

    def _arm(self) -> None:
        deadline = self.layer.next_timer()
        if deadline is not None and (self._armed is None or deadline < self._armed):
            self._armed = deadline
            self.host.timers.at(deadline, self._due)

    def _due(self, now: int) -> list[Hop]:
        if self._armed is not None and now >= self._armed:
            self._armed = None
        return self.follow(self.layer.timer(now), now)


# ---- stages --------------------------------------------------------------------------------------


@branching("tcp.input", to=("tcp.output", "socket.deliver"))
def _arrived(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Check a segment and hand it to its connection; what that answers leaves, what it tells goes to the sockets."""
    ip, at, stop = m.l3, m.l4, len(m.data)
    six = isinstance(ip, ipv6.Header)
    header = tcp.parse(m.data, at)
    if header is None:
        return [drop("TCP segment is cut short", m)]
    sport, dport, seq, ack, offset_flags, window, _, urgent = header
    if (m.offload is None or not m.offload.trusted) and not tcp.checksum_ok(m.data, at, stop, ip.src, ip.dst):
        return [drop("TCP checksum is wrong", m)]
    if is_multicast6(ip.dst) if six else ip.dst in host.broadcasts:
        return [drop("a segment to more than one host", m)]
    size = offset_flags >> 12 << 2
    payload, options = m.data[at + size : stop], tcp.options(m.data, at, header)
    segment: Segment = _new(Segment, (seq, ack, offset_flags & 0x1FF, window, payload, options, urgent, ip.tos & 3, 0))
    pair: Pair = _new(Pair, (ip.dst, dport, ip.src, sport, 6 if six else 4))
    step = host.tcp.layer.segment(pair, segment, now)
    sent = host.tcp.hops(step, now, cause=m.pkt)
    if not step.told:
        return [end(m), *sent]
    m.tag = (KEY, TcpNews(step.told))
    return [*sent, to("socket.deliver", m)]


def _answers_first(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
    """Else what a program sends when it hears of an early segment would overtake the acknowledgement of a later one,
    with an older number, and an older timestamp, that PAWS of the peer refuses."""
    assert _arrived.many is not None
    hops = [hop for m in vector for hop in _arrived.many(host, m, now)]
    hops.sort(key=_waits)
    return hops


def _waits(hop: Hop) -> bool:
    return hop[0] != "tcp.output"


tcp_input = _arrived.in_vectors(_answers_first)


@stage("tcp.output", to=("ip.output", "ip6.output"))
def tcp_output(host: Host, m: Mbuf, now: int) -> Hop:
    """Put the TCP header in front, with its options and the checksum over the addresses that IP will use."""
    out: Outgoing = m.tag
    pair, s = out.pair, out.segment
    m.fib, m.mark = out.fib, out.mark
    partial = leaves_sum(host, out)
    if partial or s.segsz:
        m.offload = Offload(s.segsz, partial=partial)
    m.data = tcp.build(
        pair.local_port,
        pair.remote_port,
        s.seq,
        s.ack,
        s.flags,
        s.window,
        s.payload,
        pair.local,
        pair.remote,
        options=host.tcp.layer.pack(s.options),
        urgent=s.urgent,
        partial=partial,
    )
    df = host.tcp.layer.knobs.path_mtu_discovery
    if pair.version == 6:
        m.tag = Outgoing6(pair.remote, ipv4.TCP, pair.local, out.ttl, out.tos, df=df)
        return to("ip6.output", m)
    m.tag = IpOutgoing(pair.remote, ipv4.TCP, src=pair.local, ttl=out.ttl, tos=out.tos, df=df)
    return to("ip.output", m)


def leaves_sum(host: Host, out: Outgoing) -> bool:
    """Whether a segment leaves TCP without its checksum."""
    late = host.tcp.delays6 if out.pair.version == 6 else host.tcp.delays4
    return late or bool(out.segment.segsz and host.tcp.cuts_itself)


# ---- sockets -------------------------------------------------------------------------------------

Hear = Callable[["TcpSocket", Event, int], list[Hop]]
"""(socket, event, now) -> what to send in answer: the hops that the socket's own methods gave."""


class TcpSocket:
    """A connection as a program holds it. Methods that send answer with hops; nothing waits."""

    _options: SocketOptions | None = None

    def __init__(self, host: Host, endpoint: Endpoint, hear: Hear, options: SocketOptions | None = None) -> None:
        self.host, self.endpoint, self._hear = host, endpoint, hear
        self._options = options
        endpoint.owner = self

    @classmethod
    def connect(
        cls,
        host: Host,
        dst: int,
        port: int,
        hear: Hear,
        now: int,
        *,
        local_port: int = 0,
        version: int | None = None,
        congestion: str = "",
    ) -> tuple[TcpSocket, list[Hop]]:
        """Open actively, over IPv6 when ``dst`` needs more than 32 bits or ``version`` says so.

        ``congestion`` is a name of `CONTROLS`, "" the host's.
        ValueError when no route leads there, or the pair of ends is in use.
        """
        six = dst > 0xFFFFFFFF if version is None else version == 6
        options = SocketOptions(host.tcp.layer.knobs, 6 if six else 4)
        options.congestion = congestion
        return cls.open(host, dst, port, hear, now, options, local_port=local_port)

    @classmethod
    def open(
        cls,
        host: Host,
        dst: int,
        port: int,
        hear: Hear,
        now: int,
        options: SocketOptions,
        *,
        local: int = 0,
        local_port: int = 0,
    ) -> tuple[TcpSocket, list[Hop]]:
        """As `connect`, with options, over their version of IP; ``local`` is an own address, 0 that of the route."""
        six = options.version == 6
        src = local or (source6(host, Outgoing6(dst, ipv4.TCP)) if six else options.source(host, dst))
        if not src:
            raise ValueError(f"{host.name}: no route to that address")
        layer = host.tcp.layer
        pair = Pair(src, local_port or host.tcp.ephemeral(), dst, port, 6 if six else 4)
        endpoint = host.tcp.new_endpoint(pair, now, options)
        made = cls(host, endpoint, hear, options)
        return made, host.tcp.follow(layer.open(endpoint, now), now)

    def hear(self, event: Event, now: int) -> list[Hop]:
        """An event of the connection."""
        return self._hear(self, event, now)

    @property
    def options(self) -> SocketOptions:
        """What `setsockopt` sets; for an accepted connection, what its listener had."""
        if self._options is None:
            listener = self.endpoint.listener
            above = SocketOptions(self.host.tcp.layer.knobs, self.endpoint.pair.version)
            above.settings = dict(listener.settings) if listener is not None else {}
            self._options = above.inherited(self.endpoint)
        return self._options

    def setsockopt(self, name: str, value: int | str, now: int) -> list[Hop]:
        """Set an option by its name (see `sockopts.OPTIONS`), and send what that lets go. OSError as the call fails."""
        return self._do(self.options.set(name, value, now), now)

    def getsockopt(self, name: str) -> Any:
        """An option's value."""
        return self.options.get(name)

    def setfib(self, fib: int) -> None:
        """Have packets from now on routed by table ``fib`` (setfib(2), SO_SETFIB)."""
        self.options.set("SO_SETFIB", fib, 0)

    @property
    def room(self) -> int:
        """How many bytes `send` would take now."""
        return self.endpoint.connection.room

    @property
    def refusal(self) -> str:
        """The errno's name for which `send` would take nothing: ENOBUFS, EAGAIN (its own buffer is full); "" else."""
        connection = self.endpoint.connection
        if connection.room > 0:
            return ""
        return "ENOBUFS" if connection.gate is not None and connection.gate.closed else "EAGAIN"

    @property
    def delivered(self) -> int:
        """How many bytes of ours the peer's TCP has acknowledged."""
        return self.endpoint.connection.delivered

    def send(self, data: bytes, now: int) -> tuple[int, list[Hop]]:
        """Queue data; how many bytes there was room for, and what leaves."""
        connection = self.endpoint.connection
        taken = connection.write(data)
        connection.short = False  # nobody is told of room in the middle of his own call
        hops = self._push(now)
        while taken < len(data) and connection.room > 0:  # what left has made room (TCP_NOTSENT_LOWAT)
            taken += connection.write(data[taken:])
            connection.short = False
            hops += self._push(now)
        connection.short = taken < len(data)
        return taken, hops

    def read(self, size: int, now: int) -> tuple[bytes, list[Hop]]:
        """Take up to ``size`` bytes that have arrived; the peer may be told of the room."""
        data = self.endpoint.connection.read(size)
        return data, self._push(now)

    @property
    def at_end(self) -> bool:
        """Whether the peer has closed and everything has been read."""
        return self.endpoint.connection.at_end

    def shutdown(self, now: int) -> list[Hop]:
        """Send no more; the peer may."""
        return self._do(self.endpoint.connection.shutdown(now), now)

    def close(self, now: int) -> list[Hop]:
        """Let go of the connection."""
        return self._do(self.endpoint.connection.close(now), now)

    def abort(self, now: int) -> list[Hop]:
        """Reset it."""
        return self._do(self.endpoint.connection.abort(now), now)

    def _push(self, now: int) -> list[Hop]:
        return self._do(self.endpoint.connection.push(now), now)

    def _do(self, actions: list[Segment | Event], now: int) -> list[Hop]:
        return self.host.tcp.follow(self.host.tcp.layer.done(self.endpoint, actions), now)


Accepted = Callable[[TcpSocket, int], list[Hop]]
"""(socket of a new connection, now) -> what to send at once."""


class TcpListener:
    """A listening port. ValueError when it is taken. Every connection is accepted as soon as it is complete."""

    def __init__(self, host: Host, port: int, hear: Hear, accepted: Accepted, *, backlog: int = 128) -> None:
        self.host, self._hear, self._accepted = host, hear, accepted
        self.listener: Listener = host.tcp.layer.listen(None, port, backlog)
        self.listener.owner = self

    def hear(self, event: Event, now: int) -> list[Hop]:
        """A connection is complete."""
        found: list[Hop] = []
        while (endpoint := self.listener.accept()) is not None:
            made = TcpSocket(self.host, endpoint, self._hear)
            found += self._accepted(made, now)
            if endpoint.connection.inbox or endpoint.connection.fin_received:
                found += made.hear(Event("readable"), now)
        return found

    def close(self, now: int) -> list[Hop]:
        """Listen no more."""
        return self.host.tcp.follow(self.host.tcp.layer.unlisten(self.listener, now), now)
