"""Two TCPs and a wire between them that loses, doubles, reorders and marks; in virtual time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

from netlab.stack.tcp.knobs import Knobs
from netlab.stack.tcp.layer import Endpoint, Pair, Step, TcpLayer
from netlab.stack.tcp.segment import Segment
from netlab.units import MS

Fault = Callable[[], bool]
NEAR, FAR, PORT = 1, 2, 80


class Wire:
    """`a` connects to `b`, where `PORT` listens. ``faults`` is the chance of each kind of trouble for a segment."""

    def __init__(self, a: Knobs, b: Knobs, *, seed: int = 0, faults: float = 0.0, delay: int = 5 * MS) -> None:
        self.rng = random.Random(seed)
        self.faults, self.delay = faults, delay
        self.a, self.b = TcpLayer(a), TcpLayer(b, secret=b"b")
        self.listener = self.b.listen(None, PORT, 128)
        self.now = self.carried = self._serial = 0
        self._flying: list[tuple[int, int, TcpLayer, Pair, Segment]] = []

    def connect(self, local_port: int = 5000) -> Endpoint:
        """A connection of `a`, its SYN on the way."""
        pair = Pair(NEAR, local_port, FAR, PORT)
        endpoint = Endpoint(pair, self.a.new_connection(pair, self.now))
        self.post(self.a, self.a.open(endpoint, self.now))
        return endpoint

    def post(self, sender: TcpLayer, step: Step) -> None:
        """What a step sent is on the wire."""
        other = self.b if sender is self.a else self.a
        for out in step.send:
            if self._trouble():
                continue
            for _ in range(1 + self._trouble()):
                segment = out.segment._replace(ecn=3) if out.segment.ecn and self._trouble() else out.segment
                late = self.rng.randrange(4 * self.delay) if self._trouble() else 0
                self._serial += 1
                arrives = self.now + self.delay + late
                heapq.heappush(self._flying, (arrives, self._serial, other, out.pair, segment))

    def _trouble(self) -> bool:
        return self.faults > 0 and self.rng.random() < self.faults

    def step(self) -> bool:
        """Let the next thing happen; False when nothing is left to happen."""
        deadlines = [t for t in (self.a.next_timer(), self.b.next_timer()) if t is not None]
        timer = min(deadlines) if deadlines else None
        if self._flying and (timer is None or self._flying[0][0] <= timer):
            self.now, _, layer, pair, segment = heapq.heappop(self._flying)
            self.carried += 1
            here = Pair(pair.remote, pair.remote_port, pair.local, pair.local_port)
            self.post(layer, layer.segment(here, segment, self.now))
            return True
        if timer is None:
            return False
        self.now = max(self.now, timer)
        for layer in (self.a, self.b):
            self.post(layer, layer.timer(self.now))
        return True

    def do(self, layer: TcpLayer, endpoint: Endpoint, actions: list[object]) -> None:
        """Put on the wire what a call of a connection answered."""
        self.post(layer, layer.done(endpoint, actions))  # type: ignore[arg-type]


def transfer(wire: Wire, data: bytes, *, lazy: float = 1.0) -> bytes:
    """Send ``data`` over a new connection, close both ends, and let everything settle; what arrived.

    ``lazy`` is the chance that the reader reads after an event.
    """
    near = wire.connect()
    far: Endpoint | None = None
    sent = 0
    got = bytearray()
    while wire.step() or _late_read(wire, far, got):
        c = near.connection
        if sent < len(data) and c.room > 0 and 4 <= c.state <= 5:
            sent += c.write(data[sent : sent + 100_000])
            wire.do(wire.a, near, c.push(wire.now))
            if sent == len(data):
                wire.do(wire.a, near, c.close(wire.now))
        far = far or wire.listener.accept()
        if far is not None and wire.rng.random() < lazy:
            _read(wire, far, got)
    if far is not None:
        got += far.connection.read(1 << 30)
    return bytes(got)


def _late_read(wire: Wire, far: Endpoint | None, got: bytearray) -> bool:
    """Nothing more happens by itself: a lazy reader looks once more. Whether that set something going."""
    if far is None or far.connection.orphan:
        return False
    _read(wire, far, got)
    return wire.step()


def _read(wire: Wire, far: Endpoint, got: bytearray) -> None:
    c = far.connection
    got += c.read(1 << 30)
    if c.state:
        wire.do(wire.b, far, c.push(wire.now))
    if c.at_end and not c.orphan:
        wire.do(wire.b, far, c.close(wire.now))
