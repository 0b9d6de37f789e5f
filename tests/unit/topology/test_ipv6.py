"""IPv6 in a topology: addresses that read like their IPv4 ones, routes, and hosts that find their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.errors import NetlabError
from netlab.topology.codec import plan_from_data, plan_to_data
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Interface, Link, Node, Topology
from netlab.topology.write import to_yaml
from netlab.topology.yaml_file import read_yaml

NODES = (*several("h", 2), *several("r", 2, "router"))
CHAIN = Topology("chain", NODES, tuple(cable(a, b) for a, b in (("h1", "r1"), ("r1", "r2"), ("r2", "h2"))))


def six(topology: Topology) -> dict[str, list[str]]:
    plan = resolve(topology)
    return {i.name: [a for a in i.addresses if ":" in a] for i in plan.interfaces()}


def routes(topology: Topology, node: str) -> dict[str, str]:
    return {r.prefix: r.via for r in resolve(topology).node(node).routes if ":" in r.prefix}


def test_nobody_gets_an_address_who_did_not_ask() -> None:
    assert resolve(CHAIN).ipv6 == "" and not any(six(CHAIN).values())


def test_addresses_read_like_the_ones_of_ipv4() -> None:
    found = six(replace(CHAIN, ipv6="static"))
    assert found["h1-eth0"] == ["fd00:1::1/64"] and found["r1-eth0"] == ["fd00:1::254/64"]
    assert found["r2-eth0"] == ["fd00:2::253/64"] and found["h2-eth0"] == ["fd00:3::1/64"]


def test_routes_go_where_those_of_ipv4_go() -> None:
    topology = replace(CHAIN, ipv6="static")
    assert routes(topology, "h1") == {"fd00:1::/64": "", "::/0": "fd00:1::254"}
    assert routes(topology, "r1") == {"fd00:1::/64": "", "fd00:2::/64": "", "fd00:3::/64": "fd00:2::253"}


def test_with_slaac_a_host_has_the_address_that_it_will_make() -> None:
    topology = replace(CHAIN, ipv6="slaac")
    assert six(topology)["h1-eth0"] == ["fd00:1::ff:fe00:100/64"]
    assert routes(topology, "h1")["::/0"] == "fe80::ff:fe00:300", "a router is known by its link-local address"


def test_slaac_needs_a_router() -> None:
    with pytest.raises(NetlabError, match="nobody advertises a prefix to h1-eth0, h2-eth0"):
        resolve(Topology("two", several("h", 2), (cable("h1", "h2"),), ipv6="slaac"))


def test_written_addresses_are_kept_and_nothing_else_is_given() -> None:
    a, b = (Node(f"h{n}", interfaces=(Interface(f"h{n}-eth0", (f"2001:db8::{n}/64",)),)) for n in (1, 2))
    plan = resolve(Topology("two", (a, b), (Link(End("h1"), End("h2")),)))
    assert plan.interface("h1-eth0").addresses == ("10.0.1.1/24", "2001:db8::1/64") and plan.ipv6 == "static"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("fd00::1", "has no prefix length"),
        ("fd00::1/129", "is no IPv6 address"),
        ("fd00::g/64", "is no IPv6 address"),
        ("ff02::1/64", "cannot be given to an interface"),
        ("fe80::1/64", "cannot be given to an interface"),
    ],
)
def test_an_address_that_is_none_is_said(address: str, said: str) -> None:
    node = Node("h1", interfaces=(Interface("h1-eth0", (address,)),))
    with pytest.raises(NetlabError, match=said):
        resolve(Topology("two", (node, Node("h2")), (cable("h1", "h2"),)))


def test_an_address_belongs_to_one_interface() -> None:
    nodes = tuple(Node(f"h{n}", interfaces=(Interface(f"h{n}-eth0", ("fd00::1/64",)),)) for n in (1, 2))
    with pytest.raises(NetlabError, match="h2-eth0 has the address fd00::1, which h1-eth0 has too"):
        resolve(Topology("two", nodes, (cable("h1", "h2"),)))


def test_a_small_mtu_is_too_small() -> None:
    node = Node("h1", interfaces=(Interface("h1-eth0", mtu=1000),))
    with pytest.raises(NetlabError, match="IPv6 needs 1280 B"):
        resolve(Topology("two", (node, Node("h2")), (cable("h1", "h2"),), ipv6="static"))


@pytest.mark.parametrize(("text", "mode"), [("true", "static"), ("slaac", "slaac"), ("false", "")])
def test_a_file_says_it_in_one_word(text: str, mode: str) -> None:
    topology, errors = read_yaml(f"ipv6: {text}\nnodes: {{h1: {{}}, r1: {{kind: router}}}}\n", "x.yaml")
    assert errors == [] and topology.ipv6 == mode
    assert read_yaml(to_yaml(topology), "x.yaml")[0].ipv6 == mode


def test_a_plan_survives_being_data() -> None:
    plan = resolve(replace(CHAIN, ipv6="slaac"))
    assert plan_from_data(plan_to_data(plan)) == plan
