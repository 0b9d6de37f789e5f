"""What a topology says of offload is in force in the kernel, is read back, and makes the difference that it should."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from netlab.backend.mininet import MininetBackend
from netlab.backend.mininet.checks import problems
from netlab.backend.mininet.verify import differences
from netlab.backend.native.duel import duel
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Offloads, Plan, StackKind
from netlab.workload.spec import Bulk

PAIR = load_topology("pair")


@pytest.fixture(autouse=True)
def possible() -> Iterator[None]:
    for problem in problems(resolve(PAIR)):
        pytest.skip(str(problem))
    yield


def pair(near: Offloads, far: Offloads, stack: StackKind = "kernel") -> Plan:
    first, second, *rest = PAIR.nodes
    nodes = (replace(first, offload=near, stack=stack), replace(second, offload=far, stack=stack), *rest)
    return resolve(replace(PAIR, nodes=nodes))


def test_the_kernels_devices_have_the_switches_of_the_plan() -> None:
    plan = pair(("tso", "gro"), ())
    with MininetBackend().open(plan) as session:
        assert session.verify() == ()
        (outcome,) = session.run([Bulk(plan.nodes[0].name, plan.nodes[1].name, size=300_000)])
        assert outcome.flows[0].octets == 300_000


def test_a_switch_that_is_not_as_asked_is_told() -> None:
    plan = pair(("tso",), None)
    name = plan.nodes[0].interfaces[0].name
    with MininetBackend().open(plan) as session:
        state = session.arena.state()
    state["interfaces"][name]["offload"] = ["gro", "txcsum"]
    said = [str(problem) for problem in differences(plan, state)]
    assert len(said) == 2 and "its tso is off" in said[0] and "its gro is on" in said[1]


def test_what_a_veth_cannot_do_is_refused_before_anything_is_made() -> None:
    (problem,) = problems(pair(("lro",), None))
    assert "lro" in str(problem) and "gro" in str(problem)


@pytest.mark.parametrize("words", [(), ("tso", "uso", "gso", "gro", "txcsum", "rxcsum")], ids=["none", "all"])
def test_our_stack_on_a_live_interface_obeys_the_same_words(words: tuple[str, ...]) -> None:
    plan = pair(words, words, "netlab")  # type: ignore[arg-type]
    names = [node.name for node in plan.nodes[:2]]
    with MininetBackend().open(plan) as session:
        (outcome,) = session.run([Bulk(*names, size=400_000)])
        assert outcome.flows[0].octets == 400_000
        sent = [row for row in session.log if row.kind == "wire.tx" and row.node == names[0]]
    longest = max(row.data[1] for row in sent)
    assert longest > 3000 if words else longest <= 1514


LINE = load_topology("line")


@pytest.mark.parametrize("words", [None, ("gro",), ("tso", "gro", "rxcsum")], ids=["world", "gro", "tso"])
def test_our_router_between_two_kernels_carries_the_same_whatever_it_joins(words: Offloads) -> None:
    nodes = tuple(replace(n, offload=words, stack="netlab") if n.kind == "router" else n for n in LINE.nodes)
    plan = resolve(replace(LINE, nodes=nodes))
    router = next(node.name for node in plan.nodes if node.kind == "router")
    hosts = [node.name for node in plan.nodes if node.kind == "host"]
    with MininetBackend().open(plan) as session:
        assert session.verify() == ()
        (outcome,) = session.run([Bulk(hosts[0], hosts[-1], size=2_000_000)])
        assert outcome.flows[0].octets == 2_000_000
        sent = [row.data[1] for row in session.log if row.kind == "wire.tx" and row.node == router]
    if words and "tso" in words:
        assert max(sent) > 3000, "long segments went through it whole"
    else:
        assert max(sent) <= 1514


def test_between_two_kernels_offload_is_worth_half_again_at_least() -> None:
    if os.geteuid() != 0:
        pytest.skip("network namespaces and AF_PACKET need root: run as root on Linux")

    def best(offload: bool) -> float:
        runs = [duel(role="send", sizes=[60_000_000], offload=offload, kernel=True) for _ in range(3)]
        return max(float(run["octets"]) / float(run["seconds"]) for run in runs)

    assert best(True) > 1.5 * best(False)
