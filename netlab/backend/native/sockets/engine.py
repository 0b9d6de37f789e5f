"""A host at work: what comes by its interfaces, what its deadlines ask for, and what programs want of its sockets.

Nothing here waits, and one thread alone calls it: the stack's own, or that of an asyncio loop (see `runners`). Other
threads hand in an `Op`, and wait for its lock.
"""

from __future__ import annotations

import _thread
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from netlab.backend.native.executor import LiveExecutor
from netlab.backend.native.sockets.failures import gone
from netlab.backend.native.sockets.readiness import Readiness
from netlab.backend.native.sockets.wakeup import Wakeup
from netlab.stack.drivers.api import Driver
from netlab.stack.host import Host
from netlab.stack.stage import Hop


class Op:
    """Something that a program wants done: ``attempt`` answers, fails with OSError, or raises BlockingIOError.

    What would block is tried again whenever something happens to its socket, unless ``patient`` is False.
    """

    __slots__ = ("attempt", "done", "error", "lock", "patient", "result", "socket")

    def __init__(self, socket: Core | None, attempt: Callable[[], Any], *, patient: bool = True) -> None:
        self.socket, self.attempt, self.patient = socket, attempt, patient
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.lock = _thread.allocate_lock()
        self.lock.acquire()

    def run(self) -> None:
        """Try it."""
        if self.done:
            return
        try:
            self.result = self.attempt()
            self._show()
        except BlockingIOError as error:
            if self.patient and self.socket is not None:
                self.socket.parked.append(self)
                return
            self.error = error
        except (OSError, ValueError, TypeError) as error:  # what a call may answer with; all else is a fault of ours
            self.error = error
        self._finish()

    def _show(self) -> None:
        """Whoever looks at the socket's readiness sees what this has changed, before the caller goes on."""
        if self.socket is not None:
            self.socket.show()

    def fail(self, error: BaseException) -> None:
        """It will not be tried any more."""
        if not self.done:
            self.error = error
            self._finish()

    def _finish(self) -> None:
        self.done = True
        self.lock.release()

    def outcome(self) -> Any:
        """The result; raises what it failed with."""
        if self.error is not None:
            raise self.error
        return self.result


