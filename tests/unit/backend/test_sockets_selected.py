"""Programs that wait by descriptors: select, the standard library's servers, asyncio's methods for raw sockets."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import os
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from netlab.backend.native.sockets import LiveStack, Socket, pair
from netlab.backend.native.sockets.apps import fetch

PATIENCE = 60


@pytest.fixture
def stacks() -> Iterator[tuple[LiveStack, LiveStack]]:
    a, b = pair()
    with a, b:
        yield a, b


@pytest.fixture
def ends(stacks: tuple[LiveStack, LiveStack]) -> Iterator[tuple[Socket, Socket]]:
    a, b = stacks
    with b.create_server(("", 7)) as server, a.create_connection(("b", 7), timeout=PATIENCE) as client:
        child, _ = server.accept()
        with child:
            yield client, child


def ready(reads: list[Socket], writes: list[Socket], wait: float = PATIENCE) -> tuple[list[Any], list[Any]]:
    found = select.select(reads, writes, [], wait)
    return found[0], found[1]


def test_a_socket_is_readable_from_the_first_byte_to_the_last(ends: tuple[Socket, Socket]) -> None:
    client, child = ends
    assert ready([child], [], 0) == ([], [])
    client.sendall(b"two")
    assert ready([child], []) == ([child], [])
    child.recv(1)
    assert ready([child], [], 0) == ([child], [])
    child.recv(10)
    assert ready([child], [], 0) == ([], [])
    client.close()
    assert ready([child], []) == ([child], []), "its end can be read"


def test_a_socket_is_writable_while_there_is_room(ends: tuple[Socket, Socket]) -> None:
    client, child = ends
    client.setblocking(False)
    sent = 0
    while client.info()["snd_wnd"] >= 1460 or ready([], [client], 0)[1]:  # until both buffers are full
        with contextlib.suppress(BlockingIOError):
            sent += client.send(bytes(1 << 20))
    with pytest.raises(BlockingIOError):
        client.send(b"x")
    while sent:
        sent -= len(child.recv(1 << 20))
    assert ready([], [client])[1] == [client]


def test_a_listener_is_readable_when_somebody_has_come(stacks: tuple[LiveStack, LiveStack]) -> None:
    a, b = stacks
    with b.create_server(("", 7)) as server:
        assert ready([server], [], 0) == ([], [])
        with a.create_connection(("b", 7), timeout=PATIENCE):
            assert ready([server], []) == ([server], [])
            server.accept()[0].close()
            assert ready([server], [], 0) == ([], [])


def test_the_stacks_end_wakes_a_selector(ends: tuple[Socket, Socket]) -> None:
    client, child = ends
    fd = child.fileno()
    closing = threading.Thread(target=child._stack.close)
    closing.start()
    assert select.select([fd], [], [], PATIENCE)[0] == [fd]
    closing.join()
    child.close()
    client.close()
    with pytest.raises(OSError):
        os.fstat(fd)


def test_the_standard_librarys_http_server_runs_on_our_stack(stacks: tuple[LiveStack, LiveStack]) -> None:
    a, b = stacks

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(socketserver.ThreadingTCPServer):
        def __init__(self) -> None:
            socketserver.BaseServer.__init__(self, ("", 80), Hello)
            self.socket = b.create_server(("", 80))  # type: ignore[assignment]

    with Server() as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        assert [fetch(a, "b", timeout=PATIENCE).body for _ in range(3)] == [b"hello"] * 3
        server.shutdown()
        serving.join()


def test_asyncios_methods_for_raw_sockets(stacks: tuple[LiveStack, LiveStack]) -> None:
    """The stacks run in threads of their own; a loop of the standard library waits for their sockets."""
    a, b = stacks

    async def story() -> None:
        loop = asyncio.get_running_loop()
        with b.create_server(("", 7)) as server, a.socket() as client:
            for s in (server, client):
                s.setblocking(False)
            accepting = asyncio.create_task(loop.sock_accept(server))  # type: ignore[arg-type]
            await loop.sock_connect(client, ("10.0.0.2", 7))  # type: ignore[arg-type]
            child, _ = await accepting
            with child:
                child.setblocking(False)
                sending = asyncio.create_task(loop.sock_sendall(client, bytes(10_000_000)))  # type: ignore[arg-type]
                came = 0
                while came < 10_000_000:
                    came += len(await loop.sock_recv(child, 1 << 20))
                await sending

    asyncio.run(asyncio.wait_for(story(), PATIENCE))


def test_a_datagram_socket_is_readable_too(stacks: tuple[LiveStack, LiveStack]) -> None:
    a, b = stacks
    with a.socket(type=socket.SOCK_DGRAM) as s, b.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("", 53))
        assert ready([other], [s], 0) == ([], [s])
        s.sendto(b"x", ("b", 53))
        assert ready([other], []) == ([other], [])
        other.recv(10)
        assert ready([other], [], 0) == ([], [])
