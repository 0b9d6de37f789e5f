"""A descriptor that stands for a socket of ours in select, poll, selectors and asyncio's `sock_…` methods."""

from __future__ import annotations

import socket
from contextlib import suppress

FILLING = bytes(1024)


class Readiness:
    """One end of a socket pair whose readiness is what `show` says. Nothing is to be read or written by it.

    It is readable while a byte lies in it, and not writable while its buffer, as small as the kernel lets, is full.
    """

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        for end in (self._near, self._far):
            end.setblocking(False)
        self._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        self._readable, self._writable = False, True

    def fileno(self) -> int:
        """For a selector."""
        return self._near.fileno()

    def show(self, readable: bool, writable: bool) -> None:
        """Be ready for this from now on; nothing once it is closed."""
        with suppress(OSError):
            self._show(readable, writable)

    def _show(self, readable: bool, writable: bool) -> None:
        if readable != self._readable:
            self._readable = readable
            if readable:
                self._far.send(b"\0")
            else:
                self._near.recv(1)
        if writable != self._writable:
            self._writable = writable
            with suppress(BlockingIOError):
                while True:
                    if writable:
                        self._far.recv(1 << 16)
                    else:
                        self._near.send(FILLING)

    def close(self) -> None:
        """Give the descriptors back."""
        self._near.close()
        self._far.close()
