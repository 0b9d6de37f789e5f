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
from netlab.lab.check import Evidence
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


def press(widget: ipywidgets.Widget) -> None:
    button: ipywidgets.Button = next(child for child in widget.children if isinstance(child, ipywidgets.Button))
    button.click()


def said(widget: ipywidgets.Widget) -> str:
    return "".join(child.value for child in widget.children if isinstance(child, ipywidgets.HTML))


def test_a_replay_that_fails_says_why_in_its_box(tmp_path: Path) -> None:
    async def story() -> str:
        bench = LabBench(load_lab("01"), folder=tmp_path)
        bench.answer.path.write_text("def forward(packets, routes, addresses)\n")
        box = bench._shown("forwards", Evidence("trial", 1, (0,)))
        press(box)
        await bench.finished()
        return said(box)

    assert "exercise.py:1: SyntaxError" in asyncio.run(story())


def test_a_replay_without_that_packet_says_so(tmp_path: Path) -> None:
    async def story() -> str:
        bench = LabBench(load_lab("01"), folder=tmp_path)
        bench.answer.path.write_text("def forward(packets, routes, addresses): return [None] * len(packets)\n")
        box = bench._shown("forwards", Evidence("trial", 1, (10**9,)))
        press(box)
        await bench.finished()
        return said(box)

    assert "that packet is not there any more" in asyncio.run(story())


def test_a_check_that_cannot_begin_says_why_and_may_be_pressed_again(tmp_path: Path) -> None:
    async def story() -> tuple[str, bool]:
        widget = LabBench(load_lab("01"), folder=tmp_path)
        check = widget.check()
        press(check)
        await widget.finished()
        *asked, button, box = check.children
        assert "forward(packets, routes, addresses)" in asked[0].value
        return said(box), button.disabled

    told, disabled = asyncio.run(story())
    assert "there is no answer yet" in told and "checking" not in told and not disabled
