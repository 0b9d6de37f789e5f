"""The multipath connections of a host, above its `TcpLayer`: by token, with their deadlines (RFC 8684 §3.2)."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from netlab.stack.mptcp.actions import Act, Carry, Join
from netlab.stack.mptcp.connection import Mptcp
from netlab.stack.mptcp.handshake import (
    FirstOfClient,
    FirstOfServer,
    JoinOfClient,
    JoinOfServer,
    capable,
)
from netlab.stack.mptcp.paths import OwnAddress
from netlab.stack.mptcp.settings import Settings
from netlab.stack.mptcp.subflow import Subflow
from netlab.stack.tcp.cookies import digest
from netlab.stack.tcp.layer import Endpoint, Outgoing, Pair, Step, TcpLayer, Told
from netlab.stack.tcp.segment import Segment, reset_for
from netlab.stack.tcp.state import CLOSED
from netlab.wire.mptcp import LACK_OF_RESOURCES, MPTCP_ERROR, JoinSyn, Reset, parse, token
from netlab.wire.tcp import ACK, RST, SYN, Options

Source = Callable[[int, int], int]
"""(peer's address, IP version) -> the own address that packets to it carry; 0 when no route leads there."""


class MptcpLayer:
    """``port`` finds a free local port. ``own`` are the addresses that subflows may use beside the first's."""

    def __init__(
        self, tcp: TcpLayer, settings: Settings, secret: bytes, source: Source, port: Callable[[], int]
    ) -> None:
        self.tcp, self.settings = tcp, settings
        self.own: list[OwnAddress] = []
        self.by_token: dict[int, Mptcp] = {}
        self._secret, self._source, self._port = secret, source, port
        self._heap: list[tuple[int, int, Mptcp]] = []
        self._armed: dict[Mptcp, int] = {}
        self._serial = 0
        tcp.multipath = self

    # ---- opening -----------------------------------------------------------------------------

    def unfinished(self) -> bool:
        """Whether a connection whose program has gone has still something to say."""
        return any(m.orphan and not m.closed for m in self.by_token.values())

    def connect(
        self, pair: Pair, now: int, congestion: str = "", endpoint: Endpoint | None = None
    ) -> tuple[Mptcp, Step]:
        """Open actively, by an ``endpoint`` in CLOSED if there is one; ValueError when the pair of ends is in use."""
        m = self._new(pair, now, client=True)
        m.congestion = congestion
        endpoint = endpoint or Endpoint(pair, self.tcp.new_connection(pair, now))
        m.add(self._subflow(m, endpoint, FirstOfClient(m)))
        return m, self.tcp.open(endpoint, now)

    def _new(self, pair: Pair, now: int, *, client: bool) -> Mptcp:
        while True:
            self._serial += 1
            key = digest(self._secret, (*pair, now, self._serial))
            if token(key) not in self.by_token:
                break
        m = self.by_token[token(key)] = Mptcp(self.settings, self.tcp.knobs, key, client=client)
        m.paths.own = self.own
        return m

    def _subflow(self, m: Mptcp, endpoint: Endpoint, handshake: object) -> Subflow:
        s = Subflow(m, endpoint.connection, endpoint.pair, handshake)  # type: ignore[arg-type]
        s.endpoint, endpoint.owner, endpoint.carried = endpoint, s, True
        return s

    def _nonce(self, pair: Pair, now: int) -> int:
        self._serial += 1
        return digest(self._secret, (*pair, now, self._serial)) >> 32

    def offered(self, endpoint: Endpoint, syn: Segment) -> None:
        """A SYN for a listener: with MP_CAPABLE of version 1 its answer has our key."""
        found = [option for value in syn.options.mptcp if (option := parse(value)) is not None]
        if capable(found) is not None:
            m = self._new(endpoint.pair, endpoint.connection.now, client=False)
            m.add(self._subflow(m, endpoint, FirstOfServer(m)))

    def forgotten(self, endpoint: Endpoint) -> None:
        """A half-open connection is no more."""
        if isinstance(endpoint.owner, Subflow):
            self.by_token.pop(token(endpoint.owner.m.local_key), None)

    def joining(self, pair: Pair, syn: Segment, now: int) -> Step | None:
        """A SYN with MP_JOIN: it needs no listener, but a token that we gave (§3.2)."""
        if syn.flags & (SYN | ACK | RST) != SYN:
            return None
        said = next((o for value in syn.options.mptcp if isinstance(o := parse(value), JoinSyn)), None)
        if said is None:
            return None
        m = self.by_token.get(said.token)
        if m is None or m.peer_key is None or m.plain is not None or m.closed:
            return _refused(pair, syn, MPTCP_ERROR)
        if len(m.subflows) > self.settings.accept_joins:
            return _refused(pair, syn, LACK_OF_RESOURCES)
        endpoint = Endpoint(pair, self.tcp.new_connection(pair, now))
        s = self._subflow(m, endpoint, JoinOfServer(m, self._nonce(pair, now)))
        s.local_id = next((own.id for own in self.own if own.address == pair.local and own.address != m.first_local), 0)
        m.add(s)
        self.tcp.endpoints[pair] = endpoint
        return self.tcp.done(endpoint, endpoint.connection.accept(syn, now))

    def _join(self, step: Step, m: Mptcp, want: Join) -> None:
        local = want.local or self._source(want.remote, want.version)
        if not local:
            return
        pair = Pair(local, self._port(), want.remote, want.port, want.version)
        endpoint = Endpoint(pair, self.tcp.new_connection(pair, m.now))
        s = self._subflow(m, endpoint, JoinOfClient(m, self._nonce(pair, m.now)))
        known = next((own.id for own in self.own if own.address == local and local != m.first_local), 0)
        s.local_id, s.remote_id, s.backup = want.local_id or known, want.remote_id, want.backup
        m.add(s)
        self._merge(step, self.tcp.open(endpoint, m.now))

    # ---- what follows ------------------------------------------------------------------------

    def settle(self, step: Step, endpoint: Endpoint) -> None:
        """What a subflow's connection told is for the multipath connection, and what that answers is added."""
        s = endpoint.owner
        assert isinstance(s, Subflow)
        events = [told.event for told in step.told if told.about is endpoint]
        step.told[:] = [told for told in step.told if told.about is not endpoint]
        self._carry_out(step, s.m, s.m.happened(s, events, endpoint.connection.now))

    def done(self, m: Mptcp, acts: list[Act]) -> Step:
        """What a call of a multipath connection led to."""
        step = Step([], [])
        self._carry_out(step, m, acts)
        return step

    def _carry_out(self, step: Step, m: Mptcp, acts: list[Act]) -> None:
        for act in acts:
            if isinstance(act, Carry):
                assert act.subflow.endpoint is not None
                self._merge(step, self.tcp.carried_out(act.subflow.endpoint, list(act.segments)))
            elif isinstance(act, Join):
                self._join(step, m, act)
            else:
                step.told.append(Told(m, act))
        if m.closed and all(s.c.state == CLOSED for s in m.subflows):
            self.by_token.pop(token(m.local_key), None)
        self._arm(m)

    def _merge(self, step: Step, other: Step) -> None:
        step.send.extend(other.send)
        step.told.extend(other.told)

    # ---- time --------------------------------------------------------------------------------

    def _arm(self, m: Mptcp) -> None:
        deadline = m.next_timer()
        if deadline is not None and deadline < self._armed.get(m, deadline + 1):
            self._armed[m] = deadline
            self._serial += 1
            heappush(self._heap, (deadline, self._serial, m))

    def next_timer(self) -> int | None:
        """No deadline comes before this; None when there is none."""
        heap = self._heap
        while heap and self._armed.get(heap[0][2]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def timer(self, now: int) -> Step:
        """Do what is due in every connection."""
        step = Step([], [])
        while (deadline := self.next_timer()) is not None and deadline <= now:
            m = heappop(self._heap)[2]
            del self._armed[m]
            due = m.next_timer()
            if due is not None and due <= now:
                self._carry_out(step, m, m.timer(now))
            else:
                self._arm(m)
        return step


def _refused(pair: Pair, syn: Segment, reason: int) -> Step:
    reset = reset_for(syn)
    assert reset is not None
    said = Options(mptcp=(Reset(0, reason).pack(),))
    return Step([Outgoing(pair, reset._replace(options=said))], [])