class Core:
    """What an open socket is to the engine. Subclasses hold the protocol."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.parked: list[Op] = []
        """What programs wait for."""
        self.watch: Callable[[], None] | None = None
        """Called after something happened, for a program that does not wait."""
        self.readiness: Readiness | None = None
        """What a selector waits for, if one was asked to."""
        self.ended: OSError | None = None
        """Why it is of no use any more, while its program has not closed it."""
        self._stirred = False

    def stir(self) -> None:
        """Something happened: have `wake` called when the stack has done its present work."""
        if not self._stirred:
            self._stirred = True
            self.engine.stirred.append(self)

    def wake(self) -> None:
        """Try again what waits."""
        self._stirred = False
        parked, self.parked = self.parked, []
        self.engine.run(parked)
        self.show()
        if self.watch is not None:
            self.watch()

    @property
    def readable(self) -> bool:
        """Whether a call that reads, or accepts, would answer at once."""
        return False

    @property
    def writable(self) -> bool:
        """Whether a call that writes would take something, or fail, at once."""
        return True

    def show(self) -> None:
        """Have the descriptor, if there is one, say what could be done now."""
        readiness, over = self.readiness, self.ended is not None
        if readiness is not None:
            readiness.show(over or self.readable, over or self.writable)

    def descriptor(self) -> int:
        """For a selector."""
        if self.readiness is None:
            self.readiness = Readiness()
        self.show()
        return self.readiness.fileno()

    def leave(self) -> None:
        """Its program has closed it."""
        self.engine.sockets.discard(self)
        readiness, self.readiness = self.readiness, None
        if readiness is not None:
            readiness.close()

    def end(self, error: OSError) -> None:
        """The stack goes: whoever waits is told."""
        self.ended = error
        parked, self.parked = self.parked, []
        for op in parked:
            op.fail(error)
        self.show()
        if self.watch is not None:
            self.watch()

    def abort(self) -> None:
        """Let go of whatever the stack holds for it, at once."""


class Engine:
    """``host`` on ``drivers`` (its interface's name -> driver, with `filenos`)."""

    def __init__(self, host: Host, drivers: dict[str, Driver]) -> None:
        self.host, self.drivers = host, drivers
        self.executor = LiveExecutor(host, drivers, base=time.monotonic_ns(), ids=count(1), emit=None)
        self.rings = {
            fd: (name, queue)
            for name, driver in drivers.items()
            for queue, fd in enumerate(getattr(driver, "filenos", list)())
        }
        """Descriptor -> interface and queue."""
        self.wakeup = Wakeup()
        self.sockets: set[Core] = set()
        """All that programs have open."""
        self.lingering: set[Core] = set()
        """Closed ones whose program waits for the peer: no event says that all has arrived."""
        self.stirred: deque[Core] = deque()
        self.closed: OSError | None = None
        """Why nothing is done any more."""
        self._settling = False
        self._ops: deque[Op] = deque()
        self._trying: list[Op] = []

    def now(self) -> int:
        """ns since it was made."""
        return self.executor.now()

    # ---- from any thread

    def post(self, op: Op) -> None:
        """Have it run; it fails when the engine has ended."""
        self._ops.append(op)
        self.wakeup.set()
        if self.closed is not None:
            self._refuse()

    # ---- from the thread that works

    def send(self, hops: list[Hop]) -> None:
        """What a socket sends, on its way."""
        if hops:
            self.executor.inject(hops)

    def frames(self, fd: int) -> None:
        """A descriptor is readable: frames have come."""
        self.executor.poll(*self.rings[fd])
        for socket in self.lingering:
            socket.stir()
        self.settle()

    def poll_all(self) -> None:
        """The same for all of them: for drivers that hold frames back."""
        for name, queue in self.rings.values():
            self.executor.poll(name, queue)
        self.settle()

    def commands(self) -> None:
        """The wake-up is readable: programs want something."""
        self.wakeup.clear()
        while self._ops:
            self.run([self._ops.popleft()])
        self.settle()

    def run(self, ops: list[Op]) -> None:
        """Try them in turn."""
        self._trying = ops
        for op in ops:
            op.run()
        self._trying = []

    def timers(self) -> float | None:
        """Do what is due; the seconds until the next deadline, None when there is none."""
        self.executor.run_timers()
        self.settle()
        deadline = self.host.timers.next()
        return None if deadline is None else max(0, deadline - self.now()) / 1e9

    def settle(self) -> None:
        """Let programs go on with what has come; what they cause comes in turn, not inside of it."""
        if self._settling:
            return
        self._settling = True
        try:
            while self.stirred:
                self.stirred.popleft().wake()
        finally:
            self._settling = False

    # ---- the end

    def unfinished(self) -> bool:
        """Whether a connection whose program has gone has still something to bring to its peer."""
        above = self.host.tcp.layer.multipath
        if above is not None and above.unfinished():
            return True
        held = (e.connection for e in self.host.tcp.layer.endpoints.values())
        return any(c.orphan and (c.queue or (c.fin_queued and c.snd_una < c.snd_max)) for c in held)

    def hang_up(self, error: OSError) -> None:
        """Reset what is open, and tell whoever waits."""
        for socket in list(self.sockets):
            socket.end(error)
            socket.abort()
        self.settle()

    def end(self, error: OSError) -> None:
        """Nothing is done from now on; devices and descriptors are given back."""
        self.closed = error
        for op in self._trying:
            op.fail(error)
        for socket in list(self.sockets):
            socket.end(error)
        self.sockets.clear()
        self._refuse()
        for driver in self.drivers.values():
            driver.close()
        self.wakeup.close()

    def failed(self, cause: BaseException) -> None:
        """A fault of the stack itself ends it; whoever waits, or comes later, hears of it."""
        self.end(gone(f"the stack of {self.host.name} ended by a fault of its own: {type(cause).__name__}: {cause}"))

    def _refuse(self) -> None:
        assert self.closed is not None
        while self._ops:
            try:
                op = self._ops.popleft()
            except IndexError:  # another thread was quicker
                return
            op.fail(self.closed)
