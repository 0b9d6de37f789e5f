"""`offload:` in a topology file: on a node, on an interface, wrong words, and there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.errors import BadTopology
from netlab.topology.codec import plan_from_data, plan_to_data
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.write import to_yaml

FILE = """
nodes:
  h1: {kind: host, offload: [tso, gro]}
  h2:
    kind: host
    offload: [gso]
    interfaces:
      eth0: {offload: []}
  h3: {kind: host}
  s1: {kind: switch}
links:
  - {ends: [h1, s1]}
  - {ends: [h2, s1]}
  - {ends: [h3, s1]}
"""


def read(tmp_path: Path, text: str = FILE) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    return path


def test_an_interface_has_its_own_switches_or_its_nodes_or_the_worlds(tmp_path: Path) -> None:
    plan = resolve(load_topology(str(read(tmp_path))))
    found = {name: plan.interface(f"{name}-eth0").offload for name in ("h1", "h2", "h3")}
    assert found == {"h1": ("tso", "gro"), "h2": (), "h3": None}
    assert plan_from_data(plan_to_data(plan)) == plan


def test_what_is_written_reads_the_same(tmp_path: Path) -> None:
    topology = load_topology(str(read(tmp_path)))
    assert resolve(load_topology(str(read(tmp_path, to_yaml(topology))))) == resolve(topology)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("h1: {kind: host, offload: [tsso]}", "tsso"),
        ("h1: {kind: router, offload: [lro]}", "what LRO joined cannot be sent on as it was; gro can be undone"),
        ("h1: {kind: host, offload: tso}", "offload"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, said: str, right: str) -> None:
    with pytest.raises(BadTopology) as failure:
        resolve(load_topology(str(read(tmp_path, f"nodes:\n  {said}\n  h2: {{}}\nlinks:\n  - {{ends: [h1, h2]}}\n"))))
    assert right in str(failure.value) and "x.yaml:2" in str(failure.value)
