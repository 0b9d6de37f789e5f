"""Our blocking sockets and asyncio's streams over a veth, beside the kernel's sockets called in the same way."""

from __future__ import annotations

import subprocess

from netlab.cli.benches import Row
from netlab.errors import Unavailable

SIZE = 200_000_000
AIM = 1000


def rows() -> list[Row]:
    """The best of three runs each, so that other work on the machine counts less."""
    from netlab.backend.native.sockets.trial import trial

    try:
        runs = [trial(SIZE) for _ in range(3)]
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable("no network namespaces can be made", right="run it as root on Linux") from error
    best = {name: max(run[name] for run in runs) for name in runs[0]}
    found = []
    for name, what in (
        ("send", "sendall, blocking"),
        ("receive", "recv_into, blocking"),
        ("asend", "write and drain, asyncio"),
    ):
        kernel = best["kernel receive" if name == "receive" else "kernel send"]
        short = "" if best[name] >= AIM else f"; SHORT of the aim of {AIM:,} Mbit/s: was the machine busy?"
        beside = f"the kernel's {kernel:,.0f} Mbit/s{short}"
        found.append(Row("sockets", what, best[name], "Mbit/s", beside, best[name] / kernel))
    echo, kernel = (min(run[name] for run in runs) for name in ("echo", "kernel echo"))
    what = "round trip of one byte to an echo, median of 500"
    return [*found, Row("sockets", what, echo, "µs", f"the kernel's {kernel:.0f} µs", kernel / echo)]
