"""A network in a notebook: a cell run again, a run interrupted, a kernel restarted or killed, two notebooks at once."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from netlab.backend.mininet import runs
from netlab.backend.mininet.checks import problems
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Topology

PAIR = resolve(Topology("pair", tuple(several("h", 2)), (cable("h1", "h2"),)))
WITHIN = 1.0

FIRST_CELL = """
from netlab.backend.mininet import MininetBackend
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Topology
from netlab.workload.spec import Ping
plan = resolve(Topology("pair", tuple(several("h", 2)), (cable("h1", "h2"),)))
"""
OPEN = "session = MininetBackend().open(plan); print(session.arena.run.name)"
PING = "print(session.run([Ping('h1', 'h2', count=2)])[0].answered)"


class Notebook:
    """A kernel, and cells run in it one by one."""

    def __init__(self, folder: Path, mark: str) -> None:
        from jupyter_client.manager import KernelManager

        name, _, value = mark.partition("=")
        self.environment = {**os.environ, name: value, "XDG_RUNTIME_DIR": str(folder)}
        self.manager = KernelManager(transport="ipc", ip=str(folder / uuid.uuid4().hex[:8]))
        self.manager.start_kernel(env=self.environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.run(FIRST_CELL)

    def run(self, cell: str, *, while_it_runs: Callable[[], None] = lambda: None) -> str:
        """Run a cell; what it printed, or the name of the error that ended it."""
        said: list[str] = []

        def take(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                said.append(content["text"])
                while_it_runs()
            elif message["msg_type"] == "error":
                said.append(content["ename"])

        self.client.execute_interactive(cell, output_hook=take, timeout=60)
        return "".join(said).strip()

    def end(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def mark() -> str:
    return f"NETLAB_TEST={uuid.uuid4()}"


@pytest.fixture
def notebook(tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Notebook]]:
    for problem in problems(PAIR):
        pytest.skip(str(problem))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    opened: list[Notebook] = []

    def start() -> Notebook:
        opened.append(Notebook(tmp_path, mark))
        return opened[-1]

    yield start
    for one in opened:
        one.end()


def marked(mark: str) -> int:
    """How many processes carry the mark."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                count += mark.encode() in (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
    return count


def seconds_until(condition: Callable[[], bool], limit: float = 10.0) -> float:
    """How long it took until a condition held; at most ``limit``. The last look itself is not counted."""
    began = looked = time.monotonic()
    while not condition() and looked - began < limit:
        time.sleep(0.005)
        looked = time.monotonic()
    return looked - began


def names() -> list[str]:
    return sorted(run.name for run in runs.live())


def test_a_cell_run_again_replaces_its_network(notebook: Callable[[], Notebook]) -> None:
    book = notebook()
    first = book.run(OPEN)
    assert names() == [first]
    second = book.run(OPEN)
    assert second != first
    assert seconds_until(lambda: names() == [second]) < WITHIN
    assert book.run(PING) == "2"


def test_an_interrupted_run_can_be_run_again(notebook: Callable[[], Notebook]) -> None:
    book = notebook()
    name = book.run(OPEN)
    long = "print('on', flush=True); session.run([Ping('h1', 'h2', count=10_000)])"
    assert book.run(long, while_it_runs=book.manager.interrupt_kernel) == "on\nKeyboardInterrupt"
    assert book.run(PING) == "2"
    assert book.run("print(session.command('h1', ['pgrep', '-x', 'ping']).stdout)") == ""
    assert names() == [name]


def test_a_kernel_that_is_restarted_or_killed_leaves_nothing(notebook: Callable[[], Notebook], mark: str) -> None:
    book = notebook()
    book.run(OPEN)
    pid = int(book.run("import os; print(os.getpid())"))
    os.kill(pid, 9)
    assert seconds_until(lambda: marked(mark) == 0) < WITHIN
    assert names() == []
    book.manager.restart_kernel(now=True)
    book.client.wait_for_ready(timeout=60)
    book.run(FIRST_CELL)
    name = book.run(OPEN)
    assert names() == [name] and book.run(PING) == "2"
    book.manager.shutdown_kernel()
    assert seconds_until(lambda: marked(mark) == 0) < WITHIN
    assert names() == []


def test_two_notebooks_do_not_meet(notebook: Callable[[], Notebook]) -> None:
    one, other = notebook(), notebook()
    opened = sorted([one.run(OPEN), other.run(OPEN)])
    assert names() == opened
    assert one.run(PING) == other.run(PING) == "2"
    one.run("session.close()")
    assert other.run(PING) == "2"
