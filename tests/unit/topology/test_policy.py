"""Tables and rules in a file: what is written is in the plan, and what cannot be is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.errors import BadTopology
from netlab.stack.fib import Fibs
from netlab.stack.host import build_host
from netlab.topology.codec import plan_from_data, plan_to_data
from netlab.topology.generators import cable
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Node, PlanRoute, PlanTable, PlanWay, Route, Rule, Table, Topology
from netlab.topology.write import to_yaml
from netlab.topology.yaml_file import read_yaml
from netlab.wire.address import parse_ipv4 as ip

FULL = """\
nodes:
  h1:
    tables:
      100: [{prefix: 10.9.0.0/16, via: 10.0.1.2}, {prefix: 10.9.8.0/24, via: 10.0.1.254}]
      7: []
    rules:
      - {priority: 20, mark: 5, table: main}
      - {priority: 10, from: 10.0.1.0/24, iif: eth0, table: 100}
  h2:
  r1: {kind: router}
  s1: {kind: switch}
links:
  - {ends: [h1, s1]}
  - {ends: [h2, s1]}
  - {ends: [r1, s1]}
"""


def complaints(folder: Path, text: str) -> list[str]:
    path = folder / "x.yaml"
    path.write_text(text)
    with pytest.raises(BadTopology) as caught:
        resolve(load_topology(path))
    return [str(error).replace(f"{folder}/", "") for error in caught.value.errors]


def test_tables_and_rules_are_in_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(FULL)
    plan = resolve(load_topology(path))
    near, far = PlanRoute("10.9.0.0/16", "10.0.1.2", "h1-eth0"), PlanRoute("10.9.8.0/24", "10.0.1.254", "h1-eth0")
    assert plan.node("h1").tables == (PlanTable(100, (far, near)), PlanTable(7, ())), "longest prefix first"
    assert plan.node("h1").rules == (Rule(10, 100, "10.0.1.0/24", 0, "h1-eth0"), Rule(20, 0, "", 5)), "lowest first"
    assert plan_from_data(plan_to_data(plan)) == plan


def test_our_stack_looks_them_up(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(FULL)
    plan = resolve(load_topology(path))
    fibs: Fibs = build_host(plan.node("h1"), plan).fibs
    mine = {"src": ip("10.0.1.1"), "iface": "h1-eth0"}
    route = fibs.lookup(ip("10.9.8.7"), **mine)  # type: ignore[arg-type]
    assert route is not None and route.gateway == ip("10.0.1.254")
    assert fibs.lookup(ip("172.16.0.1"), **mine) is None  # type: ignore[arg-type]
    default = fibs.lookup(ip("172.16.0.1"), mark=5)
    assert default is not None and default.length == 0


def test_written_as_a_file_they_are_the_same() -> None:
    topology, errors = read_yaml(FULL, "x.yaml")
    again, more = read_yaml(to_yaml(topology), "x.yaml")
    assert not errors and not more
    assert again.node("h1") == topology.node("h1")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "table: 100}",
            "table: 99}",
            "x.yaml:8: rule 10 of h1 names the table 99, which it has not; it has main, 7, 100",
        ),
        ("iif: eth0", "iif: eth7", "x.yaml:8: rule 10 of h1 names the interface 'h1-eth7', which it has not"),
        ("priority: 20", "priority: 10", "h1 has two rules of priority 10; renumber one"),
        ("priority: 20", "priority: 32766", "x.yaml:7: priority of rules of node h1 is '32766'; it is a number from 1"),
        ("7: []", "254: []", "x.yaml:5: table name '254' cannot be used; it is main, or a number from 1 to 65535"),
        ("7: []", "main: []", "h1 has a table with the number 0; it is a number from 1"),
        ("10.0.1.254}", "10.7.7.7}", "x.yaml:4: a route of h1 goes via 10.7.7.7, which is on none of its links"),
        ("from: 10.0.1.0/24", "from: 10.0.1.1/24", "x.yaml:8: from of rules of node h1 '10.0.1.1/24' has bits behind"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = complaints(tmp_path, FULL.replace(old, new))
    assert any(said in line for line in found), found


def test_a_switch_has_no_tables() -> None:
    nodes = (Node("h1"), Node("s1", "switch", tables=(Table(9, (Route("default", "10.0.1.1"),)),)))
    with pytest.raises(BadTopology, match="switch s1 has tables of routes"):
        resolve(Topology("t", nodes, (cable("h1", "s1"),)))


WAYS = """\
nodes:
  h1:
    routes: [{prefix: 10.9.0.0/16, via: 10.0.1.2, weight: 2, also: [{via: 10.0.1.3}, {via: 10.0.2.254, weight: 5}]}]
  h2:
  h3:
  s1: {kind: switch}
  r1: {kind: router}
links: [{ends: [h1, s1]}, {ends: [h2, s1]}, {ends: [h3, s1]}, {ends: [h1, r1]}]
"""


def test_a_route_has_equal_ways(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(WAYS)
    plan = resolve(load_topology(path))
    [route] = [r for r in plan.node("h1").routes if r.also]
    assert route.also == (PlanWay("10.0.1.3", "h1-eth0", 1), PlanWay("10.0.2.254", "h1-eth1", 5))
    assert route.ways == "10.0.1.2 ×2, 10.0.1.3 ×1, 10.0.2.254 ×5"
    assert plan_from_data(plan_to_data(plan)) == plan
    topology, _ = read_yaml(WAYS, "x.yaml")
    assert read_yaml(to_yaml(topology), "x.yaml")[0].node("h1") == topology.node("h1")
    found = build_host(plan.node("h1"), plan).fib.lookup(ip("10.9.1.1"))
    assert found is not None and [way.weight for way in found.ways] == [2, 1, 5]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{via: 10.0.1.3}", "{via: 10.0.1.2}", "x.yaml:3: a route of h1 has two ways via 10.0.1.2; give one a weight"),
        ("{via: 10.0.1.3}", "{via: 10.7.7.7}", "x.yaml:3: a route of h1 goes via 10.7.7.7, which is on none"),
        ("weight: 5", "weight: 0", "weight of also of routes of node h1 is '0'; it is a number from 1 to 256"),
        ("{via: 10.0.1.3}", "{weight: 3}", "also of routes of node h1 lacks 'via'"),
    ],
)
def test_ways_that_cannot_be_are_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = complaints(tmp_path, WAYS.replace(old, new))
    assert any(said in line for line in found), found
