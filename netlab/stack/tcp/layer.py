"""The TCP of a host: which connection a segment is for, who listens, and when the next deadline is.

Like a connection it is handed segments and time and gives back what is to be sent and told. Ports and addresses live
here; a connection knows none.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.cookies import CookieJar, digest, recall, server_cookie, syn_cookie
from netlab.stack.tcp.gate import Gate
from netlab.stack.tcp.knobs import Knobs, freebsd
from netlab.stack.tcp.listener import Listener
from netlab.stack.tcp.multipath import Multipath
from netlab.stack.tcp.options import PACK
from netlab.stack.tcp.receive import newer_syn
from netlab.stack.tcp.segment import Action, Event, Segment, reset_for
from netlab.stack.tcp.state import CLOSED, TIME_WAIT
from netlab.wire.tcp import ACK, ECE, FIN, NONE, RST, SYN, Options

ANY = {4: 0, 6: 1 << 128}
"""What stands for every own address of a version, where a listener's address does."""
HEADERS = {4: 40, 6: 60}
"""Bytes of IP and TCP header without options (RFC 9293 §3.7.1)."""


class Pair(NamedTuple):
    """The two ends of a connection: addresses as ints, ports, and the IP version."""

    local: int
    local_port: int
    remote: int
    remote_port: int
    version: int = 4


class Tunnel(NamedTuple):
    """The UDP ports that a segment travels between, when TCP is carried in UDP."""

    local: int
    remote: int


class Outgoing(NamedTuple):
    """A segment on its way out."""

    pair: Pair
    segment: Segment
    tos: int = 0
    ttl: int = 64
    tunnel: Tunnel | None = None
    gate: Gate | None = None
    """The gate that it has passed."""
    fib: int | None = None
    """The table of routes that the socket chose; None leaves it to the rules."""
    mark: int = 0


class Endpoint:
    """A connection with its addresses, and what IP is asked to do for it."""

    __slots__ = (
        "armed",
        "carried",
        "connection",
        "fast_open",
        "fib",
        "listener",
        "mark",
        "owner",
        "pair",
        "tos",
        "ttl",
        "tunnel",
    )

    def __init__(self, pair: Pair, connection: Connection, listener: Listener | None = None) -> None:
        self.pair, self.connection, self.listener = pair, connection, listener
        self.tos, self.ttl = 0, 64
        self.fib: int | None = None
        self.mark = 0
        self.tunnel: Tunnel | None = None
        self.fast_open = False
        self.armed: int | None = None
        self.carried = False
        """Whether a `Multipath` stands above it."""
        self.owner: object = None
        """Whoever holds the socket."""


class Owned(Protocol):
    """What has a socket above it."""

    owner: object


class Told(NamedTuple):
    """An event, and the endpoint, the listener or whatever else has an owner that it is about."""

    about: Owned
    event: Event


class Step(NamedTuple):
    """What a call answers with."""

    send: list[Outgoing]
    told: list[Told]


