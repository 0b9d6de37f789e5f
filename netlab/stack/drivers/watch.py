"""Wrappers that write down what passes: a capture file, or lines of text."""

from __future__ import annotations

from collections.abc import Callable

from netlab.stack.drivers.api import Driver
from netlab.stack.drivers.wrapper import Wrapper
from netlab.wire.decode import describe
from netlab.wire.pcapng import INBOUND, OUTBOUND, Writer

Clock = Callable[[], int]
"""Gives ns; whoever makes the wrapper knows which."""


class Capture(Wrapper):
    """Every frame that the driver took or gave goes into a pcapng file."""

    def __init__(self, inner: Driver, writer: Writer, clock: Clock) -> None:
        super().__init__(inner)
        self._writer, self._clock = writer, clock
        self._number = writer.interface(inner.name)

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """Written when the driver takes it."""
        taken = self.inner.transmit(frame, queue)
        if taken:
            self._writer.packet(self._number, self._clock(), frame, direction=OUTBOUND)
        return taken

    def receive(self, queue: int = 0) -> bytes | None:
        """Written as it comes."""
        frame = self.inner.receive(queue)
        if frame is not None:
            self._writer.packet(self._number, self._clock(), frame, direction=INBOUND)
        return frame


class Tracer(Wrapper):
    """A line of text for every frame: ``write`` gets "12.5 ms eth0 > UDP 10.0.0.1:7 → …"."""

    def __init__(self, inner: Driver, write: Callable[[str], None], clock: Clock) -> None:
        super().__init__(inner)
        self._write, self._clock = write, clock

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """A line with ">", or with "full" when the driver had no room."""
        taken = self.inner.transmit(frame, queue)
        self._say(">" if taken else "full", frame)
        return taken

    def receive(self, queue: int = 0) -> bytes | None:
        """A line with "<"."""
        frame = self.inner.receive(queue)
        if frame is not None:
            self._say("<", frame)
        return frame

    def _say(self, way: str, frame: bytes) -> None:
        self._write(f"{self._clock() / 1e6:.3f} ms {self.name} {way} {describe(frame)}")
