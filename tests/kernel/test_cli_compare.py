"""`nlab compare` with a kernel on the other side."""

from __future__ import annotations

import json

import pytest

from netlab.backend.mininet.checks import problems
from netlab.cli.main import main
from netlab.cli.topo import plan_of

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("network", ["pair", "star,3", "line,2", "dumbbell,2"])
def test_both_worlds_take_the_same_way_through_every_shape(network: str, capsys: Captured) -> None:
    for problem in problems(plan_of(network)):
        pytest.skip(str(problem))
    assert main(["compare", network, "--flows", "6", "--json"]) == 0
    flows = json.loads(capsys.readouterr().out)
    assert 4 <= len(flows) <= 6
    assert all(flow["results"] == ["answered", "answered"] and len(flow["passages"]) == 2 for flow in flows)


def test_a_network_without_two_hosts_has_nothing_to_compare(tmp_path: object, capsys: Captured) -> None:
    for problem in problems(plan_of("pair")):
        pytest.skip(str(problem))
    path = f"{tmp_path}/lonely.yaml"
    with open(path, "w") as file:
        file.write("nodes: {h1: , r1: {kind: router}}\nlinks: [{ends: [h1, r1]}]\n")
    assert main(["compare", path]) == 2
    assert "no two hosts" in capsys.readouterr().err
