"""What ends another thread's wait in a selector."""

from __future__ import annotations

import socket
from contextlib import suppress


class Wakeup:
    """Readable from `set` to `clear`. Any thread may set it; the one that waits clears it, and only then looks for
    what there is to do: so nothing that was put there before `set` is missed."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._said = False
        """Whether a byte is on its way: one is enough for many calls, and two do no harm."""

    def fileno(self) -> int:
        """For a selector."""
        return self._near.fileno()

    def set(self) -> None:
        """Wake whoever waits; nothing when it is closed."""
        if self._said:
            return
        self._said = True
        with suppress(OSError):  # closed, or so full of bytes that it is readable anyway
            self._far.send(b"\0")

    def clear(self) -> None:
        """The waiting one is awake."""
        with suppress(OSError):  # nothing was said, or closed
            self._near.recv(4096)
        self._said = False

    def close(self) -> None:
        """Give the descriptors back."""
        self._near.close()
        self._far.close()
