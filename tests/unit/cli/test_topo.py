"""`nlab topo`: a network is drawn and described, and a wrong file gets one line a mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netlab.cli.main import main
from netlab.cli.sketch import sketch
from netlab.cli.topo import plan_of
from netlab.topology.codec import plan_from_data

Captured = pytest.CaptureFixture[str]


def test_a_dumbbell_is_drawn_from_its_first_host_outwards() -> None:
    assert sketch(plan_of("dumbbell,2")).splitlines() == [
        "h1 ─── s1 ─┬─ h2",
        "           └─ s2 ─┬─ h3",
        "                  └─ h4",
    ]


def test_a_ring_is_drawn_as_a_line_and_the_cable_that_closes_it(tmp_path: Path) -> None:
    nodes = ", ".join(f"r{n}: {{kind: router}}" for n in (1, 2, 3))
    links = "".join(f"- {{ends: [r{a}, r{b}]}}\n" for a, b in ((1, 2), (2, 3), (3, 1)))
    (tmp_path / "ring.yaml").write_text(f"nodes: {{{nodes}}}\nlinks:\n{links}")
    assert sketch(plan_of(str(tmp_path / "ring.yaml"))) == "r1 ─── r2 ─── r3\n\nand r3-eth1 ── r1-eth1"


def test_a_branch_above_others_keeps_its_line_down(tmp_path: Path) -> None:
    (tmp_path / "tree.yaml").write_text(
        "nodes: {h1: , s1: {kind: switch}, s2: {kind: switch}, h2: , h3: , h4: }\n"
        "links: [{ends: [h1, s1]}, {ends: [s1, s2]}, {ends: [s2, h2]}, {ends: [s2, h3]}, {ends: [s1, h4]}]\n"
    )
    assert sketch(plan_of(str(tmp_path / "tree.yaml"))).splitlines() == [
        "h1 ─── s1 ─┬─ s2 ─┬─ h2",
        "           │      └─ h3",
        "           └─ h4",
    ]


def test_a_network_too_big_to_draw_is_described_all_the_same(capsys: Captured) -> None:
    assert main(["topo", "show", "star,100"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("star: 100 hosts, 1 switch, 100 links\n\nnode ")
    assert "10.0.1.100/24" in said


def test_show_tells_addresses_limits_and_routes(capsys: Captured) -> None:
    assert main(["topo", "show", "line,1,rate=10 Mbit/s,delay=2 ms,loss=1 %,queue=50 packets"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "r1 router kernel r1-eth1 10.0.2.254/24 02:00:00:00:02:01 h2-eth0" in said
    assert "h1-eth0 ── r1-eth0 10 Mbit/s 2 ms 1 % 50 packets" in said
    assert "h1 default via 10.0.1.254 h1-eth0" in said


def test_show_json_is_the_plan(capsys: Captured) -> None:
    assert main(["topo", "show", "star,4", "--json"]) == 0
    assert plan_from_data(json.loads(capsys.readouterr().out)) == plan_of("star,4")


BAD = """\
nodes:
  h1: {interfaces: {eth0: {addresses: [10.0.1.1/24]}}}
  h2: {interfaces: {eth0: {addresses: [10.0.1.1/24]}}}
links:
  - {ends: [h1, s9]}
"""


def test_check_says_each_mistake_in_a_line_and_ends_with_2(tmp_path: Path, capsys: Captured) -> None:
    bad, broken = tmp_path / "bad.yaml", tmp_path / "broken.yaml"
    bad.write_text(BAD)
    broken.write_text("nodes: {h1: [}\n")
    assert main(["topo", "check", "pair", str(bad), str(broken), "nowhere"]) == 2
    lines = capsys.readouterr().out.replace(f"{tmp_path}/", "").splitlines()
    assert lines[0] == "pair: fine (2 hosts, 1 link)"
    assert lines[1].startswith("bad.yaml:3: h2-eth0 has the address 10.0.1.1, which h1-eth0 has too")
    assert lines[2] == "bad.yaml:5: link h1-s9 names 's9', which is no node; nodes are h1, h2"
    assert lines[3].startswith("broken.yaml:1: not YAML: ")
    assert lines[4].startswith("no topology is called 'nowhere'")


def test_check_json_says_where_what_and_what_would_be_right(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    assert main(["topo", "check", str(tmp_path / "bad.yaml"), "--json"]) == 2
    second = json.loads(capsys.readouterr().out)[1]
    assert second["where"].endswith("bad.yaml:5")
    assert second["what"] == "link h1-s9 names 's9', which is no node"
    assert second["right"] == "nodes are h1, h2"


def test_check_asks_a_world_when_told_to(capsys: Captured) -> None:
    assert main(["topo", "check", "star", "--backend", "sim"]) == 0
    assert capsys.readouterr().out == "star: fine (3 hosts, 1 switch, 3 links)\n"


def test_a_wrong_file_shown_is_the_same_lines_on_standard_error(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    assert main(["topo", "show", str(tmp_path / "bad.yaml")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 2


def test_schema_is_json(capsys: Captured) -> None:
    assert main(["topo", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "netlab topology"


def test_a_network_can_be_had_as_a_file_to_begin_with(tmp_path: Path, capsys: Captured) -> None:
    assert main(["topo", "show", "dumbbell,2,rate=10 Mbit/s", "--yaml"]) == 0
    (tmp_path / "mine.yaml").write_text(capsys.readouterr().out)
    assert plan_of(str(tmp_path / "mine.yaml")) == plan_of("dumbbell,2,rate=10 Mbit/s")


def test_a_network_can_be_had_as_a_page(tmp_path: Path, capsys: Captured) -> None:
    page = tmp_path / "star.html"
    assert main(["topo", "show", "star", "--html", str(page)]) == 0
    text = page.read_text()
    assert "<svg" in text and "s1-eth1" in text and "http://www.w3.org/2000/svg" in text


def test_vlans_and_overlays_are_shown_where_there_are_some(capsys: Captured) -> None:
    assert main(["topo", "show", "vxlan_vlan"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "s1 s1-eth2 20 untagged" in out
    assert "v10 10010 s1-v10 VLAN 10 172.16.1.1 172.16.2.1" in out
    assert main(["topo", "show", "qinq"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "p1 p1-eth1 100 any, kept whole" in out and "p1 p1-core 100 200 tagged (802.1ad)" in out
    assert main(["topo", "show", "pair"]) == 0
    assert "VLAN" not in capsys.readouterr().out
