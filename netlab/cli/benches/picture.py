"""How long a student waits for the first picture: a fresh interpreter, the lab's experiment, the drawing."""

from __future__ import annotations

import subprocess
import sys
import time

from netlab.cli.benches import Row
from netlab.errors import Unavailable

AIM_S = 5
CELL = """
from netlab.lab.catalogue import load_lab
from netlab.lab.variant import variant
from netlab.view.path import packet_path
from netlab.view.render.html import html_page
lab = load_lab("01")
experiment = next(iter(lab.experiments.values()))
result = experiment(variant(lab), 1, {}, backend=%r)
print(len(html_page(packet_path(result.log))))
"""


def rows() -> list[Row]:
    """In both worlds, where both work."""
    found = [Row("picture", "lab 01, first picture, sim", _seconds("sim"), "s", f"aim {AIM_S} s")]
    if sys.platform == "linux":
        found.append(Row("picture", "lab 01, first picture, mininet", _seconds("mininet"), "s", f"aim {AIM_S} s"))
    return found


def _seconds(backend: str) -> float:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", CELL % backend], capture_output=True, text=True, timeout=120)
    spent = time.perf_counter() - began
    if done.returncode:
        raise Unavailable((done.stderr.strip().splitlines() or ["it failed"])[-1], where=backend)
    return spent
