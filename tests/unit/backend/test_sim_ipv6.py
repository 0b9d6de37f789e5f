"""IPv6 and large packets across a simulated network: hosts, a switch, routers, in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.backend.sim import SimBackend
from netlab.errors import BadInput
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Interface, Node, Topology
from netlab.units import MS, SEC
from netlab.workload.spec import Outcome, Ping, UdpEcho, Workload

NODES = (*several("h", 3), *several("s", 1, "switch"), *several("r", 2, "router"))
CABLES = tuple(cable(a, b) for a, b in (("h1", "s1"), ("h2", "s1"), ("s1", "r1"), ("r1", "r2"), ("r2", "h3")))
WORLD = Topology("world", NODES, CABLES, ipv6="static")


def run(*workloads: Workload, topology: Topology = WORLD) -> tuple[Outcome, ...]:
    with SimBackend().open(resolve(topology), seed=1) as session:
        return session.run(workloads)


def narrow(*, ipv6: str = "") -> Topology:
    """Between the routers a packet has 1,300 bytes."""
    routers = tuple(Node(f"r{n}", "router", interfaces=(Interface("eth0"), Interface("eth1"))) for n in (1, 2))
    small = tuple(
        replace(
            r, interfaces=tuple(replace(i, mtu=1300 if (r.name, i.name) in _NARROW else 1500) for i in r.interfaces)
        )
        for r in routers
    )
    return replace(WORLD, nodes=(*NODES[:4], *small), ipv6=ipv6)  # type: ignore[arg-type]


_NARROW = (("r1", "eth1"), ("r2", "eth0"))


@pytest.mark.parametrize("ipv6", ["static", "slaac"])
def test_nodes_reach_each_other_over_ipv6(ipv6: str) -> None:
    topology = replace(WORLD, ipv6=ipv6)  # type: ignore[arg-type]
    outcomes = run(
        Ping("h1", "h2", family=6, start=10 * MS),
        Ping("h1", "h3", family=6, count=2, start=20 * MS),
        Ping("h1", "fd00:3::254" if ipv6 else "", start=30 * MS),
        UdpEcho("h2", "h3", family=6, start=40 * MS),
        topology=topology,
    )
    assert [o.answered for o in outcomes] == [1, 2, 1, 1]


def test_the_hop_limit_shows_the_way() -> None:
    said = [outcome.replies[0].said for outcome in run(*(Ping("h1", "h3", family=6, ttl=n) for n in (1, 2)))]
    assert said == ["time exceeded from fd00:1::254", "time exceeded from fd00:2::253"]


@pytest.mark.parametrize("family", [4, 6])
def test_large_packets_go_in_pieces(family: int) -> None:
    outcomes = run(Ping("h1", "h3", size=9000, family=family), UdpEcho("h2", "h3", size=9000, family=family))
    assert [o.answered for o in outcomes] == [1, 1]


def test_a_router_cuts_what_ipv4_lets_it_cut_and_tells_of_the_rest() -> None:
    cut, whole = run(Ping("h1", "h3", size=1400), Ping("h1", "h3", size=1400, df=True, start=SEC), topology=narrow())
    assert cut.answered == 1
    assert whole.replies[0].said == "fragmentation needed from 10.0.1.254"


def test_with_df_a_sender_learns_its_path() -> None:
    [outcome] = run(Ping("h1", "h3", size=1400, df=True, count=2), topology=narrow())
    assert [r.said for r in outcome.replies] == [
        "fragmentation needed from 10.0.1.254",
        "fragmentation needed from 10.0.1.1",
    ]


def test_over_ipv6_both_ends_learn_the_path_before_large_packets_come_through() -> None:
    """The first request is lost on its way there, the second one's answer on its way back."""
    [outcome] = run(Ping("h1", "h3", size=1400, family=6, count=3), topology=narrow(ipv6="static"))
    assert [r.said or r.result for r in outcome.replies] == ["packet too big from fd00:1::254", "silence", "answered"]


def test_a_node_without_ipv6_says_so() -> None:
    with pytest.raises(BadInput, match="'h2' has no IPv6 address"):
        run(Ping("h1", "h2", family=6), topology=replace(WORLD, ipv6=""))
