"""A trace instance sees its own network only, and leaves nothing behind, however its owner ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import netlab
from netlab.probe import tracefs
from netlab.probe.event import QUEUE, RECEIVE, XMIT
from netlab.topology.spec import Node

pytestmark = pytest.mark.usefixtures("traced")

PAIR = (Node("h1"), Node("h2"))
WITHIN = 1.0

OWNER = """
import os, signal, sys
sys.path.insert(0, {path!r})
from netlab.probe.tracefs import Instance
instance = Instance({{}}, "~zz")
{then}
print(instance.name, instance._janitor.pid, flush=True)
signal.pause()
"""
FORK = """
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, b"x")
    signal.pause()
os.read(read, 1)
"""


def instances() -> list[str]:
    with tracefs.find_root() as root:
        return [name for name in os.listdir(f"{root.path}/instances") if name.startswith(tracefs.PREFIX)]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone_after(names: list[str], pids: list[int], limit: float) -> float:
    """Seconds until none of the instances and processes is left."""
    begin = time.monotonic()
    while any(name in instances() for name in names) or any(alive(pid) for pid in pids):
        assert time.monotonic() - begin < limit, f"{names} or {pids} are still there after {limit} s"
        os.sched_yield()
    return time.monotonic() - begin


class Owner:
    """A process with an instance."""

    def __init__(self, then: str = "") -> None:
        path = str(Path(netlab.__file__).parents[1])
        code = OWNER.format(path=path, then=then)
        # a session of its own: whatever it forks is ended with its group
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        name, janitor = self.process.stdout.readline().split()
        self.instance, self.janitor = name, int(janitor)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end_group(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


@pytest.fixture
def owner() -> Iterator[Callable[..., Owner]]:
    made: list[Owner] = []

    def make(then: str = "") -> Owner:
        made.append(Owner(then))
        return made[-1]

    yield make
    for one in made:
        one.end_group()
        one.process.wait()


@pytest.mark.parametrize("then", ["", FORK], ids=["alone", "survived by its fork"])
def test_an_owner_that_is_killed_leaves_no_instance_and_no_janitor(owner: Callable[..., Owner], then: str) -> None:
    victim = owner(then)
    assert victim.instance in instances()
    victim.kill()
    gone_after([victim.instance], [victim.janitor], WITHIN)


def test_a_janitor_waits_for_a_reader_that_lingers(owner: Callable[..., Owner]) -> None:
    victim = owner()
    with tracefs.find_root() as root:
        path = f"{root.path}/instances/{victim.instance}"
        reader = os.open(f"{path}/trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        victim.kill()
        until = time.monotonic() + WITHIN
        while Path(f"{path}/tracing_on").read_text().strip() != "0":
            assert time.monotonic() < until, "tracing is still switched on"
        assert victim.instance in instances()
        os.close(reader)
    gone_after([victim.instance], [victim.janitor], WITHIN)


def test_a_janitor_does_not_go_by_being_asked_politely(owner: Callable[..., Owner]) -> None:
    victim = owner()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(victim.janitor, number)
    victim.kill()
    gone_after([victim.instance], [victim.janitor], WITHIN)


def test_the_sweep_takes_what_is_stale_and_leaves_what_lives(owner: Callable[..., Owner]) -> None:
    """The owner and its janitor are both killed: nobody is left but the next start."""
    stale, living = owner(), owner()
    os.kill(stale.janitor, signal.SIGKILL)
    stale.kill()
    assert stale.instance in instances()
    swept = tracefs.sweep()  # another test's sweep may have been quicker
    assert living.instance not in swept
    assert stale.instance not in instances() and living.instance in instances()


def test_closing_takes_the_instance_down_at_once() -> None:
    instance = tracefs.Instance({}, "~zz")
    assert instance.name in instances()
    instance.close()
    assert instance.name not in instances()
    instance.close()


def test_another_network_s_devices_of_the_same_names_are_not_seen(network: Callable[..., Any]) -> None:
    ours, theirs = network(PAIR, "h1-h2"), network(PAIR, "h1-h2")
    instance = tracefs.Instance({kernel: plain for plain, kernel in ours.names.items()}, ours.suffix)
    try:
        theirs.run("h1", "ping", "-c1", theirs.address("h2"))
        assert [event for event in instance.drain()[0] if event[1] <= RECEIVE] == []
        ours.run("h1", "ping", "-c1", ours.address("h2"))
        seen = [(event[1], event[4]) for event in sorted(instance.drain()[0]) if event[1] <= RECEIVE]
        assert instance.lost() == 0
    finally:
        instance.close()
    there = [(QUEUE, "h1-eth0"), (XMIT, "h1-eth0"), (RECEIVE, "h2-eth0")]
    back = [(QUEUE, "h2-eth0"), (XMIT, "h2-eth0"), (RECEIVE, "h1-eth0")]
    assert seen == [*there, *back] * 2  # ARP, then the ping


def test_what_comes_faster_than_the_buffer_holds_is_counted(network: Callable[..., Any]) -> None:
    ours = network(PAIR, "h1-h2")
    instance = tracefs.Instance({kernel: plain for plain, kernel in ours.names.items()}, ours.suffix, buffer_kb=16)
    try:
        ours.run("h1", "ping", "-q", "-f", "-c", "500", ours.address("h2"))
        assert instance.lost() > 0
    finally:
        instance.close()


def test_an_ordinary_user_is_told_why_he_cannot_trace() -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        os.write(write, (tracefs.available() or "").encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        assert "run as root" in pipe.read()
