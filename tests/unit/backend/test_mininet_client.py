"""The owner's end of an arena that has ended."""

from __future__ import annotations

import os
import socket

import pytest

from netlab.backend.mininet.client import ArenaGone, Client


def test_what_would_be_watched_behind_the_end_is_closed() -> None:
    ours, theirs = socket.socketpair()
    client = Client(ours)
    client.close()
    theirs.close()
    read, write = os.pipe()
    client.watch(read, lambda: True)
    with pytest.raises(BrokenPipeError):  # nobody can read from it any more
        os.write(write, b"x")
    os.close(write)
    with pytest.raises(ArenaGone, match="has been closed"):
        client.request("state")
