"""asyncio on our stacks: streams, protocols with flow control, datagrams, and what happens when something ends."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from netlab.backend.native.sockets import LiveStack, pair
from netlab.backend.native.sockets.apps import aecho, afetch, aserve_pages, echo, serve
from netlab.workload.bulk import long_pattern

PATIENCE = 60
"""Seconds after which a test has failed."""
Stacks = tuple[LiveStack, LiveStack]


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Stacks]:
    """Two stacks in this loop, at the ends of a cable."""
    async with asyncio.timeout(PATIENCE):
        a, b = pair()
        async with a, b:
            yield a, b


class Recorder(asyncio.Protocol):
    """What a protocol was told."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.paused = self.resumed = 0
        loop = asyncio.get_running_loop()
        self.made: asyncio.Future[Any] = loop.create_future()
        self.lost: asyncio.Future[Exception | None] = loop.create_future()
        self.came = asyncio.Event()
        self.room = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made.set_result(transport)

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.came.set()

    def pause_writing(self) -> None:
        self.paused += 1

    def resume_writing(self) -> None:
        self.resumed += 1
        self.room.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set_result(error)


async def joined(a: LiveStack, b: LiveStack) -> tuple[Any, Recorder, Any, Recorder, asyncio.AbstractServer]:
    """A connection from a to b: the client's transport and protocol, the server's, and who listens."""
    far = Recorder()
    server = await b.aio.create_server(lambda: far, "", 7)
    near, protocol = await a.aio.create_connection(Recorder, "b", 7)
    assert isinstance(protocol, Recorder)
    return near, protocol, await far.made, far, server


def test_streams_bring_back_every_byte() -> None:
    async def story() -> None:
        async with running() as (a, b), await b.start_server(aecho, "", 7):
            reader, writer = await a.open_connection("b", 7)

            async def feed() -> None:
                for _ in range(20):
                    writer.write(long_pattern(100_000))
                    await writer.drain()
                writer.write_eof()

            feeding = asyncio.create_task(feed())
            assert await reader.read(-1) == long_pattern(100_000) * 20
            await feeding
            writer.close()
            await writer.wait_closed()

    asyncio.run(story())


def test_a_page_over_streams() -> None:
    async def story() -> None:
        async with running() as (a, b), await aserve_pages(b, {"/": long_pattern(500_000)}):
            assert (await afetch(a, "b")).body == long_pattern(500_000)
            assert (await afetch(a, "b", "/none")).status == 404

    asyncio.run(story())


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for b that b itself has signed, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: apt-get install openssl")
    paths = folder / "certificate.pem", folder / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-out", str(paths[0]), "-keyout", str(paths[1]), "-subj", "/CN=b", "-addext", "subjectAltName=DNS:b"]
    subprocess.run(argv, check=True, capture_output=True)
    return paths


def test_tls_on_top(tmp_path: Path) -> None:
    own, key = certificate(tmp_path)
    for_server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    for_server.load_cert_chain(own, key)
    for_client = ssl.create_default_context(cafile=str(own))

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(for_server)
        writer.write(await reader.readexactly(6) + long_pattern(1_000_000))
        await writer.drain()
        writer.close()

    async def story() -> None:
        async with running() as (a, b), await b.start_server(visit, "", 443):
            reader, writer = await a.open_connection("b", 443)
            await writer.start_tls(for_client, server_hostname="b")
            writer.write(b"secret")
            assert await reader.read(-1) == b"secret" + long_pattern(1_000_000)
            writer.close()

    asyncio.run(story())


def test_a_writer_is_told_to_pause_while_nobody_reads() -> None:
    async def story() -> None:
        async with running() as (a, b):
            near, protocol, far, heard, _ = await joined(a, b)
            far.pause_reading()
            near.set_write_buffer_limits(high=1000, low=100)
            while not protocol.paused:
                near.write(bytes(500_000))
                await asyncio.sleep(0)
            assert near.get_write_buffer_size() > 1000
            assert len(heard.data) < 500_000, "nothing is given to who paused"
            far.resume_reading()
            await protocol.room.wait()
            assert near.get_write_buffer_size() <= 100
            assert protocol.paused == protocol.resumed == 1

    asyncio.run(story())


