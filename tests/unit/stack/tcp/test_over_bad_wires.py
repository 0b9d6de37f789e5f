"""Whatever a wire does to segments, every byte arrives once and in order, and nothing is left behind."""

from __future__ import annotations

import gc
import random
import tracemalloc
from dataclasses import replace

import pytest
from twowire import PORT, Wire, transfer

from netlab.stack.tcp.knobs import freebsd, linux
from netlab.stack.tcp.layer import Endpoint, Step
from netlab.stack.tcp.segment import Action
from netlab.stack.tcp.state import State
from netlab.units import SEC

SYSTEMS = (freebsd, linux)


@pytest.mark.parametrize("control", ["newreno", "cubic", "dctcp"])
@pytest.mark.parametrize("seed", range(20))
def test_every_byte_arrives(seed: int, control: str) -> None:
    rng = random.Random(f"{seed} {control}")
    near, far = rng.choice(SYSTEMS)(), rng.choice(SYSTEMS)()
    near.congestion = control
    near.ecn = far.ecn = rng.choice([0, 1])
    near.sack = rng.random() < 0.7
    far = replace(far, receive_buffer=rng.choice([4000, 20_000, 65_536]))
    wire = Wire(near, far, seed=seed, faults=rng.choice([0.0, 0.02, 0.1]))
    data = rng.randbytes(rng.choice([1, 3000, 60_000]))
    assert transfer(wire, data, lazy=rng.choice([0.3, 1.0])) == data
    assert not wire.a.endpoints and not wire.b.endpoints, "both ends are gone, TIME-WAIT and all"
    assert wire.a.next_timer() is None and wire.b.next_timer() is None


def test_a_clean_wire_needs_no_segment_twice() -> None:
    wire = Wire(linux(), linux())
    transfer(wire, bytes(500_000))
    data_segments = -(-500_000 // 1448)
    assert wire.carried <= data_segments * 2 + 10, "each segment once, and at most one acknowledgement for each"


class Kept(Wire):
    """A wire that remembers its connection."""

    def connect(self, local_port: int = 5000) -> Endpoint:
        self.near = super().connect(local_port)
        return self.near


@pytest.mark.parametrize("seed", range(5))
def test_no_round_trip_is_shorter_than_the_wire(seed: int) -> None:
    """Timestamps count ms: on a wire of 0.1 ms there and back their echo must not be taken for no time at all."""
    wire = Kept(linux(), linux(), seed=seed, faults=0.1, delay=50_000)
    data = bytes(60_000)
    assert transfer(wire, data) == data
    assert wire.near.connection.rto.minimum_rtt >= 100_000


def cycle(wire: Wire, port: int, rng: random.Random, *, far_first: bool) -> None:
    """One connection, from SYN to the last FIN; TIME-WAIT goes on at the end that closed first."""
    near = wire.connect(port)
    far: Endpoint | None = None
    while near.connection.state < 4 and wire.step():
        pass
    near.connection.write(rng.randbytes(rng.randrange(1, 3000)))
    wire.do(wire.a, near, near.connection.push(wire.now))
    if not far_first:
        wire.do(wire.a, near, near.connection.close(wire.now))
    while near.connection.state not in (State.CLOSED, State.TIME_WAIT):
        far = far or wire.listener.accept()
        if far is not None:
            got = far.connection.read(1 << 20)
            if ((got and far_first) or far.connection.at_end) and not far.connection.orphan:
                wire.do(wire.b, far, far.connection.shutdown(wire.now))
            if far.connection.fin_received and not far.connection.orphan:
                wire.do(wire.b, far, far.connection.close(wire.now))
        if near.connection.at_end and not near.connection.orphan:
            wire.do(wire.a, near, near.connection.close(wire.now))
        if not wire.step():
            break


def pass_time(wire: Wire, until: int) -> None:
    """Let everything happen that is due, and the clock reach ``until``."""
    while (t := min((x for x in (wire.a.next_timer(), wire.b.next_timer()) if x is not None), default=until)) < until:
        assert t is not None
        wire.step()
    wire.now = max(wire.now, until)


PORTS = 120
"""With a connection every 360 ms each is wanted again after 43 s, while it is in TIME-WAIT for 60."""


def soak(wire: Wire, connections: int, samples: int) -> list[int]:
    """Bytes that Python holds after each part of so many connections, one every 360 ms."""
    rng = random.Random(1)
    sizes: list[int] = []
    tracemalloc.start()
    for n in range(connections):
        cycle(wire, 10_000 + n % PORTS, rng, far_first=n % PORTS % 2 == 1)
        pass_time(wire, (n + 1) * 360 * SEC // 1000)
        if n % (connections // samples) == connections // samples - 1:
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return sizes


def flat(sizes: list[int]) -> bool:
    """Whether nothing was added after the second part: by then every port has been used, and TIME-WAIT is full."""
    return max(sizes[2:]) < 1.2 * sizes[1]


@pytest.mark.long
def test_an_hour_and_ten_thousand_connections_leave_memory_flat() -> None:
    """3,600 s of virtual time, a connection every 360 ms; a port is used 83 times, from one TIME-WAIT to the next."""
    wire = Wire(linux(), freebsd(), seed=1, faults=0.01)
    sizes = soak(wire, 10_000, 10)
    assert wire.now >= 3600 * SEC
    assert flat(sizes), f"memory grows: {sizes}"
    held = len(wire.a.endpoints) + len(wire.b.endpoints)
    assert PORTS // 2 < held <= 2 * PORTS, "each port is in TIME-WAIT, at the end that closed first, and only once"
    pass_time(wire, wire.now + 600 * SEC)
    assert not wire.a.endpoints and not wire.b.endpoints
    assert wire.a.next_timer() is None and wire.b.next_timer() is None
    assert list(wire.b.listeners) == [(None, PORT)]


@pytest.mark.parametrize("leak", ["the connection", "a kilobyte"])
def test_the_soak_would_see_a_leak(leak: str) -> None:
    """Where of each connection something is remembered, memory is not flat."""
    wire = Wire(linux(), freebsd(), seed=1)
    kept: list[object] = []
    done = wire.a.done

    def remember(endpoint: Endpoint, actions: list[Action]) -> Step:
        step = done(endpoint, actions)
        if endpoint.connection.state == State.CLOSED:
            kept.append(endpoint if leak == "the connection" else [bytes(1000)])
        return step

    wire.a.done = remember  # type: ignore[method-assign]
    assert not flat(soak(wire, 1200, 6))


def test_without_a_leak_the_same_soak_is_flat() -> None:
    assert flat(soak(Wire(linux(), freebsd(), seed=1), 1200, 6))
