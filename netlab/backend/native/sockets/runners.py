"""Who calls an engine: a thread of its own, or an asyncio loop."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from netlab.backend.native.badcable import BadCable
from netlab.backend.native.sockets.engine import Engine, Op
from netlab.backend.native.sockets.failures import gone

T = TypeVar("T")
HELD_BACK = 0.01
"""Seconds until a driver that holds frames back is asked again."""


def closing(engine: Engine) -> OSError:
    """What calls are told once the stack was closed."""
    return gone(f"the stack of {engine.host.name} was closed")


def holds_back(engine: Engine) -> bool:
    """Whether a driver gives frames later than its descriptor says so."""
    return any(isinstance(driver, BadCable) for driver in engine.drivers.values())


class ThreadRunner:
    """A thread that works until `stop`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._until: float | None = None
        """When the last bytes of connections that their programs have closed are given up; None: it works on."""
        self._thread = threading.Thread(target=self._work, name=f"stack of {engine.host.name}", daemon=True)
        self._thread.start()

    @property
    def inside(self) -> bool:
        """Whether the caller is what must never wait for the stack."""
        return threading.current_thread() is self._thread

    def _work(self) -> None:
        try:
            self._turn()
            self.engine.end(closing(self.engine))
        finally:
            cause = sys.exc_info()[1]
            if cause is not None:
                self.engine.failed(cause)

    def _turn(self) -> None:
        import selectors

        engine, patience = self.engine, HELD_BACK if holds_back(self.engine) else None
        with selectors.DefaultSelector() as selector:
            for fd in engine.rings:
                selector.register(fd, selectors.EVENT_READ, lambda fd=fd: engine.frames(fd))
            selector.register(engine.wakeup, selectors.EVENT_READ, engine.commands)
            while True:
                waits = [engine.timers(), patience, self._left()]
                if self._until is not None and (self._left() == 0 or not engine.unfinished()):
                    return
                for key, _ in selector.select(min((w for w in waits if w is not None), default=None)):
                    key.data()
                if patience is not None:
                    engine.poll_all()

    def _left(self) -> float | None:
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def stop(self, grace: float) -> None:
        """Reset what is open, bring what was written before its close to the peer, for ``grace`` seconds, and end."""
        if self.engine.closed is None:
            self.engine.post(Op(None, lambda: self._last(grace)))
        if not self.inside:
            self._thread.join()

    def _last(self, grace: float) -> None:
        if self._until is None:
            self._until = time.monotonic() + grace
            self.engine.hang_up(closing(self.engine))


class LoopRunner:
    """Works whenever the loop finds something to do."""

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        self.engine, self.loop = engine, loop
        self._timer: asyncio.TimerHandle | None = None
        self._thread = threading.get_ident()
        self._idle: asyncio.Future[None] | None = None
        """Waits for the last connections to be finished."""
        for fd in engine.rings:
            loop.add_reader(fd, self.do, lambda fd=fd: engine.frames(fd))
        loop.add_reader(engine.wakeup.fileno(), self.do, engine.commands)
        self._arm()

    @property
    def inside(self) -> bool:
        """Whether the caller is what must never wait for the stack."""
        return threading.get_ident() == self._thread

    def do(self, act: Callable[[], T]) -> T:
        """Call into the engine, and have its timers run when they are due. OSError goes to the caller."""
        try:
            found = act()
        except OSError:
            self._after()
            raise
        except BaseException as cause:
            self._leave()
            self.engine.failed(cause)
            raise
        self._after()
        return found

    def _after(self) -> None:
        if self.engine.closed is not None:
            return
        self.engine.settle()
        self._arm()
        if self._idle is not None and not self._idle.done() and not self.engine.unfinished():
            self._idle.set_result(None)

    def _arm(self) -> None:
        deadline = self.engine.host.timers.next()
        late = HELD_BACK if holds_back(self.engine) else None
        wait = None if deadline is None else max(0, deadline - self.engine.now()) / 1e9
        wait = late if wait is None or (late is not None and late < wait) else wait
        if wait is None:
            return
        at = self.loop.time() + wait
        if self._timer is None or self._timer.when() > at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_at(at, self._due)

    def _due(self) -> None:
        self._timer = None
        self.do(self._run_timers)

    def _run_timers(self) -> None:
        if self.engine.closed is None:
            self.engine.timers()
            if holds_back(self.engine):
                self.engine.poll_all()

    async def stop(self, grace: float) -> None:
        """As `ThreadRunner.stop`."""
        if self.engine.closed is None:
            self._idle = self.loop.create_future()
            self.do(lambda: self.engine.hang_up(closing(self.engine)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle, grace)
        self._leave()
        if self.engine.closed is None:
            self.engine.end(closing(self.engine))

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for fd in (*self.engine.rings, self.engine.wakeup.fileno()):
            if fd >= 0:
                self.loop.remove_reader(fd)
