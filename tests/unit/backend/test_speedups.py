"""The modules compiled by mypyc leave the same trace as their sources."""

from __future__ import annotations

import importlib.util
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = """
import netlab.sim.loop
from netlab.backend.sim.session import SimSession
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.units import MS, US
from netlab.workload.spec import Bulk, Ping, UdpEcho
print(netlab.sim.loop.__file__.endswith(".py"))
for name in ("line,3", "star,4", "dumbbell", "pair,loss=20 %", "multiqueue", "qinq", "vlan_trunk", "vxlan"):
    plan = resolve(load_topology(name))
    first, *_, last = (node.name for node in plan.nodes if node.kind == "host" and node.addresses)
    asked = [Ping(first, last, count=5, interval=MS, size=3000), Ping(last, first, ttl=1), Ping(first, "172.16.0.1"),
             UdpEcho(first, last, count=20, interval=5 * US), UdpEcho(last, first, count=20, interval=5 * US)]
    for choices in ({}, {"cores": 2, "lock_plan": "giant"}):
        with SimSession(plan, seed=3, **choices) as session:
            session.run(asked)
        print(name, len(session.log), session.log.digest())
for congestion in ("newreno", "cubic", "dctcp"):
    narrow = resolve(load_topology("dumbbell,rate=20 Mbit/s,delay=2 ms,queue=20 packets,loss=1 %"))
    with SimSession(narrow, seed=3) as session:
        session.run([Bulk("h1", "h3", size=200_000, congestion=congestion), Bulk("h4", "h2", size=200_000)])
    print(congestion, len(session.log), session.log.digest())
short = resolve(load_topology("pair,rate=20 Mbit/s,delay=2 ms,queue=20 packets"))
for policy in ("rollback", "wake all", "accounted+scheduled"):
    for below in ({}, {"ring": {"h1": 16}, "bql": ("h1",), "account": True}):
        with SimSession(short, seed=3, pressure={"h1": policy}, **below) as session:
            session.run([Bulk("h1", "h2", size=50_000, flows=4)])
        print(policy, len(session.log), session.log.digest(), session.stalled(), session.unaccounted())
"""


def run_in(folder: Path) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_module_that_is_to_be_compiled_is_there() -> None:
    hot = runpy.run_path(str(ROOT / ".ci" / "speedups"))["HOT"]
    places = [ROOT / "netlab" / name for name in hot]
    missing = [place for place in places if not (place.is_file() or any(place.glob("*.py")))]
    assert len(hot) > 20 and missing == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_compiled_modules_make_the_same_records(tmp_path: Path) -> None:
    if shutil.which("gcc") is None or None in map(importlib.util.find_spec, ("mypyc", "setuptools")):
        pytest.skip("gcc, mypy and setuptools compile the modules: apt-get install gcc python3-dev, .ci/venv dev")
    compiled = tmp_path / "speedups"
    built = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "speedups"), str(compiled)], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    as_written, as_compiled = run_in(ROOT), run_in(compiled)
    assert (as_written[0], as_compiled[0]) == ("True", "False"), "the one runs from sources, the other does not"
    assert as_compiled[1:] == as_written[1:]
    assert len(as_written) == 26
