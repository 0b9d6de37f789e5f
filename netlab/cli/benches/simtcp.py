"""TCP through the simulated world: four flows over a dumbbell, beside ns-3 in the same scenario (see `models`)."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from statistics import median

from netlab.cli.benches import Row
from netlab.cli.benches.sim import SPEEDUPS, Contestant, found_peers, uncompiled

ROUNDS = 3
PEERS = {"ns-3 (stack, no checksums)": ("ns3_tcp_model.py", "uv pip install ns3==3.44.post0")}
OURS = "netlab.cli.benches.models.netlab_tcp_model"


def rows() -> list[Row]:
    """Data packets a second of CPU time; the medians of rounds in which all take turns."""
    with ExitStack() as stack:
        ours = _ours()
        peers, missing = found_peers(PEERS)
        everyone = {**ours, **peers}
        for contestant in everyone.values():
            stack.callback(contestant.close)
        rounds = [{name: one.packets_a_second() for name, one in everyone.items()} for _ in range(ROUNDS)]
    speed = {name: median(found[name] for found in rounds) for name in everyone}
    first, *others = [*peers, *missing, *uncompiled()]
    fastest = max(ours, key=speed.__getitem__)
    return [_row(speed, name, first) for name in ours] + [_row(speed, fastest, other) for other in others]


def _row(speed: dict[str, float], name: str, peer: str) -> Row:
    there = peer in speed
    beside = f"{peer} {speed[peer]:,.0f}" if there else peer
    return Row("tcp", name, speed[name], "data packets/s", beside, speed[name] / speed[peer] if there else 0.0)


def _ours() -> dict[str, Contestant]:
    argv = [sys.executable, "-P", "-m", OURS]
    ways: dict[str, list[str]] = {"recorded": ["recorded"], "not recorded": []}
    found = {f"four flows, simulated, {way}": Contestant([*argv, *said]) for way, said in ways.items()}
    if not uncompiled():
        path = os.pathsep.join(filter(None, (str(SPEEDUPS), os.environ.get("PYTHONPATH"))))
        for way, said in ways.items():
            found[f"the same compiled, {way}"] = Contestant([*argv, *said], {"PYTHONPATH": path})
    return found
