"""asyncio's transports on our sockets: what has come is given to a protocol, what it writes goes as there is room."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any

from netlab.backend.native.sockets.names import parse_end
from netlab.backend.native.sockets.runners import LoopRunner
from netlab.backend.native.sockets.tcpcore import TcpCore
from netlab.backend.native.sockets.udpcore import UdpCore
from netlab.stack.tcp.state import SYN_RECEIVED, SYN_SENT

READ = 1 << 18
"""Bytes that a protocol is given at once."""
HIGH = 1 << 16
"""Bytes that wait here before the protocol is told to pause, unless it says otherwise (asyncio's own default)."""


class StreamTransport(asyncio.Transport):
    """A connection. See the documentation of `asyncio.Transport`."""

    _start_tls_compatible = True
    """What `loop.start_tls` asks: it needs nothing of a transport but what is here."""

    def __init__(self, runner: LoopRunner, core: TcpCore, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._runner, self._core, self._loop = runner, core, runner.loop
        self._protocol: Any = protocol
        self._waiting = bytearray()
        """What the socket had no room for."""
        self._high, self._low = HIGH, HIGH // 4
        self._reading, self._told_to_pause = True, False
        self._closing = self._over = self._eof_to_send = self._eof_came = False
        self.at_end: Callable[[StreamTransport], None] | None = None
        """Called with the transport when it is over."""
        self._peer, self._name = core.peer() if core.tcp is not None else None, core.name()
        self._due = False
        core.watch = self._soon
        self._loop.call_soon(self._protocol.connection_made, self)
        self._soon()

    def _soon(self) -> None:
        """Something happened: a protocol is called by the loop, never by the stack, which its faults must not end."""
        if not self._due:
            self._due = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._due = False
        if self._over:
            return
        if self._core.ended is not None:
            self._end(self._core.ended)
            return
        try:
            self._pour()
            if self._reading and not self._closing:
                self._read()
        except OSError as error:
            self._end(error)

    # ---- reading

    def _read(self) -> None:
        while self._reading and not self._closing and not self._eof_came:
            try:
                data = self._runner.do(lambda: self._core.recv(READ))
            except BlockingIOError:
                return
            if not data:
                self._end_of_input()
                return
            self._give(data)

    def _give(self, data: bytes) -> None:
        if not isinstance(self._protocol, asyncio.BufferedProtocol):
            self._tell(self._protocol.data_received, data)
            return
        view = memoryview(data)
        while view and not self._over:
            buffer = memoryview(self._tell(self._protocol.get_buffer, len(view)))
            size = min(len(buffer), len(view))
            buffer[:size] = view[:size]
            self._tell(self._protocol.buffer_updated, size)
            view = view[size:]

    def _tell(self, call: Callable[..., Any], *args: Any) -> Any:
        """Call the protocol; a fault of it resets its connection, and goes on to the loop's handler."""
        fine = False
        try:
            found = call(*args)
            fine = True
        finally:
            if not fine:
                self.abort()
        return found

    def _end_of_input(self) -> None:
        self._eof_came = True
        if not self._tell(self._protocol.eof_received):
            self.close()

    def is_reading(self) -> bool:
        """Whether the protocol is given what comes."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Give the protocol nothing: the socket's buffer fills, and its window closes."""
        self._reading = False

    def resume_reading(self) -> None:
        """Go on."""
        if not self._reading and not self._closing:
            self._reading = True
            self._soon()

    # ---- writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send it, now or as soon as there is room."""
        if self._eof_to_send:
            raise RuntimeError("nothing can be written behind write_eof()")
        if self._over or not data:
            return
        self._waiting += data
        try:
            self._pour()
        except OSError as error:
            self._loop.call_soon(self._end, error)
            return
        if len(self._waiting) > self._high and not self._told_to_pause:
            self._told_to_pause = True
            self._protocol.pause_writing()

    def _pour(self) -> None:
        """Send what there is room for; then whatever had to wait for that."""
        c = self._core.connection
        if self._waiting and c is not None and c.state not in (SYN_SENT, SYN_RECEIVED):
            self._send()
        if self._told_to_pause and len(self._waiting) <= self._low:
            self._told_to_pause = False
            self._protocol.resume_writing()
        if not self._waiting and self._closing:
            self._end(None)
        elif not self._waiting and self._eof_to_send and not self._core.shut:
            self._runner.do(lambda: self._core.shutdown(socket.SHUT_WR))

    def _send(self) -> None:
        try:
            with memoryview(self._waiting) as view:
                sent = self._runner.do(lambda: self._core.send(view))
        except BlockingIOError:
            return
        del self._waiting[:sent]

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """When the protocol is told to pause, and when to go on."""
        high = high if high is not None else (HIGH if low is None else 4 * low)
        low = low if low is not None else high // 4
        if not 0 <= low <= high:
            raise ValueError(f"high ({high}) must be at least low ({low}), and low at least 0")
        self._high, self._low = high, low

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """(low, high)."""
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        """Bytes that wait here; what the socket has taken is not among them."""
        return len(self._waiting)

    def can_write_eof(self) -> bool:
        """TCP can."""
        return True

    def write_eof(self) -> None:
        """Say that nothing more comes, once all is sent."""
        if not self._eof_to_send and not self._closing:
            self._eof_to_send = True
            self._soon()

    # ---- closing

    def is_closing(self) -> bool:
        """Whether it is closed, or will be when all is sent."""
        return self._closing

    def close(self) -> None:
        """Close it when all is sent."""
        if not self._closing:
            self._closing = True
            self._soon()

    def abort(self) -> None:
        """Reset the connection: what waits is lost."""
        if not self._over:
            self._waiting.clear()
            if self._runner.engine.closed is None:
                self._runner.do(self._core.abort)
            self._end(None)

    def _end(self, error: OSError | None) -> None:
        if self._over:
            return
        self._over = self._closing = True
        self._core.watch = None
        self._waiting.clear()
        if self._runner.engine.closed is None:
            self._runner.do(self._core.close)
        if self.at_end is not None:
            self.at_end(self)
        self._loop.call_soon(self._protocol.connection_lost, error)

    # ---- what else is asked

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another one hears of it from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The one that hears of it."""
        found: asyncio.BaseProtocol = self._protocol
        return found

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """peername, sockname, socket, and "info" for TCP_INFO as a dict."""
        return _extra(self._core, name, default, self._peer, self._name)


def _extra(core: TcpCore | UdpCore, name: str, default: Any, peer: Any, own: Any) -> Any:
    from netlab.backend.native.sockets.aio import Name

    if name == "info":
        return core.get_option("TCP_INFO")
    return {"peername": peer or default, "sockname": own, "socket": Name(core)}.get(name, default)


class DatagramTransport(asyncio.DatagramTransport):
    """A UDP socket. Nothing waits here: what the stack does not take is lost, as on any network."""

    def __init__(
        self, runner: LoopRunner, core: UdpCore, protocol: asyncio.BaseProtocol, names: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._runner, self._core, self._names = runner, core, names
        self._protocol: Any = protocol
        self._closing = False
        core.watch = self._soon
        runner.loop.call_soon(self._protocol.connection_made, self)
        self._soon()

    def _soon(self) -> None:
        self._runner.loop.call_soon(self._look)

    def _look(self) -> None:
        if self._core.ended is not None:
            self._end(self._core.ended)
        while not self._closing and self._core.readable:
            try:
                data, sender = self._core.recv_from(1 << 16)
            except OSError as error:
                self._protocol.error_received(error)
            else:
                self._protocol.datagram_received(data, sender)

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """One datagram, to ``addr`` or to the one peer."""
        if self._closing:
            return
        end = parse_end(addr, self._core.version, self._names) if addr else None
        if end is not None and self._core.remote not in (None, end):
            raise ValueError(f"this endpoint speaks with {self._core.peer()} alone")
        try:
            self._runner.do(lambda: self._core.send(memoryview(data), end))
        except OSError as error:
            self._protocol.error_received(error)

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._closing

    def close(self) -> None:
        """Free the port."""
        self._end(None)

    abort = close

    def _end(self, error: OSError | None) -> None:
        if self._closing:
            return
        self._closing = True
        self._core.watch = None
        if self._runner.engine.closed is None:
            self._runner.do(self._core.close)
        self._runner.loop.call_soon(self._protocol.connection_lost, error)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another one hears of it from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The one that hears of it."""
        found: asyncio.BaseProtocol = self._protocol
        return found

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """peername, sockname and socket."""
        return _extra(self._core, name, default, self._core.peer() if self._core.remote else None, self._core.name())
