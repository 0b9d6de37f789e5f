"""Every shipped topology opens in stock Mininet, as `mn --custom FILE --topo NAME` would on anybody's machine.

Each runs in network, mount and PID namespaces of its own, so Mininet's clean-up (which kills by name) meets nobody.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MN = Path(sys.executable).parent / "mn"
TOOLS = ("mnexec", "ifconfig", "brctl", "unshare")
READY = "mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run; ip link set lo up; exec "


def in_namespaces(command: str) -> subprocess.CompletedProcess[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return subprocess.run(
        [*unshare, "sh", "-c", READY + command], capture_output=True, text=True, timeout=120, cwd=ROOT
    )


@pytest.fixture(scope="module", autouse=True)
def stock_mininet() -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or not MN.exists():
        pytest.skip(f"apt-get install mininet bridge-utils net-tools makes this run (missing: {', '.join(missing)})")
    if in_namespaces("true").returncode:
        pytest.skip("user namespaces that an ordinary user may make (or root) make this run")


@pytest.mark.parametrize(
    ("topo", "pings"),
    [("pair", 2), ("star,3", 6), ("line,2", 12), ("dumbbell,2", 12), ("multiqueue,2,2", 12), ("multihomed", 20)],
)
def test_everybody_reaches_everybody_in_stock_mininet(topo: str, pings: int) -> None:
    file = f"topologies/{topo.partition(',')[0]}.py"
    done = in_namespaces(f"{MN} --custom {file} --topo {topo} --switch lxbr --controller none --test pingall")
    said = done.stdout + done.stderr
    assert f"Results: 0% dropped ({pings}/{pings} received)" in said


def test_stock_mininet_has_our_names_and_addresses() -> None:
    script = (
        "import sys; sys.path.insert(0, 'topologies'); from line import topos; from mininet.net import Mininet\n"
        "net = Mininet(topo=topos['line'](1), controller=None); net.start()\n"
        "print(net['h2'].cmd('ip -br -4 address show dev h2-eth0'), net['r1'].cmd('ip route')); net.stop()"
    )
    done = in_namespaces(f'{sys.executable} -c "{script}"')
    assert "10.0.2.1/24" in done.stdout, done.stderr
    assert "10.0.1.0/24 dev r1-eth0" in done.stdout
