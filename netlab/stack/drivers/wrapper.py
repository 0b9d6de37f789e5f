"""A driver that holds another: what a wrapper does not change is the inner one's."""

from __future__ import annotations

from netlab.stack.drivers.api import Driver


class Wrapper:
    """Passes everything on."""

    def __init__(self, inner: Driver) -> None:
        self.inner = inner
        self.name, self.mtu, self.queues = inner.name, inner.mtu, inner.queues
        self.capabilities = inner.capabilities

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """The inner driver's."""
        return self.inner.transmit(frame, queue)

    def receive(self, queue: int = 0) -> bytes | None:
        """The inner driver's."""
        return self.inner.receive(queue)

    def up(self) -> None:
        """The inner driver's."""
        self.inner.up()

    def down(self) -> None:
        """The inner driver's."""
        self.inner.down()

    def close(self) -> None:
        """The inner driver's."""
        self.inner.close()
