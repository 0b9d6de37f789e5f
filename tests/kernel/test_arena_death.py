"""However an arena's owner ends, within a second nothing of the arena is left.

Everything that an arena starts inherits its owner's environment, so a word in it finds every process, at whatever
moment of the building the owner died. A namespace lasts as long as its processes: with the last one it goes, and its
interfaces with it.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netlab.backend.mininet import keeper, runs
from netlab.backend.mininet.checks import problems
from netlab.errors import Unavailable
from netlab.probe import tracefs
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Topology

LINKS = tuple(cable(f"h{n}", "s1", rate="10 Mbit/s") for n in range(1, 6))
STAR = resolve(Topology("star", (*several("h", 5), *several("s", 1, "switch")), LINKS))
WITHIN = 1.0

OWNER = """
import os, sys, threading
sys.path[:0] = {path!r}
from netlab.backend.mininet.arena import Arena
from netlab.topology.codec import plan_from_data
from netlab.topology.codec import plan_to_data
plan = plan_from_data({plan!r})
print("begin", flush=True)

def use():
    arena = Arena()
    print(arena.run.folder, flush=True)
    arena.build(plan)
    job = arena.start("h1", ["sh", "-c", "setsid sleep 2001 & sleep 2002"])
    arena.mininet("h2", "echo a shell of its own")
    print("up", arena.suffix, flush=True)
    {then}

