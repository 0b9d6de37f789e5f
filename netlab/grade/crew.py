"""Grading a folder: worker processes that judge one submission at a time, and are replaced when one is lost.

A worker is netlab's own code, but it runs a simulation that a student's answer steers; one that doesn't come back in
time is killed, its submission gets its rows all the same, and a new worker takes the next.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from netlab.backend.base import SlotFailure
from netlab.backend.slotpipe import SlotPipe
from netlab.errors import BadInput
from netlab.files import reading
from netlab.grade.judge import BUDGET_S, Graded, judge, same_row
from netlab.grade.sandbox import Limits, legible, pipe_ends
from netlab.lab.check import CheckResult, Evidence
from netlab.lab.lab import Lab

GRACE_S = 15.0

WORKER_OUTPUT = 16 << 10
WORKER_REPLY = 32 << 20


@dataclass(frozen=True)
class Submission:
    """One file of a folder, and whose it is."""

    student: str
    path: Path


@dataclass(frozen=True)
class Order:
    """How a folder is to be judged."""

    lab: Lab
    secret: bytes
    seeds: tuple[int, ...] | None = None
    limits: Limits | None = None
    budget: float = BUDGET_S
    grace: float = GRACE_S
    """Seconds past its budget after which a worker is given up."""

    def judge(self, submission: Submission) -> Graded:
        """Judge one submission in this process."""
        return judge(
            self.lab,
            submission.path,
            submission.student,
            self.secret,
            self.seeds,
            limits=self.limits,
            budget=self.budget,
        )


def submissions(folder: Path) -> tuple[Submission, ...]:
    """Every ``.py`` of the folder, whatever it holds, by student: its stem. A folder is none, a link is one."""
    found = [path for path in _entries(folder) if not _why_not(path)]
    if not found:
        raise BadInput("the folder holds no submission", where=str(folder), right="put one .py a student there")
    return tuple(Submission(legible(path.with_suffix("")), path) for path in found)


def passed_over(folder: Path) -> tuple[tuple[str, str], ...]:
    """What else is in the folder, and for each thing why it is no submission; hidden files go without saying."""
    return tuple((legible(path), why) for path in _entries(folder) if (why := _why_not(path)) and _visible(path))


def _entries(folder: Path) -> list[Path]:
    right = "give a folder with one .py a student"
    with reading(folder):
        if folder.is_dir():
            return sorted(folder.iterdir())
        if folder.exists():
            raise BadInput("it is a file, not a folder", where=str(folder), right=right)
    raise BadInput("there is no such folder", where=str(folder), right=right)


def _why_not(path: Path) -> str:
    if path.suffix != ".py":
        return "no .py"
    return "a folder" if path.is_dir() and not path.is_symlink() else ""


def _visible(path: Path) -> bool:
    return path.name[:1] != "." and path.name != "__pycache__"


def grade_folder(
    lab: Lab,
    folder: Path,
    secret: bytes,
    *,
    workers: int = 0,
    seeds: tuple[int, ...] | None = None,
    limits: Limits | None = None,
    budget: float = BUDGET_S,
    grace: float = GRACE_S,
    told: Callable[[Graded], None] | None = None,
) -> list[Graded]:
    """Judge every file of the folder; the list is by student, whatever order they were done in.

    ``workers`` 0 means one for each core. A lab that was not loaded from a folder is judged here, one by one.
    ``told`` hears of each submission as it is done.
    """
    order = Order(lab, secret, seeds, limits, budget, grace)
    todo = submissions(folder)
    count = min(workers or os.cpu_count() or 1, len(todo))
    if lab.folder is None:
        return [_tell(order.judge(submission), told) for submission in todo]
    return _Crew(order, todo, told).grade(count)


def _tell(graded: Graded, told: Callable[[Graded], None] | None) -> Graded:
    if told is not None:
        told(graded)
    return graded


class _Crew:
    """Some threads, each with a worker process of its own, and the list of what is still to do."""

    def __init__(self, order: Order, todo: Sequence[Submission], told: Callable[[Graded], None] | None) -> None:
        self._order, self._todo, self._told = order, todo, told
        self._next = iter(range(len(todo)))
        self._lock = threading.Lock()  # guards _next, _done, _workers, _stopped and the calls of told
        self._done: dict[int, Graded] = {}
        self._workers: set[_Worker] = set()
        self._stopped = False
        self._error: BaseException | None = None

    def grade(self, count: int) -> list[Graded]:
        """All of it; an interrupt ends the workers and goes on up."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            self._stop()
        if self._error is not None:
            raise self._error
        return [self._done[index] for index in range(len(self._todo))]

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            workers = list(self._workers)
        for worker in workers:
            worker.kill()

    def _work(self) -> None:
        worker: _Worker | None = None
        try:
            while (index := self._take()) is not None:
                worker = worker if worker and worker.sound else self._hire(worker)
                graded = worker.judge(self._order, self._todo[index])
                with self._lock:
                    if not self._stopped:
                        self._done[index] = _tell(graded, self._told)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
            self._error = error
        finally:
            self._dismiss(worker)

    def _take(self) -> int | None:
        with self._lock:
            return None if self._stopped else next(self._next, None)

    def _hire(self, old: _Worker | None) -> _Worker:
        self._dismiss(old)
        worker = _Worker()
        with self._lock:
            self._workers.add(worker)
        return worker

    def _dismiss(self, worker: _Worker | None) -> None:
        if worker is not None:
            worker.end()
            with self._lock:
                self._workers.discard(worker)


