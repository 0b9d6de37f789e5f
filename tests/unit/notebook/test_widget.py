from __future__ import annotations

import asyncio
from pathlib import Path
from runpy import run_path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from netlab.notebook.widget import PathWidget
from netlab.topology.codec import plan_to_data
from netlab.trace.log import Header, Log

SAMPLE = SimpleNamespace(**run_path(str(Path(__file__).parents[1] / "view" / "sample_log.py")))


class Heard(PathWidget):
    """A widget whose messages to the browser are kept, and answered by whoever asks."""

    def send(self, content: Any, buffers: Any = None) -> None:
        self.sent: list[tuple[dict[str, Any], bytes]] = [*getattr(self, "sent", []), (content, bytes(buffers[0]))]


def empty_log() -> Log:
    return Log(Header("sim", 1, plan_to_data(SAMPLE.plan())))


def test_a_still_widget_carries_picture_drawings_and_module() -> None:
    widget = PathWidget(SAMPLE.sample_log(), 5)
    assert widget.data["picture"]["axes"]["focus"] == 5 and not widget.running
    assert "export default" in widget._esm and ".netlab" in widget._css


def test_whatever_has_a_log_will_do() -> None:
    assert PathWidget(SimpleNamespace(log=SAMPLE.sample_log())).data["picture"]["axes"]["focus"] == 1


def test_a_saved_notebook_keeps_an_svg_and_a_text() -> None:
    bundle, _ = PathWidget(SAMPLE.sample_log())._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "Its way:" in bundle["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_packets_are_sent_while_they_fly_and_the_still_picture_follows() -> None:
    log, whole = empty_log(), SAMPLE.sample_log()

    async def story() -> Heard:
        widget = Heard.live(log)
        assert widget.running and "steps" not in widget.data["picture"]["layers"], "the bare network"
        first = Event()

        def work() -> str:
            log.extend(whole.rows[:60])
            first.wait(5)
            log.extend(whole.rows[60:])
            return "done"

        running = asyncio.ensure_future(widget.during(work))
        while not hasattr(widget, "sent"):
            await asyncio.sleep(0)
        first.set()
        assert await running == "done"
        return widget

    widget = asyncio.run(asyncio.wait_for(story(), 10))
    message, events = widget.sent[0]
    assert message["type"] == "events" and message["seq"] == 1 and len(events) % 24 == 0 and events
    assert not widget.running and widget.data["autoplay"]
    assert len(widget.data["picture"]["layers"]["journeys"]["pkt"]) == 6


def test_a_browser_s_answer_is_a_latency() -> None:
    widget = PathWidget(SAMPLE.sample_log())
    widget._heard(widget, {"type": "painted", "seq": 1, "stamp": 100.0, "at": 130.0}, [])
    widget._heard(widget, {"type": "something else"}, [])
    assert list(widget.pacer.latencies) == [30.0]


def test_work_that_fails_still_ends_the_live_view() -> None:
    async def story() -> PathWidget:
        widget = PathWidget.live(empty_log())

        def work() -> None:
            raise RuntimeError("the cable was cut")

        with pytest.raises(RuntimeError, match="the cable was cut"):
            await widget.during(work)
        return widget

    widget = asyncio.run(story())
    assert not widget.running and widget._task is None


def test_running_a_cell_again_ends_the_live_view_before() -> None:
    async def story() -> tuple[PathWidget, PathWidget]:
        return PathWidget.live(empty_log()), PathWidget.live(empty_log())

    first, second = asyncio.run(story())
    assert not first.running and second.running
    assert list(PathWidget._by_cell.values()) == [second]
    second.finish()
    assert not PathWidget._by_cell, "what has ended is kept by nobody"


def test_without_an_event_loop_finish_shows_all() -> None:
    log = empty_log()
    widget = PathWidget.live(log)
    log.extend(SAMPLE.sample_log().rows)
    widget.finish()
    assert len(widget.data["picture"]["layers"]["journeys"]["pkt"]) == 6
    widget.finish()
    widget.close()
