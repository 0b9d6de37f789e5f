"""Whatever arrives: nothing is lost or made up, the wire never rests for nothing, and fairness keeps its bound."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.stack.sched import SCHEDULERS, Drr, Scheduler, Wf2qPlus

FLOWS = 4
WEIGHTS = st.lists(st.integers(1, 10), min_size=FLOWS, max_size=FLOWS)
ARRIVALS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, FLOWS - 1), st.integers(64, 1514)), min_size=1, max_size=60
)
"""(bytes of time since the one before, flow, size)."""
MOST = 1514


def transmitted(
    scheduler: Scheduler[tuple[int, int]], arrivals: list[tuple[int, int, int]]
) -> list[tuple[int, int, int, frozenset[int]]]:
    """(start, flow, size, flows that waited at the start, the served one among them), one byte a unit of time."""
    coming, at = deque[tuple[int, int, int]](), 0
    for gap, flow, size in arrivals:
        at += gap
        coming.append((at, flow, size))
    waiting = dict.fromkeys(range(FLOWS), 0)
    now, sent = 0, []
    while coming or len(scheduler):
        if not len(scheduler):
            now = max(now, coming[0][0])
        while coming and coming[0][0] <= now:
            _, flow, size = coming.popleft()
            scheduler.enqueue((flow, size), size, flow)
            waiting[flow] += 1
        backlogged = frozenset(flow for flow, n in waiting.items() if n)
        flow, size = scheduler.dequeue()
        waiting[flow] -= 1
        sent.append((now, flow, size, backlogged))
        now += size
    return sent


@pytest.mark.parametrize("name", SCHEDULERS)
@given(weights=WEIGHTS, arrivals=ARRIVALS)
def test_every_packet_leaves_once_in_its_flow_s_order(
    name: str, weights: list[int], arrivals: list[tuple[int, int, int]]
) -> None:
    sent = transmitted(SCHEDULERS[name](dict(enumerate(weights))), arrivals)
    for flow in range(FLOWS):
        assert [s for _, f, s, _ in sent if f == flow] == [s for _, f, s in arrivals if f == flow]


def worst_lag(sent: list[tuple[int, int, int, frozenset[int]]], flow: int, share: Fraction) -> Fraction:
    """The most bytes that a flow which waits all the while is behind its share when a packet of it has left."""
    worst = ahead = Fraction(0)
    for _, served, size, backlogged in sent:
        if flow not in backlogged:
            ahead = Fraction(0)
            continue
        ahead = min(Fraction(0), ahead) + (size if served == flow else 0) - share * size
        if served == flow:
            worst = min(worst, ahead)
    return -worst


@given(weights=WEIGHTS, arrivals=ARRIVALS)
@settings(max_examples=400)
def test_wf2q_keeps_its_worst_case_fairness_index(weights: list[int], arrivals: list[tuple[int, int, int]]) -> None:
    """Bennett and Zhang: whenever a packet of a flow that waited since t1 has left, its service since then is
    W_i >= r_i / r * W - alpha_i, with alpha_i = L_i,max + (L_max - L_i,max) r_i / r."""
    sent = transmitted(Wf2qPlus(dict(enumerate(weights))), arrivals)
    for flow, weight in enumerate(weights):
        share = Fraction(weight, sum(weights))
        own = max((size for _, f, size in arrivals if f == flow), default=0)
        most = max(size for _, _, size in arrivals)
        assert worst_lag(sent, flow, share) <= own + (most - own) * share + 1


def test_drr_breaks_that_bound() -> None:
    """One packet too late behind everybody else's whole quantum: so the test above can fail."""
    arrivals = [(0, 0, 64)] * 200 + [(0, 1, 1514)] * 30 + [(0, 2, 1514)] * 30
    share = Fraction(1, 21)
    sent = transmitted(Drr({0: 1, 1: 10, 2: 10}), arrivals)
    assert worst_lag(sent, 0, share) > 64 + (MOST - 64) * share + 1


@given(arrivals=ARRIVALS)
def test_drr_is_never_more_than_a_quantum_and_a_packet_away(arrivals: list[tuple[int, int, int]]) -> None:
    """Shreedhar and Varghese, lemma 2: two flows that both wait differ by less than 2 packets and a quantum."""
    sent = transmitted(Drr(), arrivals)
    for a in range(FLOWS):
        for b in range(a):
            apart = low = high = 0
            for _, served, size, backlogged in sent:
                if not {a, b} <= backlogged:
                    apart = low = high = 0
                    continue
                apart += size * ((served == a) - (served == b))
                low, high = min(low, apart), max(high, apart)
                assert high - low <= 2 * MOST + 1514
