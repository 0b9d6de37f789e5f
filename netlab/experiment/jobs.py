"""A study's cases on several cores: each case is a world of its own, so their rows are the same in any order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence

from netlab.experiment.study import Begun, Case, Row, Runner, Study, one_by_one


def cores() -> int:
    """How many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def on_cores(jobs: int) -> Runner:
    """Run ``jobs`` cases at a time, in processes of their own; the study must stand in the table of studies."""

    def run(study: Study, cases: Sequence[Case], seed: int, begun: Begun) -> Iterator[Row]:
        if min(jobs, len(cases)) < 2:
            yield from one_by_one(study, cases, seed, begun)
            return
        from concurrent.futures import ProcessPoolExecutor

        with ProcessPoolExecutor(min(jobs, len(cases)), initializer=_leave_when_told) as pool:
            waiting = [pool.submit(_measure, study.name, case, seed) for case in cases]
            try:
                for number, (case, row) in enumerate(zip(cases, waiting, strict=True), 1):
                    begun(case, number, len(cases))
                    yield row.result()
            finally:
                pool.shutdown(cancel_futures=True)

    return run


def _leave_when_told() -> None:
    """In the child: Ctrl-C, which all of a terminal's processes hear, ends it at once and not after its case."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _measure(study: str, case: Case, seed: int) -> Row:
    """In the child: the study by its name, since functions of a lab or a test may not cross to it."""
    from netlab.experiment.studies import load_study

    return load_study(study).run(case, seed)