{how}
"""


class Owner:
    """A process that has an arena; ``marked`` finds it, and whatever came of it."""

    def __init__(self, then: str, how: str) -> None:
        from netlab.topology.codec import plan_to_data

        self.mark = f"NETLAB_TEST={uuid.uuid4()}"
        name, _, value = self.mark.partition("=")
        code = OWNER.format(path=sys.path, plan=plan_to_data(STAR), then=then, how=how)
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, name: value},
        )
        assert self.process.stdout is not None and self.process.stdin is not None
        self.lines, self._words = self.process.stdout, self.process.stdin

    def goes_on(self) -> None:
        """Let an owner that reads a line go on: it has been looked at."""
        self._words.write("go on\n")
        self._words.flush()

    def says(self) -> str:
        return self.lines.readline().strip()

    def marked(self) -> list[int]:
        """The processes that carry our mark; a zombie carries none."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    environment = (entry / "environ").read_bytes()
                except OSError:
                    continue
                if self.mark.encode() in environment.split(b"\0"):
                    found.append(int(entry.name))
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        for pid in (self.process.pid, *self.marked()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.lines.close()
        with contextlib.suppress(BrokenPipeError):
            self._words.close()


Hire = Callable[..., Owner]


@pytest.fixture
def hire() -> Iterator[Hire]:
    for problem in problems(STAR):
        pytest.skip(str(problem))
    hired: list[Owner] = []

    def start(then: str = "threading.Event().wait()", how: str = "use()") -> Owner:
        hired.append(Owner(then, how))
        return hired[-1]

    yield start
    for owner in hired:
        owner.end()


def seconds_until(condition: Callable[[], bool], limit: float = 10.0) -> float:
    """How long it took until a condition held; at most ``limit``. The last look itself is not counted."""
    began = looked = time.monotonic()
    while not condition() and looked - began < limit:
        time.sleep(0.005)
        looked = time.monotonic()
    return looked - began


def free(suffix: str) -> bool:
    """Whether nobody has an arena's name any more."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        try:
            claim.bind(f"\0netlab-arena-{suffix}")
        except OSError:
            return False
        return True


WATCHED = """
from netlab.backend.mininet import MininetBackend
from netlab.workload.spec import Ping
session = MininetBackend().open(plan)
print("watching", flush=True)
session.run([Ping("h1", "h5", count=10_000)])
"""


def instances(pid: int) -> list[str]:
    """The kernel's trace instances that a process made; none where it may make none."""
    try:
        with tracefs.find_root() as root:
            return [name for name in os.listdir(f"{root.path}/instances") if f"-{pid}-" in name]
    except Unavailable:
        return []


def up(owner: Owner) -> tuple[Path, str]:
    """Wait until an owner's network is up; its run folder and its suffix."""
    assert owner.says() == "begin"
    folder = Path(owner.says())
    word, suffix = owner.says().split()
    assert word == "up" and folder.is_dir() and len(owner.marked()) >= 4
    return folder, suffix


def test_when_its_owner_is_killed_the_arena_goes(hire: Hire) -> None:
    owner = hire()
    folder, suffix = up(owner)
    owner.kill()
    assert seconds_until(lambda: not owner.marked() and not folder.exists() and free(suffix)) < WITHIN


def test_killed_in_the_middle_of_a_run_it_leaves_no_trace_instance(hire: Hire) -> None:
    owner = hire(how=WATCHED)
    assert [owner.says(), owner.says()] == ["begin", "watching"]
    assert bool(instances(owner.process.pid)) == (tracefs.available() is None)
    owner.kill()
    assert seconds_until(lambda: not owner.marked() and not instances(owner.process.pid)) < WITHIN


@pytest.mark.long
@pytest.mark.parametrize("turn", range(50))
def test_at_any_moment_of_a_watched_run_it_is_killed(hire: Hire, turn: int) -> None:
    owner = hire(how=WATCHED)
    assert owner.says() == "begin"
    time.sleep(random.Random(turn).uniform(0, 1.2))  # the moment is the test
    owner.kill()
    assert seconds_until(lambda: not owner.marked() and not instances(owner.process.pid)) < WITHIN


def killed_after(seconds: float, owner: Owner) -> None:
    """The story of an owner that dies while its network is being built, or later."""
    assert owner.says() == "begin"
    time.sleep(seconds)  # the moment is the test
    owner.kill()
    assert seconds_until(lambda: not owner.marked()) < WITHIN


@pytest.mark.parametrize("moment", range(12))
def test_at_whatever_moment_it_is_killed(hire: Hire, moment: int) -> None:
    killed_after(0.025 * moment, hire())


@pytest.mark.long
@pytest.mark.parametrize("turn", range(150))
def test_at_any_of_many_moments_it_is_killed(hire: Hire, turn: int) -> None:
    killed_after(random.Random(turn).uniform(0, 0.4), hire())


def test_a_forked_child_of_the_owner_does_not_keep_it_alive(hire: Hire) -> None:
    owner = hire(then="os.fork(); threading.Event().wait()")
    _folder, suffix = up(owner)
    owner.kill()
    # The forked child has the owner's end of the socket and carries the mark: it alone is left.
    assert seconds_until(lambda: len(owner.marked()) <= 1) < WITHIN
    assert len(owner.marked()) == 1
    assert seconds_until(lambda: free(suffix)) < WITHIN


def test_started_from_a_thread_that_ends_it_lives_on(hire: Hire) -> None:
    how = "thread = threading.Thread(target=use); thread.start(); thread.join(); kept[0].command('h1', ['true']);"
    how = "kept = [];" + how + "print('alive', flush=True); threading.Event().wait()"
    owner = hire(then="kept.append(arena)", how=how)
    up(owner)
    assert owner.says() == "alive"
    owner.kill()
    assert seconds_until(lambda: not owner.marked()) < WITHIN


def test_an_owner_that_forgets_its_arena_loses_it(hire: Hire) -> None:
    how = "use(); print('forgotten', flush=True); threading.Event().wait()"
    owner = hire(then="sys.stdin.readline(); del job, arena", how=how)
    up(owner)
    owner.goes_on()
    assert owner.says() == "forgotten"
    assert seconds_until(lambda: owner.marked() == [owner.process.pid]) < WITHIN


def test_an_owner_that_ends_by_itself_leaves_nothing(hire: Hire) -> None:
    owner = hire(then="sys.stdin.readline()")
    folder, suffix = up(owner)
    owner.goes_on()
    assert owner.process.wait(10) == 0
    assert not owner.marked() and not folder.exists() and free(suffix)


@pytest.mark.parametrize("victim", ["netlab-keeper", "netlab-init", "netlab-agent"])
def test_when_one_of_its_own_is_killed_all_go(hire: Hire, victim: str) -> None:
    then = "print(job.wait().why, flush=True); threading.Event().wait()"
    owner = hire(then=then)
    folder, suffix = up(owner)
    named = [pid for pid in owner.marked() if Path(f"/proc/{pid}/comm").read_text().strip() == victim]
    os.kill(named[0], signal.SIGKILL)
    assert seconds_until(lambda: owner.marked() == [owner.process.pid]) < WITHIN
    assert owner.says() == "gone"
    assert seconds_until(lambda: free(suffix)) < WITHIN
    runs.sweep()
    assert not folder.exists()


def test_a_stopped_keeper_s_folder_is_not_swept(hire: Hire) -> None:
    folder, _suffix = up(hire())
    runs.sweep()
    assert folder.is_dir()
    found = runs.find(folder.name)
    assert (found.plan, found.nodes) == ("star", ("h1", "h2", "h3", "h4", "h5", "s1"))


def test_two_arenas_never_share_a_name() -> None:
    claims = [keeper.claim_suffix() for _ in range(50)]
    assert len({suffix for suffix, _claim in claims}) == 50
    for _suffix, claim in claims:
        claim.close()


def test_a_forked_child_that_ends_takes_nothing_with_it(hire: Hire) -> None:
    fork_and_go_on = "os.fork() or sys.exit(); os.wait(); print(arena.command('h1', ['true']).ok, flush=True)"
    owner = hire(then=fork_and_go_on + "; threading.Event().wait()")
    up(owner)
    assert owner.says() == "True"
