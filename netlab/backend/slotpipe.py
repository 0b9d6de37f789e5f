"""The pipe to a student's slot: plain data out, plain data or a `SlotFailure` back, whatever the other end does.

The other end runs a student's code, so nothing that it writes is believed: a frame has a bounded length, its bytes
are decoded by `netlab.backend.plain`, and what is no answer to the question asked is a failure of kind "invalid".
A failure that leaves the two ends out of step (timeout, died, broken frames) is final: every later call repeats it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from netlab.backend.base import SlotFailure
from netlab.backend.plain import NotPlain, decode, encode
from netlab.backend.slotends import Ends

REPLY_LIMIT = 4 << 20
"""Bytes: a longer answer is refused. 32 packets of 1500 bytes are about 50 kB."""

SAID_LIMIT = 2000

_TOLD = ("absent", "raised", "memory", "invalid")
"""The failures that the child itself reports; after them it goes on serving."""


class SlotPipe:
    """Calls of slots by name, one at a time: a second thread waits for its turn."""

    def __init__(self, ends: Ends, *, reply_limit: int = REPLY_LIMIT) -> None:
        self._ends = ends
        self._reply_limit = reply_limit
        self._serial = 0
        self._turn = threading.Lock()  # guards _serial, _ends and broken
        self.broken: SlotFailure | None = None
        """The failure after which nothing can be asked any more."""

    def hello(self, boot: bytes, timeout: float) -> tuple[str, ...]:
        """Send the child what it is to run, wait until it serves; the names of the layers that shut it in."""
        try:
            self._ends.send(len(boot).to_bytes(4, "big") + boot, time.monotonic() + timeout)
        except TimeoutError:
            self._break("timeout", "it did not start")
        except OSError:
            self._break("died", "it ended while it was started")
        return tuple(str(layer) for layer in self._ask("hello", (), timeout))

    def load(self, filename: str, source: bytes, timeout: float) -> None:
        """Run the student's file afresh: its globals are new, what an earlier call left in them is gone."""
        self._ask("load", (filename, source), timeout)

    def call(self, name: str, args: Sequence[Any], timeout: float) -> Any:
        """What the slot returns for ``args``, within ``timeout`` seconds; SlotFailure when it gives nothing usable."""
        return self._ask("call", (name, tuple(args)), timeout)

    def close(self) -> None:
        """Close this end; the child sees it and ends."""
        self._ends.close()

    @property
    def printed(self) -> str:
        """What the student's code printed so far, to stdout and stderr, as far as the output limit allows."""
        return self._ends.printed.decode(errors="replace")

    def _ask(self, verb: str, what: tuple[Any, ...], timeout: float) -> Any:
        with self._turn:
            return self._ask_alone(verb, what, timeout)

    def _ask_alone(self, verb: str, what: tuple[Any, ...], timeout: float) -> Any:
        if self.broken is not None:
            raise SlotFailure(self.broken.kind, self.broken.said)
        self._serial += 1
        request = encode((verb, self._serial, what))
        try:
            reply = self._exchange(request, time.monotonic() + timeout)
            return self._judge(reply)
        except TimeoutError:
            self._break("timeout", f"it gave no answer within {timeout:.3g} s")
        except (EOFError, OSError):
            self._break("died", "it ended in the middle of the call")
        except NotPlain as error:
            self._break("invalid", f"what came back over the pipe is no answer ({error})")

    def _break(self, kind: str, said: str) -> NoReturn:
        self.broken = SlotFailure(kind, said)
        raise SlotFailure(kind, said) from None

    def _exchange(self, request: bytes, deadline: float) -> Any:
        self._ends.send(len(request).to_bytes(4, "big") + request, deadline)
        size = int.from_bytes(self._ends.receive(4, deadline), "big")
        if size > self._reply_limit:
            raise NotPlain(f"an answer of {size} bytes is over the limit of {self._reply_limit}")
        return decode(self._ends.receive(size, deadline))

    def _judge(self, reply: Any) -> Any:
        match reply:
            case ("ok", serial, value) if serial == self._serial:
                return value
            case ("fail", serial, str(kind), str(said)) if serial == self._serial and kind in _TOLD:
                raise SlotFailure(kind, said[:SAID_LIMIT])
            case _:
                raise NotPlain("not in answer to what was asked")