class TcpLayer:
    """All connections of one host. ``secret`` makes sequence numbers and cookies unguessable (RFC 6528)."""

    def __init__(
        self,
        knobs: Knobs | None = None,
        *,
        secret: bytes = b"netlab",
        mtu: Callable[[Pair], int] | None = None,
        longest: Callable[[Pair], Callable[[], int]] | None = None,
    ) -> None:
        self.knobs = knobs or freebsd()
        self.endpoints: dict[Pair, Endpoint] = {}
        self.listeners: dict[tuple[int | None, int], Listener] = {}
        self.jar = CookieJar()
        self._secret = secret
        self._mtu = mtu or (lambda pair: 1500)
        """The ends of a connection -> MTU of the way between."""
        self._longest = longest
        """The ends of a connection -> what says how long its segments may be on their way through the host."""
        self.bind: Callable[[Connection, Pair], None] | None = None
        """Gives a new connection its gate; None where there is none."""
        self._heap: list[tuple[int, int, Endpoint]] = []
        self._serial = 0
        self.multipath: Multipath | None = None
        self.fixed_cookie = b""
        """The fast open cookie that everybody is granted; empty: each peer its own."""

    # ---- opening -----------------------------------------------------------------------------

    def new_connection(self, pair: Pair, now: int, *, tunnelled: bool = False) -> Connection:
        """A connection in CLOSED, with an initial sequence number of RFC 6528."""
        number = digest(self._secret, pair)
        iss = (number + now // 4000) % (1 << 32)
        made = Connection(
            self.knobs,
            mss=self.local_mss(pair, tunnelled),
            iss=iss,
            stamp_offset=number >> 32,
            version=pair.version,
        )
        if self._longest is not None and not tunnelled:
            made.longest = self._longest(pair)
        if self.bind is not None:
            self.bind(made, pair)
        return made

    def local_mss(self, pair: Pair, tunnelled: bool = False) -> int:
        """What fits into a packet on the way to a peer."""
        return self._mtu(pair) - HEADERS[pair.version] - (self.knobs.udp_overhead if tunnelled else 0)

    def open(self, endpoint: Endpoint, now: int) -> Step:
        """Active open of an endpoint that was made with `new_connection`; ValueError when the pair is in use."""
        old = self.endpoints.get(endpoint.pair)
        if old is not None and old.connection.state != TIME_WAIT:
            raise ValueError(f"{endpoint.pair} is in use")
        self.endpoints[endpoint.pair] = endpoint
        c = endpoint.connection
        if endpoint.fast_open and self.knobs.fast_open_client:
            c.cookie = self.jar.option_for(endpoint.pair.remote)
        return self.done(endpoint, c.open(now))

    def listen(self, local: int | None, port: int, backlog: int) -> Listener:
        """Listen at a port, on one address or (None) on all; ValueError when somebody does."""
        if (local, port) in self.listeners:
            raise ValueError(f"TCP port {port} is taken")
        listener = self.listeners[local, port] = Listener(local, port, backlog)
        return listener

    def unlisten(self, listener: Listener, now: int) -> Step:
        """Stop listening: half-open connections are forgotten, those that nobody accepted are reset."""
        self.listeners.pop((listener.local, listener.port), None)
        listener.closed = True
        step = Step([], [])
        for endpoint in list(listener.half_open.values()):
            self._forget(endpoint)
            if endpoint.carried and self.multipath is not None:
                self.multipath.forgotten(endpoint)
        for endpoint in list(listener.ready):
            self._merge(step, self.done(endpoint, endpoint.connection.abort(now)))
        listener.half_open.clear()
        listener.ready.clear()
        return step

    # ---- what arrives ------------------------------------------------------------------------

    def segment(self, pair: Pair, segment: Segment, now: int, tunnel: Tunnel | None = None) -> Step:
        """A segment arrived from ``pair.remote`` for ``pair.local``."""
        if self.knobs.drop_synfin and segment.flags & (SYN | FIN) == SYN | FIN:
            return Step([], [])
        endpoint = self.endpoints.get(pair)
        if endpoint is not None and newer_syn(endpoint.connection, segment):
            self.done(endpoint, endpoint.connection.make_room(now))
            endpoint = None
        if endpoint is None and self.multipath is not None and segment.options.mptcp:
            joined = self.multipath.joining(pair, segment, now)
            if joined is not None:
                return joined
        if endpoint is None:
            return self._to_listener(pair, segment, now, tunnel)
        if endpoint.tunnel != tunnel:
            return self._wrong_tunnel(endpoint, segment, tunnel)
        return self.done(endpoint, endpoint.connection.segment(segment, now))

    def _wrong_tunnel(self, endpoint: Endpoint, segment: Segment, tunnel: Tunnel | None) -> Step:
        """A segment whose UDP ports are not the connection's: a half-open connection may be told, others ignore it."""
        return self._reset(endpoint.pair, segment, tunnel)

    def _reset(self, pair: Pair, segment: Segment, tunnel: Tunnel | None) -> Step:
        reset = reset_for(segment)
        return Step([Outgoing(pair, reset, tunnel=tunnel)] if reset else [], [])

    def listener_for(self, pair: Pair) -> Listener | None:
        """Who listens at the local end: at its address, at all of its version, or at all."""
        port = pair.local_port
        return (
            self.listeners.get((pair.local, port))
            or self.listeners.get((ANY[pair.version], port))
            or self.listeners.get((None, port))
        )

    def _to_listener(self, pair: Pair, segment: Segment, now: int, tunnel: Tunnel | None) -> Step:
        """CLOSED or LISTEN (RFC 9293 §3.10.7.1, §3.10.7.2)."""
        listener = self.listener_for(pair)
        flags = segment.flags
        if listener is None:
            silent = self.knobs.blackhole > 1 or (self.knobs.blackhole and flags & SYN)
            return Step([], []) if silent else self._reset(pair, segment, tunnel)
        if flags & RST:
            return Step([], [])
        if flags & ACK:
            if not flags & SYN and (step := self._by_cookie(listener, pair, segment, now, tunnel)):
                return step
            return Step([], []) if self.knobs.blackhole > 2 else self._reset(pair, segment, tunnel)
        if not flags & SYN:
            return Step([], [])
        return self._half_open(listener, pair, segment, now, tunnel)

    def _half_open(self, listener: Listener, pair: Pair, syn: Segment, now: int, tunnel: Tunnel | None) -> Step:
        crowded = len(listener.half_open) >= max(listener.backlog, self.knobs.backlog)
        if self.knobs.syn_cookies_only or (crowded and self.knobs.syn_cookies):
            return self._answer_with_cookie(listener, pair, syn, now, tunnel)
        if crowded or (listener.full and self.knobs.system == "linux"):
            listener.dropped += 1
            return Step([], [])
        endpoint = self._child(listener, pair, now, tunnel)
        if listener.multipath and self.multipath is not None and syn.options.mptcp:
            self.multipath.offered(endpoint, syn)
        good = self._fast_open(listener, endpoint, syn)
        listener.half_open[pair] = self.endpoints[pair] = endpoint
        step = self.done(endpoint, endpoint.connection.accept(syn, now, take_data=good))
        if good:
            self._accepted(step, listener, endpoint)
        return step

    def _child(self, listener: Listener, pair: Pair, now: int, tunnel: Tunnel | None) -> Endpoint:
        c = self.new_connection(pair, now, tunnelled=tunnel is not None)
        for name, value in listener.settings.items():
            setattr(c, name, value)
        c.keep_init = 0
        endpoint = Endpoint(pair, c, listener)
        endpoint.tos, endpoint.ttl, endpoint.tunnel = listener.tos, listener.ttl, tunnel
        endpoint.fib, endpoint.mark = listener.fib, listener.mark
        return endpoint

    def _fast_open(self, listener: Listener, endpoint: Endpoint, syn: Segment) -> bool:
        """Whether data in a SYN may be taken; a request is granted (RFC 7413 §4.2.2)."""
        asked = syn.options.fast_open
        if not (listener.fast_open and self.knobs.fast_open_server) or asked is None:
            return False
        bsd = self.knobs.system == "freebsd"
        if bsd and listener.pending >= listener.backlog // 2:
            return False  # half of the queue at most: others want to come in, too
        cookie = self.fixed_cookie or server_cookie(self._secret, endpoint.pair.remote)
        good = asked == cookie
        if self.knobs.fast_open_any_cookie:
            good, cookie = True, bytes(8)
        if (not good or bsd) and (good or self.knobs.fast_open_grants):
            endpoint.connection.synack_fast_open = cookie
        return good

    def _answer_with_cookie(
        self, listener: Listener, pair: Pair, syn: Segment, now: int, tunnel: Tunnel | None
    ) -> Step:
        """A SYN ACK that leaves nothing behind: its sequence number holds what must be remembered (RFC 4987 §3.6)."""
        endpoint = self._child(listener, pair, now, tunnel)
        c = endpoint.connection
        iss = syn_cookie(self._secret, pair, syn)
        c.iss = c.snd_una = c.snd_nxt = c.snd_max = iss
        c.ecn_asked = False
        sent = [a for a in c.accept(syn._replace(flags=syn.flags & ~ECE), now) if isinstance(a, Segment)]
        return Step([self._outgoing(endpoint, segment) for segment in sent], [])

    def _by_cookie(self, listener: Listener, pair: Pair, ack: Segment, now: int, tunnel: Tunnel | None) -> Step | None:
        if not (self.knobs.syn_cookies or self.knobs.syn_cookies_only) or listener.full:
            return None
        recalled = recall(self._secret, pair, ack)
        if recalled is None:
            return None
        endpoint = self._child(listener, pair, now, tunnel)
        endpoint.connection = self._recalled(endpoint, (ack.ack - 1) % (1 << 32))
        listener.half_open[pair] = self.endpoints[pair] = endpoint
        syn = Segment(recalled.irs, 0, SYN, ack.window, options=recalled.options)
        return self.done(endpoint, endpoint.connection.resume(syn, ack, now))

    def _recalled(self, endpoint: Endpoint, iss: int) -> Connection:
        c = endpoint.connection
        c.iss = c.snd_una = c.snd_nxt = c.snd_max = iss
        c.queue_start = iss + 1
        return c

    def icmp(self, pair: Pair, seq: int, now: int, error: str, *, hard: bool = False, mtu: int = 0) -> Step:
        """An ICMP error quotes segment ``seq`` of ours; ``mtu`` is what fits, where that is the point."""
        endpoint = self.endpoints.get(pair)
        if endpoint is None:
            return Step([], [])
        overhead = HEADERS[pair.version] + (self.knobs.udp_overhead if endpoint.tunnel else 0)
        mss = max(mtu - overhead, 1) if mtu else 0
        return self.done(endpoint, endpoint.connection.icmp(seq, now, error=error, hard=hard, mss=mss))

    def pack(self, options: Options) -> bytes:
        """Options as bytes, in the order that these knobs ask for."""
        return PACK[self.knobs.layout](options) if options is not NONE else b""

    # ---- what follows from it ----------------------------------------------------------------

    def done(self, endpoint: Endpoint, actions: list[Action]) -> Step:
        """What a connection answered, with addresses; tables and deadlines follow its new state."""
        step = self.carried_out(endpoint, actions)
        if endpoint.carried and self.multipath is not None:
            self.multipath.settle(step, endpoint)
        return step

    def carried_out(self, endpoint: Endpoint, actions: list[Action]) -> Step:
        """The same, for one connection by itself."""
        step = Step([], [])
        for action in actions:
            if isinstance(action, Segment):
                step.send.append(self._outgoing(endpoint, action))
            else:
                self._tell(step, endpoint, action)
        c = endpoint.connection
        if c.state == CLOSED:
            self._forget(endpoint)
        else:
            self._arm(endpoint, c.next_timer())
        return step

    def _outgoing(self, endpoint: Endpoint, segment: Segment) -> Outgoing:
        e, gate = endpoint, endpoint.connection.gate
        return Outgoing(e.pair, segment, e.tos | segment.ecn, e.ttl, e.tunnel, gate, e.fib, e.mark)

    def _tell(self, step: Step, endpoint: Endpoint, event: Event) -> None:
        if event.what == "connected":
            self._learn_cookie(endpoint)
            if endpoint.listener is not None and endpoint.pair in endpoint.listener.half_open:
                self._accepted(step, endpoint.listener, endpoint)
        step.told.append(Told(endpoint, event))

    def _learn_cookie(self, endpoint: Endpoint) -> None:
        c = endpoint.connection
        if c.cookie is not None and endpoint.listener is None:
            taken = bool(c.syn_data) and c.snd_una > c.iss + 1 and not c.bsd
            self.jar.learn(endpoint.pair.remote, c.granted_cookie, taken)

    def _accepted(self, step: Step, listener: Listener, endpoint: Endpoint) -> None:
        """A connection is complete (or fast-opened): it waits to be accepted, or there is no room for it."""
        listener.half_open.pop(endpoint.pair, None)
        if listener.full:
            listener.dropped += 1
            self._merge(step, self.done(endpoint, endpoint.connection.abort(endpoint.connection.now)))
            return
        listener.ready.append(endpoint)
        step.told.append(Told(listener, Event("acceptable")))

    def _forget(self, endpoint: Endpoint) -> None:
        if self.endpoints.get(endpoint.pair) is endpoint:
            del self.endpoints[endpoint.pair]
        endpoint.armed = None
        listener = endpoint.listener
        if listener is not None:
            listener.half_open.pop(endpoint.pair, None)

    def _merge(self, step: Step, other: Step) -> None:
        step.send.extend(other.send)
        step.told.extend(other.told)

    # ---- time --------------------------------------------------------------------------------

    def _arm(self, endpoint: Endpoint, deadline: int | None) -> None:
        """Have the heap hold the endpoint's deadline, or an earlier one: most timers are pushed back, never run."""
        if deadline is not None and (endpoint.armed is None or deadline < endpoint.armed):
            endpoint.armed = deadline
            self._serial += 1
            heappush(self._heap, (deadline, self._serial, endpoint))

    def next_timer(self) -> int | None:
        """No deadline comes before this; None when there is none."""
        first = self._next_of_one()
        if self.multipath is not None and (other := self.multipath.next_timer()) is not None:
            return other if first is None else min(first, other)
        return first

    def _next_of_one(self) -> int | None:
        heap = self._heap
        while heap and heap[0][2].armed != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def timer(self, now: int) -> Step:
        """Do what is due in every connection."""
        step = Step([], [])
        while (deadline := self._next_of_one()) is not None and deadline <= now:
            endpoint = heappop(self._heap)[2]
            endpoint.armed = None
            c = endpoint.connection
            due = c.next_timer()
            if due is not None and due <= now:
                self._merge(step, self.done(endpoint, c.timer(now)))
            else:
                self._arm(endpoint, due)
        if self.multipath is not None:
            self._merge(step, self.multipath.timer(now))
        return step