def test_close_sends_what_was_written_first() -> None:
    async def story() -> None:
        async with running() as (a, b):
            near, protocol, _, heard, _ = await joined(a, b)
            near.write(long_pattern(12_000_000))
            near.close()
            assert near.is_closing()
            assert await heard.lost is None
            assert heard.data == long_pattern(12_000_000)
            assert await protocol.lost is None

    asyncio.run(story())


def test_abort_resets_the_peer() -> None:
    async def story() -> None:
        async with running() as (a, b):
            near, protocol, _, heard, _ = await joined(a, b)
            near.abort()
            assert await protocol.lost is None
            assert isinstance(await heard.lost, ConnectionResetError)

    asyncio.run(story())


def test_nobody_listens() -> None:
    async def story() -> None:
        async with running() as (a, _):
            with pytest.raises(ConnectionRefusedError):
                await a.open_connection("b", 9)
            assert not a.engine.sockets

    asyncio.run(story())


def test_a_fault_of_a_protocol_ends_its_own_connection_alone() -> None:
    class Faulty(Recorder):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError("a bug")

    async def story() -> None:
        said: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context["exception"]))
        async with running() as (a, b):
            await b.aio.create_server(Faulty, "", 8)
            near, protocol, _, heard, _ = await joined(a, b)
            broken, hurt = await a.aio.create_connection(Recorder, "b", 8)
            broken.write(b"x")
            assert isinstance(hurt, Recorder)
            assert isinstance(await hurt.lost, ConnectionResetError)
            near.write(b"still here")
            await heard.came.wait()
            assert heard.data == b"still here"
            assert not protocol.lost.done()
        assert [str(error) for error in said] == ["a bug"]

    asyncio.run(story())


def test_a_cancelled_connect_leaves_nothing() -> None:
    async def story() -> None:
        async with running() as (a, _):
            task = asyncio.create_task(a.open_connection("10.0.0.77", 7))  # nobody has that address
            while not a.netstat():
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert a.netstat() == []

    asyncio.run(story())


def test_closing_the_stack_ends_what_is_open() -> None:
    async def story() -> None:
        async with running() as (a, b):
            _, protocol, _, heard, server = await joined(a, b)
            await a.aclose()
            assert "was closed" in str(await protocol.lost)
            assert isinstance(await heard.lost, ConnectionResetError)
            await b.aclose()
            await server.wait_closed()
            assert not server.sockets  # type: ignore[attr-defined]

    asyncio.run(story())


def test_a_closed_server_keeps_its_connections() -> None:
    async def story() -> None:
        async with running() as (a, b):
            near, _, _, heard, server = await joined(a, b)
            server.close()
            await server.wait_closed()
            near.write(b"still")
            await heard.came.wait()
            with pytest.raises(ConnectionRefusedError):
                await a.open_connection("b", 7)

    asyncio.run(story())


def test_datagrams() -> None:
    class Shouter(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(data.upper(), addr)

    class Asker(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.answers: asyncio.Queue[Any] = asyncio.Queue()

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.answers.put_nowait((data, addr))

        def error_received(self, error: Exception) -> None:
            self.answers.put_nowait(error)

    async def story() -> None:
        async with running() as (a, b):
            shouting, _ = await b.aio.create_datagram_endpoint(Shouter, ("", 53))
            asking, asker = await a.aio.create_datagram_endpoint(Asker, remote_addr=("b", 53))
            assert isinstance(asker, Asker)
            asking.sendto(b"hello")
            assert await asker.answers.get() == (b"HELLO", ("10.0.0.2", 53))
            shouting.close()
            asking.sendto(b"anybody?")
            assert isinstance(await asker.answers.get(), ConnectionRefusedError)

    asyncio.run(story())


def test_blocking_sockets_of_a_stack_in_a_loop_are_for_other_threads() -> None:
    async def story() -> None:
        async with running() as (a, b):
            with pytest.raises(RuntimeError, match="asyncio face"):
                a.socket()
            with pytest.raises(RuntimeError, match="aclose"):
                a.close()

            def talk() -> bytes:
                with b.create_server(("", 7)) as server:
                    serve(server, echo)
                    with a.create_connection(("b", 7), timeout=PATIENCE) as s:
                        s.sendall(b"from a thread")
                        return s.recv(100)

            assert await asyncio.to_thread(talk) == b"from a thread"

    asyncio.run(story())


def test_a_stack_in_a_thread_has_no_asyncio_face() -> None:
    a, _ = pair()
    with a, pytest.raises(RuntimeError, match="async with"):
        asyncio.run(a.open_connection("b", 7))
