"""The process behind `netlab.grade.crew`: judges submissions, one request at a time, until its pipe closes."""

from __future__ import annotations

import os
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from netlab.grade.child import Server, own_pipes
from netlab.grade.crew import Order, Submission, pack
from netlab.grade.sandbox import Limits
from netlab.lab.catalogue import load_folder

_load = cache(load_folder)


def judge_one(
    folder: str,
    path: bytes,
    student: str,
    secret: bytes,
    seeds: tuple[int, ...] | None,
    limits: tuple[Any, ...] | None,
    budget: float,
) -> tuple[Any, ...]:
    """One submission, judged in this process."""
    order = Order(_load(Path(folder)), secret, seeds, None if limits is None else Limits(*limits), budget)
    return pack(order.judge(Submission(student, Path(os.fsdecode(path)))))


def _follow(parent: int) -> None:
    """End with the process that started this one, in the middle of a simulation too."""
    while os.getppid() == parent:
        time.sleep(0.3)
    os._exit(1)


def main() -> None:
    """Serve on stdin and stdout."""
    if os.name == "posix":
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    server = Server(*own_pipes(), ())
    server.offer({"judge": judge_one})
    server.serve()


if __name__ == "__main__":
    main()