class _Worker:
    """A process of netlab's own that judges what it is told to."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "netlab.grade.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        self._pipe = SlotPipe(pipe_ends(self._process, WORKER_OUTPUT), reply_limit=WORKER_REPLY)

    @property
    def sound(self) -> bool:
        """Whether it can take another submission."""
        return self._pipe.broken is None

    def judge(self, order: Order, submission: Submission) -> Graded:
        """The submission's rows; when the worker is lost on it, rows that say so."""
        limits = None if order.limits is None else astuple(order.limits)
        what = (str(order.lab.folder), os.fsencode(submission.path), submission.student, order.secret)
        try:
            return unpack(
                self._pipe.call("judge", (*what, order.seeds, limits, order.budget), order.budget + order.grace)
            )
        except SlotFailure as failure:
            said = _lost(failure, self._pipe.printed, order.budget + order.grace)
            return Graded(submission.student, legible(submission.path), same_row(order.lab.checks, "error", said))

    def end(self) -> None:
        """Let it go: at once when it is idle, by force when it isn't."""
        self._pipe.close()
        try:
            self._process.wait(timeout=1.0 if self.sound else 0.0)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process.wait()

    def kill(self) -> None:
        """End it now; its sandbox sees that it is gone and ends too."""
        self._process.kill()


def _lost(failure: SlotFailure, printed: str, patience: float) -> str:
    if failure.kind == "timeout":
        return f"the simulation of its answer did not come to an end within {patience:g} s"
    if failure.kind == "raised":
        return f"the judge itself broke ({failure.said.removeprefix(': ')}); the answer is not to blame"
    last = printed.strip().splitlines()[-1:] or [failure.said]
    return f"the process that judged it was lost ({last[0]})"


# ---- rows over the pipe ---------------------------------------------------------------------------


def pack(graded: Graded) -> tuple[Any, ...]:
    """A graded submission as plain data."""
    return astuple(graded)


def unpack(plain: Any) -> Graded:
    """The graded submission that `pack` made plain."""
    student, file, rows, isolation, printed = plain
    results = tuple(_unpack_row(*row) for row in rows)
    return Graded(student, file, results, isolation, printed)


def _unpack_row(check: str, status: Any, points: int, of: int, said: str, evidence: Any, hidden: bool) -> CheckResult:
    places = tuple(Evidence(*place) for place in evidence)
    return CheckResult(check, status, points, of, said, places, hidden)
