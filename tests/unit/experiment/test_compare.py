"""Worlds beside each other: what is the same is said to be, and a planted difference is found and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from netlab.backend.base import Problem, Slots
from netlab.backend.sim import SimBackend, SimSession
from netlab.cli.compare import told
from netlab.errors import Unavailable
from netlab.experiment.compare import compare, workloads_of
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan
from netlab.units import SEC

LINE = resolve(load_topology("line,2"))


class Bent(SimBackend):
    """A world in which something is otherwise."""

    def __init__(self, bend: Callable[[Plan], Plan]) -> None:
        self.bend = bend

    def open(self, plan: Plan, *, seed: int = 0, slots: Slots | None = None) -> SimSession:
        return super().open(self.bend(plan), seed=seed, slots=slots)


class Unable(SimBackend):
    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        return (Problem("refuse", "here", "no namespaces; become root"),)


def test_a_world_is_like_itself_however_slow() -> None:
    slow = Bent(lambda plan: replace(plan, links=tuple(replace(link, delay=SEC // 1000) for link in plan.links)))
    flows = compare(LINE, (SimBackend(), slow))
    assert [(flow.kind, flow.src, flow.dst) for flow in flows] == [
        ("ping", "h1", "h2"),
        ("udp", "h1", "h2"),
        ("ping", "h2", "h1"),
        ("udp", "h2", "h1"),
    ]
    assert all(flow.differences == () and len(flow.passages) == 2 for flow in flows)
    assert flows[0].passages[0].nodes == ("h1", "r1", "r2", "h2")


def test_a_transfer_is_compared_by_what_became_of_it() -> None:
    dead = Bent(lambda plan: replace(plan, links=(*plan.links[:-1], replace(plan.links[-1], loss=1.0))))
    same = [f for f in compare(LINE, (SimBackend(), SimBackend()), octets=50_000) if f.kind == "tcp"]
    assert [(f.src, f.dst, f.results, f.differences) for f in same] == [
        ("h1", "h2", ("50000 bytes", "50000 bytes"), ()),
        ("h2", "h1", ("50000 bytes", "50000 bytes"), ()),
    ]
    lost = compare(LINE, (SimBackend(), dead), octets=50_000)[2]
    assert lost.differences == ("50000 bytes in one world, EHOSTUNREACH in the other",)


def test_a_cable_that_loses_all_is_a_difference_with_its_place() -> None:
    dead = Bent(lambda plan: replace(plan, links=(*plan.links[:-1], replace(plan.links[-1], loss=1.0))))
    [flow] = compare(LINE, (SimBackend(), dead), limit=1)
    assert flow.results == ("answered", "silence")
    assert any(difference.startswith("answered in one world") for difference in flow.differences)
    assert any(": at r2:" in difference for difference in flow.differences), flow.differences
    assert told(flow)[0].startswith("differs  ping  h1 → h2")


def test_a_router_without_a_route_is_a_difference() -> None:
    def cut(plan: Plan) -> Plan:
        return replace(
            plan, nodes=tuple(replace(n, routes=n.routes[:1] if n.name == "r1" else n.routes) for n in plan.nodes)
        )

    flows = compare(LINE, (SimBackend(), Bent(cut)))
    assert any("unreachable" in flow.results[1] or "silence" in flow.results[1] for flow in flows)
    assert any(flow.differences for flow in flows)


class Shaky(Bent):
    """Loses everything the first time."""

    times = 0

    def open(self, plan: Plan, *, seed: int = 0, slots: Slots | None = None) -> SimSession:
        self.times += 1
        return super().open(plan, seed=seed, slots=slots) if self.times == 1 else SimBackend().open(plan, seed=seed)


def test_a_difference_that_does_not_come_again_is_none() -> None:
    shaky = Shaky(lambda plan: replace(plan, links=tuple(replace(link, loss=1.0) for link in plan.links)))
    flows = compare(LINE, (SimBackend(), shaky))
    assert shaky.times == 2 and all(flow.differences == () and flow.looks == 2 for flow in flows)
    assert told(flows[0])[0].endswith("answered (at the second look)")


def test_flows_are_bounded_and_both_ways() -> None:
    plan = resolve(load_topology("star,5"))
    assert len(workloads_of(plan, 1000)) == 2 * 5 * 4
    assert len(workloads_of(plan, 7)) == 7


def test_a_world_that_cannot_hold_the_plan_says_why() -> None:
    with pytest.raises(Unavailable, match="become root"):
        compare(LINE, (SimBackend(), Unable()))
