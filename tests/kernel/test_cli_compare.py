"""`nlab compare` with a kernel on the other side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netlab.backend.mininet.checks import problems
from netlab.cli.main import main
from netlab.cli.topo import plan_of
from netlab.topology.load import known_names

Captured = pytest.CaptureFixture[str]


def skip_unless_both_worlds_hold(network: str) -> None:
    for problem in problems(plan_of(network)):
        if problem.severity == "refuse":
            pytest.skip(str(problem))


@pytest.mark.parametrize("network", [*known_names(), "star,5", "line,4", "dumbbell,3"])
def test_both_worlds_take_the_same_way_through_every_network(network: str, capsys: Captured) -> None:
    skip_unless_both_worlds_hold(network)
    assert main(["compare", network, "--flows", "8", "--json"]) == 0, capsys.readouterr().out
    flows = json.loads(capsys.readouterr().out)
    assert 4 <= len(flows) <= 8
    for flow in flows:
        assert len(set(flow["results"])) == 1
        assert len(flow["passages"]) >= 2 or flow["results"][0] != "answered"
    assert any(flow["results"] == ["answered", "answered"] for flow in flows)


def test_ipv6_takes_the_same_way_too(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "six.yaml"
    path.write_text(
        "ipv6: true\nnodes: {h1: , h2: , r1: {kind: router}}\nlinks: [{ends: [h1, r1]}, {ends: [r1, h2]}]\n"
    )
    skip_unless_both_worlds_hold(str(path))
    assert main(["compare", str(path), "--json"]) == 0, capsys.readouterr().out
    flows = json.loads(capsys.readouterr().out)
    assert [flow["kind"] for flow in flows] == ["ping", "udp", "ping6", "udp6"] * 2
    assert all(flow["results"] == ["answered", "answered"] and len(flow["passages"]) == 2 for flow in flows)


def test_a_transfer_arrives_in_both_worlds(capsys: Captured) -> None:
    skip_unless_both_worlds_hold("line,1")
    assert main(["compare", "line,1", "--bulk", "200kB"]) == 0, capsys.readouterr().out
    assert "same     tcp   h1 → h2  200000 bytes" in capsys.readouterr().out


def test_a_network_without_two_hosts_has_nothing_to_compare(tmp_path: Path, capsys: Captured) -> None:
    skip_unless_both_worlds_hold("pair")
    path = f"{tmp_path}/lonely.yaml"
    with open(path, "w") as file:
        file.write("nodes: {h1: , r1: {kind: router}}\nlinks: [{ends: [h1, r1]}]\n")
    assert main(["compare", path]) == 2
    assert "no two hosts" in capsys.readouterr().err
