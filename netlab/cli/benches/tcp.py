"""Live bulk throughput over a veth: our TCP to the kernel's and back, beside kernel to kernel, offload on and off."""

from __future__ import annotations

import subprocess

from netlab.cli.benches import Row, simtcp
from netlab.errors import Unavailable

ON, OFF = 200_000_000, 20_000_000
"""Bytes that are sent."""
AIM_ON, AIM_OFF = 1000, 100
PYTCP = "PyTCP 3 to 37 Mbit/s, measured elsewhere: it needs Python 3.14, and its release on the index holds no code"


def rows() -> list[Row]:
    """Mbit/s of one connection each, the best of three runs, so that other work on the machine counts less."""
    found = []
    rates: dict[str, list[float]] = {}
    """Who sends to whom -> with offload, and without."""
    for offload, size, aim in ((True, ON, AIM_ON), (False, OFF, AIM_OFF)):
        kernel = _best("send", ON, offload, kernel=True)
        word = "on" if offload else "off"
        rates.setdefault("kernel to kernel", []).append(kernel)
        for role, what in (("send", "ours to the kernel"), ("take", "the kernel to ours")):
            rate = _best(role, size, offload)
            rates.setdefault(what, []).append(rate)
            short = "" if rate >= aim else f"; SHORT of the aim of {aim:,} Mbit/s: was the machine busy?"
            beside = f"kernel to kernel {kernel:,.0f} Mbit/s{short}"
            found.append(Row("tcp", f"{what}, offload {word}", rate, "Mbit/s", beside, rate / kernel))
    found += [Row("tcp", f"{who}: offload on over off", on / off, "times", "") for who, (on, off) in rates.items()]
    what = "round trip of a ping, ours to the kernel, median of 200"
    found.append(Row("tcp", what, _ping(), "ms", "aim under 0.5 ms"))
    slowest = min(row.value for row in found if row.unit == "Mbit/s")
    return [*found, Row("tcp", "the slowest of these", slowest, "Mbit/s", PYTCP), *simtcp.rows()]


def _ping() -> float:
    from netlab.backend.native.duel import duel

    return float(duel(role="ping", sizes=[200])["seconds"]) * 1000


def _best(role: str, size: int, offload: bool, *, kernel: bool = False) -> float:
    from netlab.backend.native.duel import duel

    try:
        runs = [duel(role=role, sizes=[size], offload=offload, kernel=kernel) for _ in range(3)]
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable("no network namespaces can be made", right="run it as root on Linux") from error
    return max(float(run["octets"]) * 8 / float(run["seconds"]) / 1e6 for run in runs)
