"""For asyncio: what a loop's own methods for sockets are called, on a stack that works in that loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from netlab.backend.native.sockets.names import parse_end
from netlab.backend.native.sockets.runners import LoopRunner
from netlab.backend.native.sockets.tcpcore import TcpCore
from netlab.backend.native.sockets.transports import DatagramTransport, StreamTransport
from netlab.backend.native.sockets.udpcore import UdpCore

if TYPE_CHECKING:
    from netlab.backend.native.sockets.livestack import LiveStack

Factory = Callable[[], asyncio.BaseProtocol]
End = tuple[str, int]


class Aio:
    """Made by `LiveStack.aio`."""

    def __init__(self, stack: LiveStack, runner: LoopRunner) -> None:
        self._stack, self._runner, self._engine = stack, runner, stack.engine

    def _family(self, host: str, family: int) -> int:
        text = self._stack.names.get(host, host)
        return family or (socket.AF_INET6 if ":" in text else socket.AF_INET)

    def _end(self, core: TcpCore | UdpCore, address: End) -> tuple[int, int]:
        return parse_end(address, core.version, self._stack.names)

    async def create_connection(
        self, factory: Factory, host: str, port: int, *, family: int = 0, local_addr: End | None = None
    ) -> tuple[StreamTransport, asyncio.BaseProtocol]:
        """As `loop.create_connection`: a transport that is connected, and the protocol that hears of it."""
        core: TcpCore = self._runner.do(lambda: TcpCore(self._engine, self._family(host, family)))
        try:
            if local_addr is not None:
                local = self._end(core, local_addr)
                self._runner.do(lambda: core.bind(*local))
            end = self._end(core, (host, port))
            self._runner.do(lambda: core.connect(*end))
            await self._until(core, core.connected)
        except BaseException:
            self._runner.do(core.close)
            raise
        protocol = factory()
        return StreamTransport(self._runner, core, protocol), protocol

    async def _until(self, core: TcpCore, attempt: Callable[[], Any]) -> None:
        """Wait until a call no longer blocks; it may fail."""
        waiter: asyncio.Future[None] = self._runner.loop.create_future()

        def look() -> None:
            if waiter.done():
                return
            try:
                attempt() if core.ended is None else waiter.set_exception(core.ended)
            except BlockingIOError:
                return
            except OSError as error:
                waiter.set_exception(error)
            if not waiter.done():
                waiter.set_result(None)

        core.watch = look
        try:
            self._runner.do(look)
            await waiter
        finally:
            core.watch = None

    async def create_server(
        self,
        factory: Factory,
        host: str = "",
        port: int = 0,
        *,
        family: int = 0,
        backlog: int = 100,
        start_serving: bool = True,
    ) -> Server:
        """As `loop.create_server`: each connection gets a protocol of its own."""
        core: TcpCore = self._runner.do(lambda: TcpCore(self._engine, self._family(host, family)))
        try:
            core.options.set("SO_REUSEADDR", 1, 0)
            end = self._end(core, (host, port))
            self._runner.do(lambda: core.bind(*end))
        except BaseException:
            self._runner.do(core.close)
            raise
        server = Server(self._runner, core, factory, backlog)
        if start_serving:
            await server.start_serving()
        return server

    async def create_datagram_endpoint(
        self, factory: Factory, local_addr: End | None = None, remote_addr: End | None = None, *, family: int = 0
    ) -> tuple[DatagramTransport, asyncio.BaseProtocol]:
        """As `loop.create_datagram_endpoint`."""
        known = remote_addr or local_addr or ("", 0)
        core: UdpCore = self._runner.do(lambda: UdpCore(self._engine, self._family(known[0], family)))
        try:
            local = self._end(core, local_addr or ("", 0))
            self._runner.do(lambda: core.bind(*local))
            if remote_addr is not None:
                remote = self._end(core, remote_addr)
                self._runner.do(lambda: core.connect(*remote))
        except BaseException:
            self._runner.do(core.close)
            raise
        protocol = factory()
        return DatagramTransport(self._runner, core, protocol, self._stack.names), protocol


class Server(asyncio.AbstractServer):
    """A port that takes connections, each with a protocol of its own."""

    def __init__(self, runner: LoopRunner, core: TcpCore, factory: Factory, backlog: int) -> None:
        self._runner, self._core, self._factory, self._backlog = runner, core, factory, backlog
        self._serving = self._closed = False
        self._ended: asyncio.Future[None] = runner.loop.create_future()
        self.transports: set[StreamTransport] = set()
        """The connections that are open."""

    @property
    def sockets(self) -> tuple[Name, ...]:
        """Something whose `getsockname` tells the port that was given; () once it is closed."""
        return () if self._closed else (Name(self._core),)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that it serves in."""
        return self._runner.loop

    def is_serving(self) -> bool:
        """Whether connections are taken."""
        return self._serving

    async def start_serving(self) -> None:
        """Take connections from now on."""
        if not self._serving and not self._closed:
            self._runner.do(lambda: self._core.listen(self._backlog))
            self._core.watch = self._soon
            self._serving = True

    async def serve_forever(self) -> None:
        """Serve until it is cancelled, or closed."""
        await self.start_serving()
        try:
            await asyncio.shield(self._ended)
        finally:
            self.close()

    def _soon(self) -> None:
        """A connection is there: the protocol's factory is called by the loop, not by the stack."""
        self._runner.loop.call_soon(self._take)

    def _take(self) -> None:
        if self._core.ended is not None:
            self.close()
            return
        while not self._closed and self._core.readable:
            transport = StreamTransport(self._runner, self._runner.do(self._core.accept), self._factory())
            self.transports.add(transport)
            transport.at_end = self.transports.discard

    def close(self) -> None:
        """Take no more; what is open stays."""
        if self._closed:
            return
        self._closed, self._serving = True, False
        self._core.watch = None
        if self._runner.engine.closed is None:
            self._runner.do(self._core.close)
        if not self._ended.done():
            self._ended.set_result(None)

    def close_clients(self) -> None:
        """Close every connection."""
        for transport in list(self.transports):
            transport.close()

    def abort_clients(self) -> None:
        """Reset every connection."""
        for transport in list(self.transports):
            transport.abort()

    async def wait_closed(self) -> None:
        """Until it is closed."""
        await asyncio.shield(self._ended)


class Name:
    """What asyncio programs ask a server's or a transport's socket for."""

    def __init__(self, core: TcpCore | UdpCore) -> None:
        self._core = core
        self.family, self.type, self.proto = core.family, core.kind, core.protocol

    def getsockname(self) -> tuple[Any, ...]:
        """The own end."""
        return self._core.name()

    def getpeername(self) -> tuple[Any, ...]:
        """The other end."""
        return self._core.peer()

    def setsockopt(self, level: int, option: int | str, value: Any) -> None:
        """Set an option."""
        from netlab.backend.native.sockets.names import option_name

        self._core.set_option(option_name(level, option), value)

    def getsockopt(self, level: int, option: int | str) -> Any:
        """An option's value."""
        from netlab.backend.native.sockets.names import option_name

        return self._core.get_option(option_name(level, option))
