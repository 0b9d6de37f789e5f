"""Schedulers: shares, order, bounds. Sizes are bytes; the wire takes one byte a step, so bytes are time."""

from __future__ import annotations

import pytest

from netlab.stack.sched import SCHEDULERS, Drr, Fifo, Scheduler, StrictPriority, Wf2qPlus

Item = tuple[int, int]
"""(flow, number)."""


def filled(scheduler: Scheduler[Item], sizes: dict[int, list[int]]) -> Scheduler[Item]:
    """Every flow's packets wait already."""
    for flow, own in sizes.items():
        for number, size in enumerate(own):
            scheduler.enqueue((flow, number), size, flow)
    return scheduler


def order(scheduler: Scheduler[Item], n: int) -> list[int]:
    return [scheduler.dequeue()[0] for _ in range(n)]


def served(scheduler: Scheduler[Item], sizes: dict[int, list[int]], octets: int) -> dict[int, int]:
    """Bytes that each flow got while about that many left."""
    got = dict.fromkeys(sizes, 0)
    while sum(got.values()) < octets:
        flow, number = scheduler.dequeue()
        got[flow] += sizes[flow][number]
    return got


@pytest.mark.parametrize("name", ["drr", "wf2q+"])
def test_shares_are_the_weights_whatever_the_sizes(name: str) -> None:
    weights = {1: 1, 2: 2, 3: 5}
    sizes = {1: [1514] * 4000, 2: [64, 700] * 5000, 3: [64] * 100_000}
    octets = 4_000_000
    got = served(filled(SCHEDULERS[name](weights), sizes), sizes, octets)
    for flow, weight in weights.items():
        assert got[flow] / octets == pytest.approx(weight / 8, rel=0.03)


def test_first_come_first_served_gives_most_to_who_sends_most() -> None:
    scheduler: Fifo[Item] = Fifo()
    for number in range(100):
        scheduler.enqueue((1, number), 100, 1)
        if number % 10 == 0:
            scheduler.enqueue((2, number), 100, 2)
    assert order(scheduler, 55).count(2) == 5


def test_a_higher_class_is_served_as_long_as_it_waits() -> None:
    scheduler = filled(StrictPriority(), {5: [100] * 3, 0: [100] * 2, 2: [100]})
    assert order(scheduler, 2) == [0, 0]
    scheduler.enqueue((1, 0), 100, 1)
    assert order(scheduler, 5) == [1, 2, 5, 5, 5]
    with pytest.raises(ValueError, match="class 8 is not one of 0 to 7"):
        scheduler.enqueue((8, 0), 100, 8)


def test_a_class_that_never_rests_starves_the_others() -> None:
    scheduler = filled(StrictPriority(), {7: [100]})
    for number in range(1000):
        scheduler.enqueue((0, number), 100, 0)
        assert scheduler.dequeue()[0] == 0


def test_a_deficit_is_saved_for_the_next_turn_and_lost_with_the_last_packet() -> None:
    drr: Drr[Item] = Drr(quantum=500)
    filled(drr, {1: [200, 750, 200], 2: [500, 100]})
    assert drr.dequeue() == (1, 0)
    assert drr.deficit(1) == 300, "500 less 200; 750 is too much for this turn"
    assert drr.dequeue() == (2, 0)
    assert drr.deficit(1) == 300
    assert drr.dequeue() == (1, 1), "300 saved and 500 new cover 750"
    assert drr.deficit(1) == 50
    assert drr.dequeue() == (2, 1)
    assert drr.deficit(2) == 0, "flow 2 has nothing left, so its 400 are lost"
    assert drr.dequeue() == (1, 2) and len(drr) == 0


def test_a_flow_with_packets_larger_than_its_quantum_waits_some_rounds() -> None:
    assert order(filled(Drr(quantum=100), {1: [250] * 2, 2: [100] * 6}), 8) == [2, 2, 1, 2, 2, 1, 2, 2]


def test_a_heavy_flow_is_interleaved_and_sends_no_burst() -> None:
    """Bennett and Zhang's example: one flow of half the weight, ten of a twentieth each."""
    weights = {0: 10, **dict.fromkeys(range(1, 11), 1)}
    sizes = {flow: [100] * weight for flow, weight in weights.items()}
    smooth = order(filled(Wf2qPlus(weights), sizes), 20)
    assert [flow == 0 for flow in smooth] == [True, False] * 10
    assert order(filled(Drr(weights, quantum=100), sizes), 20)[:10] == [0] * 10, "DRR sends the whole share at once"


@pytest.mark.parametrize("name", SCHEDULERS)
def test_an_empty_one_says_so_and_a_flow_keeps_its_order(name: str) -> None:
    scheduler = SCHEDULERS[name]({})
    with pytest.raises(IndexError):
        scheduler.dequeue()
    filled(scheduler, {flow: [100, 1000, 64] for flow in range(4)})
    left = [scheduler.dequeue() for _ in range(12)]
    assert len(scheduler) == 0
    for flow in range(4):
        assert [number for of, number in left if of == flow] == [0, 1, 2]


def test_flows_that_come_once_are_forgotten() -> None:
    wf2q: Wf2qPlus[Item] = Wf2qPlus({0: 3})
    for flow in range(1000):
        filled(wf2q, {flow: [100]})
        wf2q.dequeue()
    assert len(wf2q._flows) == 1
