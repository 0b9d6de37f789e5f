"""Hundreds of connections come and go, in both faces, with every kind of end: nothing of them stays."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import struct
import weakref
from pathlib import Path
from typing import Any

import pytest

from netlab.backend.native.sockets import LiveStack, pair
from netlab.backend.native.sockets.apps import aecho, echo, serve
from netlab.stack.tcp.knobs import Knobs, linux
from netlab.units import MS

CONNECTIONS = 200


def hasty() -> Knobs:
    """TIME-WAIT is over after 20 ms, so that a test can see it end."""
    knobs = linux()
    knobs.msl = 10 * MS
    return knobs


def descriptors() -> int:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("descriptors are counted in /proc: run it on Linux")
    return len(os.listdir("/proc/self/fd"))


def nothing_of(stack: LiveStack) -> bool:
    """Whether the stack holds no connection and no deadline of one."""
    layer = stack.engine.host.tcp.layer
    return not layer.endpoints and not stack.engine.lingering


def talk(stack: LiveStack, number: int) -> weakref.ref[Any]:
    """One connection, with one of four ends; something by which to see whether it is still in memory."""
    with stack.create_connection(("b", 7), timeout=60) as s:
        s.sendall(b"%d" % number)
        assert s.recv(10) == b"%d" % number
        if number % 4 == 1:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif number % 4 == 2:
            s.shutdown(socket.SHUT_WR)
            assert s.recv(1) == b""
        elif number % 4 == 3:
            s.sendall(bytes(50_000))  # which comes back, and nobody reads
            s.fileno()
        return weakref.ref(s._core)


def test_blocking_connections_leave_nothing() -> None:
    before = descriptors()
    a, b = pair(knobs=hasty())
    with a, b:
        with b.create_server(("", 7)) as server:
            serve(server, echo)
            seen = [talk(a, n) for n in range(CONNECTIONS)]
        while not (nothing_of(a) and nothing_of(b) and not b.engine.sockets):
            a.netstat(), b.netstat()  # gives the stacks' threads their turn
        assert not a.engine.sockets
        gc.collect()
        assert sum(ref() is not None for ref in seen) <= 1, "a thread may still hold the last"
    assert descriptors() == before


def test_asyncio_connections_leave_nothing() -> None:
    before = descriptors()

    async def one(a: LiveStack, number: int) -> None:
        reader, writer = await a.open_connection("b", 7)
        writer.write(b"%d" % number)
        assert await reader.read(10) == b"%d" % number
        if number % 2:
            writer.transport.abort()
        else:
            writer.close()
            await writer.wait_closed()

    async def story() -> None:
        a, b = pair(knobs=hasty())
        async with a, b:
            async with await b.start_server(aecho, "", 7):
                for start in range(0, CONNECTIONS, 20):
                    await asyncio.gather(*(one(a, n) for n in range(start, start + 20)))
            while not (nothing_of(a) and nothing_of(b)) or a.engine.sockets or b.engine.sockets:
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(story(), 100))
    assert descriptors() == before
