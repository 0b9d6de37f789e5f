"""How an interface steers: what is written is in the plan and in force, and what cannot be is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.backend.sim import SimSession
from netlab.errors import BadTopology
from netlab.stack.steering import SYMMETRIC_KEY
from netlab.stack.steering.planned import steering_of
from netlab.topology.codec import plan_from_data, plan_to_data
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import RingFilter, Steer
from netlab.topology.write import to_yaml
from netlab.topology.yaml_file import read_yaml
from netlab.workload.spec import UdpEcho

FULL = """\
nodes:
  h1:
  h2:
    interfaces:
      eth0:
        queues: 4
        steering:
          key: symmetric
          weights: [2, 1, 1, 0]
          filters: [{ring: 3, priority: 1, proto: udp, dst: 10.0.1.2, dst_port: 80}, {ring: 0}]
links:
  - {ends: [h1, h2]}
"""
STEER = Steer(
    "symmetric",
    weights=(2, 1, 1, 0),
    filters=(RingFilter(3, 1, dst="10.0.1.2", proto="udp", dst_port=80), RingFilter(0)),
)


def written(folder: Path, text: str) -> Path:
    path = folder / "x.yaml"
    path.write_text(text)
    return path


def test_it_is_in_the_plan_and_in_the_file_again(tmp_path: Path) -> None:
    plan = resolve(load_topology(written(tmp_path, FULL)))
    assert plan.interface("h2-eth0").steering == STEER
    assert plan_from_data(plan_to_data(plan)) == plan
    topology, _ = read_yaml(FULL, "x.yaml")
    again, errors = read_yaml(to_yaml(topology), "x.yaml")
    assert not errors and again.node("h2") == topology.node("h2")


def test_it_is_in_force_in_virtual_time(tmp_path: Path) -> None:
    text = FULL.replace(", {ring: 0}", "")
    plan = resolve(load_topology(written(tmp_path, text)))
    with SimSession(plan, cores=4) as session:
        session.run([UdpEcho("h1", "h2", port=80, count=7)])
        steering = session.executors["h2"].ports["h2-eth0"].steering
    assert steering is not None and steering.by_ring[3] == 7, "by the filter: the weights give ring 3 nothing"
    assert steering.hash.key == SYMMETRIC_KEY and steering.table.count(0) == 64


def test_spraying_and_one_ring(tmp_path: Path) -> None:
    text = FULL.replace("key: symmetric", "spread: spray")
    steering = steering_of(resolve(load_topology(written(tmp_path, text))).interface("h2-eth0"))
    assert steering is not None and steering.spray is not None
    assert steering_of(resolve(load_topology("pair")).interface("h1-eth0")) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ring: 3", "ring: 4", "x.yaml:8: steering of h2-eth0 has a filter to ring 4; rings are 0 to 3"),
        ("[2, 1, 1, 0]", "[2, 1]", "steering of h2-eth0 has 2 weights; there is one for each of the 4 rings"),
        ("[2, 1, 1, 0]", "[0, 0, 0, 0]", "steering of h2-eth0 has 4 weights; there is one for each of the 4 rings"),
        ("queues: 4", "queues: 1", "steering of h2-eth0 has one ring to choose from"),
        ("proto: udp", "proto: sctp", "x.yaml:10: proto of filters of steering of interface eth0 of node h2 is 'sctp'"),
        ("key: symmetric", "key: mine", "is 'mine'"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(BadTopology) as caught:
        resolve(load_topology(written(tmp_path, FULL.replace(old, new))))
    found = [str(error).replace(f"{tmp_path}/", "") for error in caught.value.errors]
    assert any(said in line for line in found), found


def test_a_world_that_cannot_steer_says_so(tmp_path: Path) -> None:
    from netlab.backend.mininet.checks import _unsteered

    plan = resolve(load_topology(written(tmp_path, FULL)))
    [problem] = _unsteered(plan.nodes)
    assert problem.severity == "refuse" and str(problem).startswith("h2-eth0: a veth device steers nothing")
