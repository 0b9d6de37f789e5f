"""Multipath TCP over wires that lose, double and reorder: every byte arrives, and nothing is left behind."""

from __future__ import annotations

import pytest
from multiwire import MultiWire, pattern

from netlab.stack.mptcp.scheduler import SCHEDULERS
from netlab.stack.tcp.knobs import linux


def clean(wire: MultiWire) -> bool:
    """Whether neither side remembers anything."""
    layers = (wire.a.endpoints, wire.b.endpoints, wire.near.by_token, wire.far.by_token)
    return not any(layers)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_bad_wires_cost_time_and_not_bytes(both: bool, checksum: bool, seed: int) -> None:
    wire = MultiWire(faults=0.02 + 0.02 * (seed % 3), seed=seed)
    wire.near.settings.checksum = checksum
    if both:
        wire.use_both()
    m = wire.connect()
    data = pattern(150_000, seed)
    assert wire.transfer(m, data) == data
    assert m.plain is None and clean(wire)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_delivers(scheduler: str) -> None:
    wire = MultiWire(faults=0.03, seed=3)
    wire.near.settings.scheduler = scheduler
    wire.use_both()
    data = pattern(150_000)
    assert wire.transfer(wire.connect(), data) == data
    assert clean(wire)


@pytest.mark.parametrize("buffer", [4_000, 20_000])
@pytest.mark.parametrize("seed", range(3))
def test_a_small_window_and_a_lazy_reader_need_probes(buffer: int, seed: int) -> None:
    knobs = linux()
    knobs.receive_buffer = buffer
    wire = MultiWire(faults=0.02, seed=seed, knobs=knobs)
    wire.lazy = 0.2
    wire.use_both()
    data = pattern(60_000, seed)
    assert wire.transfer(wire.connect(), data) == data


def test_three_hundred_connections_leave_nothing_behind() -> None:
    wire = MultiWire(faults=0.01, seed=9)
    wire.use_both()
    for number in range(300):
        data = pattern(1 + number * 37 % 5000, number)
        wire.listener.ready.clear()
        m = wire.connect()
        assert wire.transfer(m, data) == data
    wire.run()
    assert clean(wire)
    waiting = [len(layer._heap) + len(layer._armed) for layer in (wire.near, wire.far)]
    assert max(waiting) < 10, "deadlines of connections that are gone"
