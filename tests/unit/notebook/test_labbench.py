"""The bench of a lab: a cell that is run again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from netlab.backend.sim import SimSession
from netlab.errors import NetlabError
from netlab.lab.catalogue import load_lab
from netlab.notebook.labbench import LabBench
from netlab.topology.resolve import resolve
from netlab.workload.spec import Outcome, Workload


class Held(SimSession):
    """A session whose run waits until it is let go, and fails when it was closed meanwhile, as a real network does."""

    def __init__(self, experiment: Any) -> None:
        super().__init__(resolve(experiment.topology))
        self.go, self.closed = threading.Event(), False

    def run(self, workloads: Sequence[Workload]) -> tuple[Outcome, ...]:
        self.go.wait()
        if self.closed:
            raise NetlabError("the network has been closed")
        return super().run(workloads)

    def close(self) -> None:
        self.closed = True
        self.go.set()


def test_a_run_that_was_replaced_leaves_the_new_one_alone(tmp_path: Path) -> None:
    async def rerun() -> None:
        bench = LabBench(load_lab("01"), folder=tmp_path)
        experiment = bench.lab.experiments["crossing"].build(bench.variant, 1)  # type: ignore[attr-defined]
        first, second = Held(experiment), Held(experiment)

        def fly(session: Held) -> asyncio.Task[Any]:
            return asyncio.create_task(bench._fly(session, experiment, "cell", ipywidgets.VBox(), "sim", 1))

        one = fly(first)
        await asyncio.sleep(0)
        bench._hang_up("cell")  # what running the cell again does
        two = fly(second)
        with pytest.raises(NetlabError, match="has been closed"):
            await one
        assert not second.closed
        second.go.set()
        assert (await two).metrics["requests"] == 4
        assert second.closed and not bench._sessions

    asyncio.run(rerun())
