"""An echo server, an HTTP/1.1 server and its client, above blocking sockets and above asyncio's streams.

(The same above events, for virtual time, are in `netlab.workload`.) Servers end when their socket is closed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from netlab.backend.native.sockets.failures import failure
from netlab.workload.http import PORT, Answer, Pages, get

if TYPE_CHECKING:
    from netlab.backend.native.sockets.blocking import Socket
    from netlab.backend.native.sockets.livestack import LiveStack

READ = 1 << 18
ECHO = 7

# ---- blocking


def serve(server: Socket, visit: Callable[[Socket], None]) -> threading.Thread:
    """Call ``visit`` with each connection of a listening socket, in a thread of its own, until the socket is closed."""
    thread = threading.Thread(target=_accept, args=(server, visit), daemon=True)
    thread.start()
    return thread


def _accept(server: Socket, visit: Callable[[Socket], None]) -> None:
    with suppress(OSError):  # the server was closed, or the stack
        while True:
            threading.Thread(target=_visited, args=(visit, server.accept()[0]), daemon=True).start()


def _visited(visit: Callable[[Socket], None], connection: Socket) -> None:
    with suppress(OSError), connection:  # a peer that goes away ends its own visit alone
        visit(connection)


def echo(connection: Socket) -> None:
    """Send back what comes, to its end."""
    while data := connection.recv(READ):
        connection.sendall(data)


def answering(pages: Pages) -> Callable[[Socket], None]:
    """A visit that answers requests for ``pages``."""

    def visit(connection: Socket) -> None:
        asked, stays = bytearray(), True
        while stays:
            while (found := pages.next(asked)) is None:
                data = connection.recv(READ)
                if not data:
                    return
                asked += data
            answer, stays = found
            connection.sendall(answer)

    return visit


def fetch(stack: LiveStack, host: str, path: str = "/", *, port: int = PORT, timeout: float | None = None) -> Answer:
    """The answer to a request for one path; ConnectionResetError where it is cut short."""
    answer = Answer()
    with stack.create_connection((host, port), timeout) as connection:
        connection.sendall(get(path, host))
        while not answer.whole and (data := connection.recv(READ)):
            answer.take(data)
    return _whole(answer)


def _whole(answer: Answer) -> Answer:
    if answer.cut_short:
        raise failure("ECONNRESET", "the answer is cut short")
    return answer


# ---- asyncio


async def aecho(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, to its end: what `LiveStack.start_server` calls."""
    with suppress(ConnectionError):
        while data := await reader.read(READ):
            writer.write(data)
            await writer.drain()
    writer.close()


async def aserve_pages(stack: LiveStack, pages: Mapping[str, bytes], port: int = PORT) -> asyncio.AbstractServer:
    """Answer requests for ``pages`` (path -> text)."""
    held = Pages(pages)

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked, stays = bytearray(), True
        with suppress(ConnectionError):
            while stays and (data := await reader.read(READ)):
                asked += data
                while stays and (found := held.next(asked)) is not None:
                    answer, stays = found
                    writer.write(answer)
                    await writer.drain()
        writer.close()

    return await stack.start_server(visit, "", port)


async def afetch(stack: LiveStack, host: str, path: str = "/", *, port: int = PORT) -> Answer:
    """As `fetch`."""
    answer = Answer()
    reader, writer = await stack.open_connection(host, port)
    try:
        writer.write(get(path, host))
        while not answer.whole and (data := await reader.read(READ)):
            answer.take(data)
    finally:
        writer.close()
    return _whole(answer)
