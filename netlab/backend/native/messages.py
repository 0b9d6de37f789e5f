"""Messages between a session and a node's process: plain values, framed by their length.

Both ends are netlab's own code of one release, so the standard library's marshal does: it keeps tuples, and carries a
batch of records in microseconds. Nothing that a student wrote speaks here.
"""

from __future__ import annotations

import marshal
import struct
import threading
from dataclasses import asdict
from typing import Any, Protocol

from netlab.stack.slot import SlotFailure
from netlab.workload.spec import Bulk, Flow, Frames, Outcome, Ping, Reply, UdpEcho, Workload

_LENGTH = struct.Struct("!I")
_WORKLOADS: dict[str, type[Workload]] = {"Ping": Ping, "UdpEcho": UdpEcho, "Frames": Frames, "Bulk": Bulk}


class Stream(Protocol):
    """The part of a socket that messages need."""

    def sendall(self, data: bytes, /) -> None: ...

    def recv(self, size: int, /) -> bytes: ...


class Messages:
    """Whole messages over a stream socket; senders may be in several threads."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._turn = threading.Lock()
        self._buffer = bytearray()

    def send(self, *message: Any) -> None:
        """Send one message, whole. OSError when the other end is gone."""
        data = marshal.dumps(message)
        with self._turn:
            self._stream.sendall(_LENGTH.pack(len(data)) + data)

    def receive(self) -> tuple[Any, ...] | None:
        """The next message, waiting for it; None when the other end has closed."""
        while True:
            message = self.pop()
            if message is not None:
                return message
            if not self.fill():
                return None

    def fill(self) -> bool:
        """Read what there is; False at the end of the stream."""
        data = self._stream.recv(1 << 18)
        self._buffer += data
        return bool(data)

    def pop(self) -> tuple[Any, ...] | None:
        """A message that has arrived whole, None when there is none yet."""
        if len(self._buffer) < 4:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if len(self._buffer) < 4 + length:
            return None
        message: tuple[Any, ...] = marshal.loads(bytes(self._buffer[4 : 4 + length]))
        del self._buffer[: 4 + length]
        return message


def workload_to_data(workload: Workload) -> tuple[str, dict[str, Any]]:
    """A workload as plain values."""
    return type(workload).__name__, asdict(workload)


def workload_from_data(data: tuple[str, dict[str, Any]]) -> Workload:
    """The workload again."""
    name, fields = data
    return _WORKLOADS[name](**fields)


def outcome_to_data(outcome: Outcome) -> tuple[Any, ...]:
    """An outcome as plain values, without its workload, which the asker has."""
    replies = tuple((r.seq, r.result, r.rtt, r.said) for r in outcome.replies)
    return replies, tuple((f.octets, f.ns, f.error) for f in outcome.flows)


def outcome_from_data(workload: Workload, data: tuple[Any, ...]) -> Outcome:
    """The outcome again."""
    replies, flows = data
    return Outcome(workload, tuple(Reply(*fields) for fields in replies), tuple(Flow(*fields) for fields in flows))


def failure_to_data(failure: SlotFailure) -> tuple[str, str]:
    """A slot's failure as plain values."""
    return failure.kind, failure.said


def plain(value: Any) -> Any:
    """The value with every named tuple a bare one: what marshal takes."""
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
