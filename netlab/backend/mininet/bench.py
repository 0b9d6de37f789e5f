"""How long a star takes to come up, ours beside stock Mininet's: both until every bridge port forwards."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from netlab.topology.spec import Plan

_STOCK = """
import glob, logging, sys, time
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo
began = time.perf_counter()
net = Mininet(topo=SingleSwitchTopo(int(sys.argv[1])), switch=LinuxBridge, controller=None)
net.start()
ports = glob.glob("/sys/class/net/*/brport/state")
assert len(ports) == int(sys.argv[1]), ports
while any(open(port).read().strip() != "3" for port in ports):
    time.sleep(0.001)
print(time.perf_counter() - began)
"""
_SETTING = (
    "mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run; ip link set lo up;"
    " for table in iptables ip6tables arptables; do echo 0 >/proc/sys/net/bridge/bridge-nf-call-$table; done 2>&-;"
    ' exec "$0" -c "$@"'
)
"""Namespaces as ours, so that stock Mininet can't change the machine's limits either; made before the clock starts."""


def bench_up(n: int = 20, rounds: int = 3) -> dict[str, float]:
    """Print, and return in seconds, the median time until a star of ``n`` hosts is up.

    "netlab" is all that `nlab up` waits for: the arena's processes and namespaces, the network, reading everything
    back. The network alone is what compares with "stock": Mininet's own building and starting, in namespaces that are
    there, without its imports.
    """
    plan = star(n)
    ours = [_ours(plan) for _ in range(rounds)]
    took = {
        "netlab": median(whole for whole, _network in ours),
        "netlab, the network alone": median(network for _whole, network in ours),
        "stock": median(_stock(n) for _ in range(rounds)),
    }
    print(f"star of {n} hosts, up and forwarding, ms:", end=" ")
    print(", ".join(f"{what} {seconds * 1e3:.0f}" for what, seconds in took.items()))
    return took


def star(n: int) -> Plan:
    """The plan of ``n`` hosts around one switch."""
    from netlab.topology.generators import cable, several
    from netlab.topology.resolve import resolve
    from netlab.topology.spec import Topology

    hosts = several("h", n)
    links = tuple(cable(host.name, "s1") for host in hosts)
    return resolve(Topology("star", (*hosts, *several("s", 1, "switch")), links))


def _ours(plan: Plan) -> tuple[float, float]:
    """Seconds for everything, and for the network in it."""
    from netlab.backend.mininet.arena import Arena
    from netlab.backend.mininet.verify import differences

    began = time.perf_counter()
    with Arena() as arena:
        furnished = time.perf_counter()
        arena.build(plan)
        built = time.perf_counter()
        assert not differences(plan, arena.state())
        return time.perf_counter() - began, built - furnished


def _stock(n: int) -> float:
    unshare = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    command = [*unshare, "--mount-proc", "sh", "-c", _SETTING, sys.executable, _STOCK, str(n)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"stock Mininet failed: {done.stderr.strip()}")
    return float(done.stdout)


if __name__ == "__main__":
    bench_up(*map(int, sys.argv[1:]))
