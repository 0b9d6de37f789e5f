"""What a person waits for when he asks what there is."""

from __future__ import annotations

import os
import subprocess
import sys

from netlab.cli.benches import Row

ROUNDS = 5
AIM_MS = 200


def rows() -> list[Row]:
    """The best of a few rounds, in processes of their own."""
    best = min(_cpu_ms(["-m", "netlab.cli.main", "--help"]) for _ in range(ROUNDS))
    bare = min(_cpu_ms(["-c", "pass"]) for _ in range(ROUNDS))
    return [Row("help", "nlab --help", best, "ms CPU", f"aim {AIM_MS} ms; Python alone {bare:.0f} ms")]


def _cpu_ms(arguments: list[str]) -> float:
    before = _children()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return 1000 * (_children() - before)


def _children() -> float:
    """Seconds of CPU that ended children have used."""
    try:
        import resource
    except ImportError:  # Windows: the coarse figure
        times = os.times()
        return times.children_user + times.children_system
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
