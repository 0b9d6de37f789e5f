"""Two hosts' TCP and MPTCP without IP: wires by address, and whatever sits on them; in virtual time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Any

from netlab.stack.mptcp.connection import Mptcp
from netlab.stack.mptcp.layer import MptcpLayer
from netlab.stack.mptcp.paths import OwnAddress
from netlab.stack.mptcp.settings import Settings
from netlab.stack.mptcp.subflow import Subflow
from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.knobs import Knobs, linux
from netlab.stack.tcp.layer import Endpoint, Pair, Step, TcpLayer
from netlab.stack.tcp.segment import Segment
from netlab.units import MS
from netlab.wire import tcp
from netlab.wire.mptcp import Option, parse
from netlab.workload.bulk import pattern

PORT = 80
NEAR, NEAR_TOO, FAR, FAR_TOO = 11, 12, 21, 22
Middlebox = Callable[[Pair, Segment], "Segment | None"]
"""(sender's ends, segment) -> what comes out on the other side, None for nothing."""


class MultiWire:
    """`a` connects to `b`; each has two addresses. Segments pass the wire's ``boxes``, in order."""

    def __init__(self, *, delay: int = 5 * MS, seed: int = 1, faults: float = 0.0, knobs: Knobs | None = None) -> None:
        self.delay, self.faults, self.rng = delay, faults, random.Random(seed)
        self.lazy = 1.0
        """The chance that `b`'s program reads after an event."""
        self.now = self._serial = 0
        self.boxes: list[Middlebox] = []
        self.seen: list[tuple[int, Pair, Segment]] = []
        self._flying: list[tuple[int, int, TcpLayer, Pair, Segment]] = []
        self.a, self.near = self._side(b"a", NEAR, knobs)
        self.b, self.far = self._side(b"b", FAR, knobs)
        self.listener = self.b.listen(None, PORT, 128)
        self.listener.multipath = True
        self.told: list[tuple[str, str, str]] = []
        """(side, event, error) of multipath connections."""

    def _side(self, name: bytes, first: int, knobs: Knobs | None) -> tuple[TcpLayer, MptcpLayer]:
        layer = TcpLayer(knobs or linux(), secret=name)
        ports = iter(range(40000, 50000))
        return layer, MptcpLayer(layer, Settings(), b"m" + name, lambda remote, _: remote, lambda: next(ports))

    def use_both(self, *, backup: bool = False) -> None:
        """`a` joins from its second address."""
        self.near.own.append(OwnAddress(NEAR_TOO, 2, backup=backup))

    def connect(self) -> Mptcp:
        """A multipath connection of `a`, its SYN on the way."""
        m, step = self.near.connect(Pair(NEAR, 5000, FAR, PORT), self.now)
        self.post(self.a, step)
        return m

    def server(self) -> Mptcp | None:
        """The connection that `b` accepted, if it is a multipath one."""
        found = next(iter(self.far.by_token.values()), None)
        return found

    def post(self, sender: TcpLayer, step: Step) -> None:
        """What a step sent is on its wire."""
        side = "near" if sender is self.a else "far"
        self.told += [(side, t.event.what, t.event.error) for t in step.told if isinstance(t.about, Mptcp)]
        for out in step.send:
            segment: Segment | None = _as_on_the_wire(out.segment)
            for box in self.boxes:
                segment = box(out.pair, segment) if segment is not None else None
            if segment is None or self._trouble():
                continue
            for _ in range(1 + self._trouble()):
                self._fly(sender, out.pair, segment)

    def _fly(self, sender: TcpLayer, pair: Pair, segment: Segment) -> None:
        self._serial += 1
        late = self.rng.randrange(4 * self.delay) if self._trouble() else 0
        other = self.b if sender is self.a else self.a
        heapq.heappush(self._flying, (self.now + self.delay + late, self._serial, other, pair, segment))

    def _trouble(self) -> bool:
        return self.faults > 0 and self.rng.random() < self.faults

    def step(self) -> bool:
        """Let the next thing happen; False when nothing is left to happen."""
        deadlines = [t for t in (self.a.next_timer(), self.b.next_timer()) if t is not None]
        timer = min(deadlines) if deadlines else None
        if self._flying and (timer is None or self._flying[0][0] <= timer):
            self.now, _, layer, pair, segment = heapq.heappop(self._flying)
            self.seen.append((self.now, pair, segment))
            here = Pair(pair.remote, pair.remote_port, pair.local, pair.local_port)
            self.post(layer, layer.segment(here, segment, self.now))
            return True
        if timer is None:
            return False
        self.now = max(self.now, timer)
        for layer in (self.a, self.b):
            self.post(layer, layer.timer(self.now))
        return True

    def run(self, until: int = 10**12) -> None:
        """Everything that happens before ``until``."""
        while self.now < until and self.step():
            pass

    def said(self, kind: type) -> list[tuple[Pair, Option]]:
        """Every option of a kind that arrived, and from where to where."""
        options = [(pair, parse(value)) for _, pair, segment in self.seen for value in segment.options.mptcp]
        return [(pair, option) for pair, option in options if isinstance(option, kind)]

    def do(self, layer: MptcpLayer, m: Mptcp, acts: list[Any]) -> None:
        """Put on the wire what a call of a connection answered."""
        self.post(layer.tcp, layer.done(m, acts))

    def transfer(self, m: Mptcp, data: bytes, *, close: bool = True) -> bytes:
        """Send ``data`` from `a` to `b`, which closes when `a` has; what arrived."""
        sent, got = 0, bytearray()
        self.endpoint: Endpoint | None = None
        while self.step() or self._late_read(got):
            if sent < len(data) and m.room and m.connected:
                sent += m.write(data[sent : sent + 50_000])
                self.do(self.near, m, m.push(self.now))
            if sent == len(data) and close and not m.orphan:
                self.do(self.near, m, m.close(self.now))
            self.endpoint = self.endpoint or self.listener.accept()
            if self.endpoint is not None and self.rng.random() < self.lazy:
                self._read(self.endpoint, got, close=close)
        return bytes(got)

    def _late_read(self, got: bytearray) -> bool:
        """Nothing more happens by itself: a lazy reader looks once more. Whether that set something going."""
        if self.endpoint is None or self.peer.orphan:
            return False
        self._read(self.endpoint, got, close=True)
        return self.step()

    @property
    def peer(self) -> Mptcp | Connection:
        """What `b` accepted."""
        assert self.endpoint is not None
        owner = self.endpoint.owner
        return owner.m if isinstance(owner, Subflow) else self.endpoint.connection

    def _read(self, endpoint: Endpoint, got: bytearray, *, close: bool) -> None:
        peer = self.peer
        if not peer.inbox and not peer.at_end:
            return
        got += peer.read(1 << 30)
        self._peer_does(endpoint, peer.push(self.now))
        if peer.at_end and close and not peer.orphan:
            self._peer_does(endpoint, peer.close(self.now))

    def _peer_does(self, endpoint: Endpoint, acts: list[Any]) -> None:
        owner = endpoint.owner
        step = self.far.done(owner.m, acts) if isinstance(owner, Subflow) else self.b.done(endpoint, acts)
        self.post(self.b, step)


def _as_on_the_wire(segment: Segment) -> Segment:
    """Through bytes and back, so that only what a header holds arrives: 40 bytes of options at most."""
    packed = tcp.pack_options(segment.options)
    assert len(packed) <= tcp.MAXIMUM_OPTIONS, f"{len(packed)} bytes of options: {segment.options}"
    whole = tcp.build(1, 2, 0, 0, 0, 0, b"", 0, 0, options=packed)
    header = tcp.parse(whole)
    assert header is not None
    return segment._replace(options=tcp.options(whole, 0, header))


def without_mptcp(pair: Pair, segment: Segment) -> Segment:
    """A middlebox that takes every MPTCP option out."""
    return segment._replace(options=segment.options._replace(mptcp=()))


__all__ = ["FAR", "FAR_TOO", "NEAR", "NEAR_TOO", "MultiWire", "pattern", "without_mptcp"]
