"""The path picture in a notebook: still, or live while a run's log grows.

>>> PathWidget(result)                              # still: slider, step, play, zoom        # doctest: +SKIP
>>> view = PathWidget.live(session.log); view                                                # doctest: +SKIP
>>> outcomes = await view.during(lambda: session.run([Ping("h1", "h2", count=100)]))         # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

# Only notebooks import this module, so the heavy imports may stand here.
import anywidget
import traitlets

from netlab.notebook.live import Pacer, Reader
from netlab.topology.codec import plan_from_data
from netlab.trace.log import Log
from netlab.view.path import network, packet_path
from netlab.view.picture import Picture
from netlab.view.render.html import module, payload, styles
from netlab.view.render.svg import snapshot
from netlab.view.render.terminal import render

TICK = 0.03
"""Seconds between looks at the log."""
T = TypeVar("T")


class HasLog(Protocol):
    """A Result or a Session."""

    @property
    def log(self) -> Log: ...


class PathWidget(anywidget.AnyWidget):
    """A packet's path over the network. Saved notebooks keep an SVG and a text of it for where no widget runs."""

    _esm = module()
    _css = styles()
    data = traitlets.Dict().tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    picked = traitlets.Int(-1).tag(sync=True)
    """The index of the record that the picture shows: the step that a reader has gone to; -1 for none."""

    _by_cell: dict[str, PathWidget] = {}
    """The live widget of each notebook cell, so that running the cell again ends the one before."""

    def __init__(self, source: Log | HasLog, pkt: int | None = None) -> None:
        self.source = source if isinstance(source, Log) else source.log
        self.pkt = pkt
        self.pacer = Pacer()
        self._cell = ""
        self._task: asyncio.Task[None] | None = None
        self._show(packet_path(self.source, pkt))
        super().__init__(data=payload(self.picture))
        self.on_msg(self._heard)

    @classmethod
    def live(cls, source: Log | HasLog, pkt: int | None = None) -> PathWidget:
        """A widget that shows packets while they fly, until `finish` is called (`during` calls it)."""
        widget = cls(source, pkt)
        widget._start()
        return widget

    async def during(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a thread and show what it records meanwhile; its result, when the still picture stands."""
        try:
            return await asyncio.to_thread(work)
        finally:
            self.finish()

    def finish(self) -> None:
        """End the live view: the still picture of all that was recorded takes its place. A second call does nothing."""
        self._stop()
        if self.running:
            self.running = False
            self._show(packet_path(self.source, self.pkt))
            # Once by itself: a simulated run is over before anyone could have watched it.
            self.data = {**payload(self.picture), "autoplay": True}

    def close(self) -> None:
        """Take the widget off the page."""
        self._stop()
        super().close()

    # ---- live --------------------------------------------------------------------------------------

    def _start(self) -> None:
        plan = plan_from_data(self.source.header.plan)
        bare = network(plan)
        lanes = {name: i for i, name in enumerate(bare.layers["lanes"]["tx"])}
        self.reader = Reader(self.source, lanes, bare.layers["nodes"]["name"])
        self._show(bare)
        self.running = True
        self.data = payload(bare)
        self._cell = _cell()
        before = self._by_cell.get(self._cell)
        if before is not None:
            before.finish()
        self._by_cell[self._cell] = self
        # Without a loop (a plain script) nothing moves, and `finish` still shows all.
        if (loop := _running_loop()) is not None:
            self._task = loop.create_task(self._follow())

    async def _follow(self) -> None:
        looked = _now()
        while True:
            # A record that is found now was made after the last look: this makes the latency an upper bound.
            stamp, looked = looked, _now()
            self.pacer.offer(self.reader.news(stamp))
            self._send_events(self.pacer.take(looked))
            await asyncio.sleep(TICK)

    def _send_events(self, ready: tuple[int, Any] | None) -> None:
        if ready is None:
            return
        sequence, update = ready
        head = {"type": "events", "seq": sequence, "stamp": update.stamp, "skipped": update.skipped}
        counts = {"seen": self.reader.seen, "dropped": self.reader.dropped}
        self.send({**head, **counts}, buffers=[memoryview(update.events.tobytes())])

    def _heard(self, _: object, message: dict[str, Any], buffers: object) -> None:
        if message.get("type") == "painted":
            self.pacer.painted(message["seq"], message["stamp"], message["at"])

    def _stop(self) -> None:
        if self._by_cell.get(self._cell) is self:  # else the cell has been run again, and it is the new one's
            del self._by_cell[self._cell]
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # ---- for where no widget runs ----------------------------------------------------------------------

    def _show(self, picture: Picture) -> None:
        self.picture = picture

    def __repr__(self) -> str:
        return render(self.picture, unicode=True)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**kwargs) or ({}, {})
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, "text/plain": repr(self), "image/svg+xml": snapshot(self.picture)}, metadata


def _now() -> float:
    """ms since the epoch: what a browser's performance.timeOrigin + performance.now() is compared with."""
    return time.time() * 1000


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _cell() -> str:
    """The notebook cell that is being run; "" outside a notebook."""
    from IPython import get_ipython

    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return str(parent.get("metadata", {}).get("cellId", ""))
