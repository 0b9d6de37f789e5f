"""The session's end of a node that runs our stack: rows come in, workloads and slot answers go out."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from netlab.backend.base import SlotCall, SlotFailure
from netlab.backend.native.messages import Messages, outcome_from_data, plain, workload_to_data
from netlab.errors import NetlabError
from netlab.topology.codec import plan_to_data
from netlab.topology.spec import Plan
from netlab.trace.record import Row
from netlab.workload.spec import Outcome, Workload

Rows = Callable[[list[Row]], None]
START_LIMIT = 20.0
"""Seconds that a node's process may take to be ready."""


class NativeNode:
    """A node's process, spoken to over ``control``. ``rows`` is called with batches, in the node's order of time."""

    def __init__(
        self,
        name: str,
        plan: Plan,
        devices: Mapping[str, str],
        control: socket.socket,
        *,
        base: int,
        rows: Rows,
        slots: Mapping[str, SlotCall] | None = None,
        traced: bool = True,
    ) -> None:
        self.name = name
        self.failures: list[SlotFailure] = []
        self._control, self._messages = control, Messages(control)
        self._rows, self._slots = rows, dict(slots or {})
        self._numbers = itertools.count(1)
        self._waiting: dict[Any, Future[Any]] = {"ready": Future()}
        self._messages.send("start", plan_to_data(plan), name, dict(devices), base, list(self._slots), traced)
        self._reader = threading.Thread(target=self._read, name=f"node {name}", daemon=True)
        self._reader.start()
        self._wait("ready", START_LIMIT)

    def run(self, workloads: Sequence[Workload], limit: float) -> tuple[Outcome, ...]:
        """Run workloads on the node to their end; NetlabError when it does not answer within ``limit`` seconds."""
        number = next(self._numbers)
        self._ask(number, "run", number, [workload_to_data(w) for w in workloads])
        found = self._wait(number, limit)
        return tuple(outcome_from_data(w, data) for w, data in zip(workloads, found, strict=True))

    def serve_udp_echo(self, port: int) -> None:
        """Have a UDP echo server on the node; a second call does nothing."""
        key = ("served", port)
        self._ask(key, "serve", port)
        self._wait(key, START_LIMIT)

    def open_sink(self, port: int, congestion: str) -> None:
        """Have a sink for TCP on the node, with a congestion control of our stack ("" for its own)."""
        self._ask(("sink", port), "sink", port, congestion)
        self._wait(("sink", port), START_LIMIT)

    def close_sink(self, port: int) -> None:
        """Take no more connections at that port; nothing when the node is gone."""
        with contextlib.suppress(OSError):
            self._messages.send("unsink", port)

    def flush(self) -> None:
        """Have every record so far delivered before this returns."""
        self._ask("flushed", "flush")
        self._wait("flushed", START_LIMIT)

    def close(self) -> None:
        """Hang up; the process ends."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._reader.join(timeout=2)
        self._control.close()

    def _ask(self, key: Any, *message: Any) -> None:
        self._waiting[key] = Future()
        try:
            self._messages.send(*message)
        except OSError:  # its process is gone, or the session was closed in another thread
            self._waiting.pop(key, None)
            raise self._gone() from None

    def _wait(self, key: Any, limit: float) -> Any:
        try:
            return self._waiting[key].result(timeout=limit)
        except TimeoutError:
            raise NetlabError(f"the stack on node '{self.name}' did not answer within {limit:.0f} s") from None
        finally:
            self._waiting.pop(key, None)

    def _read(self) -> None:
        """The reader's thread: until the process ends."""
        try:
            while (message := self._messages.receive()) is not None:
                self._handle(message)
        except OSError:
            pass
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(self._gone())

    def _gone(self) -> NetlabError:
        return NetlabError(f"the stack on node '{self.name}' has ended")

    def _handle(self, message: tuple[Any, ...]) -> None:
        match message:
            case ("rows", rows, failures):
                self.failures += [SlotFailure(*f) for f in failures]
                self._rows(rows)
            case ("slot", question, slot, args):
                self._reply(question, *self._answer(slot, args))
            case ("outcomes", number, found):
                self._settle(number, found)
            case ("served" | "sink", port):
                self._settle((message[0], port), None)
            case (key,):
                self._settle(key, None)

    def _answer(self, slot: str, args: tuple[Any, ...]) -> tuple[bool, Any]:
        try:
            return True, plain(self._slots[slot](*args))
        except SlotFailure as failure:
            return False, (failure.kind, failure.said)
        except Exception as error:  # noqa: BLE001 - a thread's edge: the function is not ours, and the node goes on
            return False, ("raised", f"{type(error).__name__}: {error}")

    def _reply(self, question: int, good: bool, value: Any) -> None:
        try:
            self._messages.send("slot", question, good, value)
        except ValueError:  # what marshal refuses
            said = f"it returned a {type(value).__name__} with something in it that is no plain data"
            self._messages.send("slot", question, False, ("invalid", said))

    def _settle(self, key: Any, value: Any) -> None:
        future = self._waiting.get(key)
        if future is not None and not future.done():
            future.set_result(value)
