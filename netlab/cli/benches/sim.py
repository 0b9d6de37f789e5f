"""Packets through the simulated world, beside SimPy, ns.py and ns-3 in the same scenario (see `models`)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import netlab
from netlab.cli.benches import Row

ROUNDS = 5
PEERS = {
    "ns-3 (stack, no checksums)": ("ns3_model.py", "uv pip install ns3==3.44.post0"),
    "SimPy (queue and wire only)": ("simpy_model.py", "uv pip install simpy"),
    "ns.py (queue and wire only)": ("nspy_model.py", "uv pip install ns.py"),
}
"""What is raced against, and how to get it. ns-3 and ns.py are both called ``ns``, so they need an environment each."""
WAYS = {
    "recorded": ("recorded", "summed"),
    "not recorded": ("summed",),
    "not recorded, UDP without checksums": (),
}
SPEEDUPS = Path(netlab.__file__).parents[1] / "build" / "speedups"
"""Where ``make speedups`` puts the compiled package."""


class Contestant:
    """A model in a process of its own; ImportError when its simulator is not there."""

    def __init__(self, argv: list[str], environment: dict[str, str] | None = None) -> None:
        self._child = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        if self._answer() != "ready":
            self.close()
            raise ImportError(argv[-1])

    def packets_a_second(self) -> float:
        """Once through the scenario."""
        assert self._child.stdin is not None
        self._child.stdin.write("\n")
        self._child.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self._child.stdout is not None
        return self._child.stdout.readline().strip()

    def close(self) -> None:
        """The end of its input is the end of the program."""
        self._child.communicate()


def rows() -> list[Row]:
    """netlab's ways beside each peer that is here."""
    ours = contestants("netlab.cli.benches.models.netlab_model", WAYS, "UDP through two stacks", "compiled")
    return race("sim", "packets/s", ours, PEERS, ROUNDS)


def race(
    area: str, unit: str, ours: dict[str, Contestant], wanted: dict[str, tuple[str, str]], rounds: int
) -> list[Row]:
    """Our ways beside each peer of ``wanted`` that is here: medians of rounds in which all take turns, by CPU time."""
    with ExitStack() as stack:
        peers, missing = found_peers(wanted)
        everyone = {**ours, **peers}
        for contestant in everyone.values():
            stack.callback(contestant.close)
        found = [{name: one.packets_a_second() for name, one in everyone.items()} for _ in range(rounds)]
    speed = {name: median(each[name] for each in found) for name in everyone}

    def row(name: str, peer: str) -> Row:
        there = peer in speed
        beside = f"{peer} {speed[peer]:,.0f}" if there else peer
        return Row(area, name, speed[name], unit, beside, speed[name] / speed[peer] if there else 0.0)

    first, *others = [*peers, *missing, *uncompiled()]
    fastest = max(ours, key=speed.__getitem__)
    return [row(name, first) for name in ours] + [row(fastest, other) for other in others]


def contestants(model: str, ways: Mapping[str, Sequence[str]], what: str, compiled: str) -> dict[str, Contestant]:
    """Our program of a scenario in each of its ways, and once more compiled where that is at hand."""
    argv = [sys.executable, "-P", "-m", model]
    found = {f"{what}, {way}": Contestant([*argv, *said]) for way, said in ways.items()}
    if not uncompiled():
        path = os.pathsep.join(filter(None, (str(SPEEDUPS), os.environ.get("PYTHONPATH"))))
        for way, said in ways.items():
            found[f"{compiled}, {way}"] = Contestant([*argv, *said], {"PYTHONPATH": path})
    return found


def uncompiled() -> list[str]:
    """What to do about a compiled copy that is not there, or not of these sources; nothing if it is."""
    package = Path(netlab.__file__).parent
    sources = (library.with_name(library.name.split(".")[0] + ".py") for library in SPEEDUPS.rglob("*.so"))
    pairs = ((copy, package / copy.relative_to(SPEEDUPS / "netlab")) for copy in sources if copy.exists())
    current = [copy.read_bytes() == own.read_bytes() for copy, own in pairs]
    return [] if current and all(current) else ["netlab compiled: not here, or of other sources; make speedups"]


def found_peers(wanted: dict[str, tuple[str, str]]) -> tuple[dict[str, Contestant], list[str]]:
    """Those of ``wanted`` (name -> its model and how to get it) found in this environment or in one that
    ``NETLAB_PEERS`` names, and what to do about the others."""
    pythons = [sys.executable, *filter(None, os.environ.get("NETLAB_PEERS", "").split(os.pathsep))]
    found: dict[str, Contestant] = {}
    missing = []
    for name, (program, how) in wanted.items():
        for python in pythons:
            try:
                found[name] = Contestant([python, str(Path(__file__).parent / "models" / program)])
                break
            except (ImportError, FileNotFoundError):
                continue
        else:
            missing.append(f"{name}: not here; {how} into an environment whose python NETLAB_PEERS names")
    return found, missing
