"""A star of 20 hosts, up: ours beside stock Mininet, both until every bridge port forwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from netlab.cli.benches import Row
from netlab.cli.topo import plan_of
from netlab.errors import Unavailable

HOSTS = 20
ROUNDS = 3
STOCK = """
import logging, sys, time
from pathlib import Path
from mininet.log import lg
lg.setLogLevel("critical")
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
sys.path.insert(0, sys.argv[1])
from star import topos
began = time.perf_counter()
net = Mininet(topo=topos["star"](int(sys.argv[2])), switch=LinuxBridge, controller=None)
net.start()
while not all(p.read_text().strip() == "3" for p in Path("/sys/class/net").glob("*/brport/state")):
    time.sleep(0.002)
print(time.perf_counter() - began, flush=True)
import os
os._exit(0)
"""


def rows() -> list[Row]:
    """The best of a few rounds, with and without records of what happens in the network."""
    if sys.platform != "linux":
        raise Unavailable("the Mininet world exists on Linux only")
    stock = min(_stock() for _ in range(ROUNDS))
    found = []
    for what, watched in (("bare", False), ("with its records", True)):
        ours = min(_ours(watched) for _ in range(ROUNDS))
        found.append(
            Row("up", f"star,{HOSTS} on Mininet, {what}", ours, "s", f"stock Mininet {stock:.2f} s", stock / ours)
        )
    return found


def _ours(watched: bool) -> float:
    from netlab.backend.mininet import MininetSession

    plan = plan_of(f"star,{HOSTS}")
    began = time.perf_counter()
    with MininetSession(plan, watched=watched):
        return time.perf_counter() - began


def _stock() -> float:
    """Stock Mininet in namespaces of its own, which end with it."""
    from netlab.topology.load import folders

    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    ready = 'mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run; ip link set lo up; exec "$@"'
    topologies = next(folder for folder in folders() if (folder / "star.py").is_file())
    python = [sys.executable, "-c", STOCK, str(Path(topologies).resolve()), str(HOSTS)]
    done = subprocess.run([*unshare, "sh", "-c", ready, "sh", *python], capture_output=True, text=True, timeout=120)
    try:
        return float(done.stdout.split()[-1])
    except (IndexError, ValueError):
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Unavailable(
            f"stock Mininet did not come up ({said})", right="'nlab doctor' says what is missing"
        ) from None
