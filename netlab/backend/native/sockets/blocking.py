"""The socket of Python's `socket` module, on our stack: the same names, the same errors.

The stack works in another thread; a call here hands it an `Op` and waits for that.
"""

from __future__ import annotations

import socket
import struct
import warnings
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from netlab.backend.native.sockets.engine import Op
from netlab.backend.native.sockets.failures import failure, unsupported
from netlab.backend.native.sockets.files import SocketFile, file_over
from netlab.backend.native.sockets.mptcpcore import IPPROTO_MPTCP, MptcpCore
from netlab.backend.native.sockets.names import check_flags, option_name, parse_end
from netlab.backend.native.sockets.packing import packed
from netlab.backend.native.sockets.tcpcore import TcpCore
from netlab.backend.native.sockets.udpcore import UdpCore

if TYPE_CHECKING:
    from netlab.backend.native.sockets.livestack import LiveStack

CORES: dict[int, type[TcpCore] | type[UdpCore]] = {socket.SOCK_STREAM: TcpCore, socket.SOCK_DGRAM: UdpCore}
FURTHER: dict[tuple[int, int], type[TcpCore]] = {(socket.SOCK_STREAM, IPPROTO_MPTCP): MptcpCore}
"""(type, protocol) of what is not the usual protocol of its type."""
NONBLOCK = getattr(socket, "SOCK_NONBLOCK", 0)
TO_SEND = ("MSG_DONTWAIT", "MSG_NOSIGNAL")
TO_RECV = ("MSG_DONTWAIT", "MSG_PEEK", "MSG_WAITALL")
LARGEST = 1 << 20
"""Bytes that one call takes from the stack at most: more comes with the next."""


class Socket:
    """See socket(7) and the documentation of Python's `socket`; made by `LiveStack.socket`."""

    def __init__(self, stack: LiveStack, family: int, type: int, proto: int = 0, *, core: Any = None) -> None:
        kind = type & ~NONBLOCK & ~getattr(socket, "SOCK_CLOEXEC", 0)
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise failure("EAFNOSUPPORT", f"address family {family} is not supported by these sockets")
        if kind not in CORES:
            raise failure("ESOCKTNOSUPPORT", f"socket type {type} is not supported by these sockets")
        if proto not in (0, CORES[kind].protocol) and (kind, proto) not in FURTHER:
            raise failure("EPROTONOSUPPORT", f"protocol {proto} is not supported by these sockets")
        self._stack = stack
        self.family, self.type, self.proto = socket.AddressFamily(family), socket.SocketKind(kind), proto
        self._timeout: float | None = 0.0 if type & NONBLOCK and NONBLOCK else socket.getdefaulttimeout()
        self._files = 0
        self._closed = False
        self._core: Any = core
        if core is None:
            self._core = stack.call(None, lambda: FURTHER.get((kind, proto), CORES[kind])(stack.engine, family), None)

    # ---- how calls reach the stack

    def _call(self, attempt: Callable[[], Any], *, wait: bool = True) -> Any:
        """Have the stack do it; wait as long as the timeout lets, if it would block."""
        if self._closed and not self._files:
            raise failure("EBADF", "the socket is closed")
        return self._stack.call(self._core, attempt, self._timeout if wait else 0)

    def _at_once(self, attempt: Callable[[], Any]) -> Any:
        """For what never blocks, whatever the timeout is."""
        if self._closed and not self._files:
            raise failure("EBADF", "the socket is closed")
        return self._stack.call(None, attempt, None)

    # ---- opening

    def bind(self, address: tuple[Any, ...]) -> None:
        """Take an own address and port."""
        end = parse_end(address, self._core.version, self._stack.names)
        self._at_once(lambda: self._core.bind(*end))

    def listen(self, backlog: int = 128) -> None:
        """Take connections, of which so many may wait."""
        if self.type != socket.SOCK_STREAM:
            raise unsupported("listen on a datagram socket")
        self._at_once(lambda: self._core.listen(backlog))

    def accept(self) -> tuple[Socket, tuple[Any, ...]]:
        """The next connection, and its peer's address."""
        if self.type != socket.SOCK_STREAM:
            raise unsupported("accept on a datagram socket")
        core, peer = self._call(self._accepted)
        made = Socket(self._stack, self.family, self.type, self.proto, core=core)
        made.settimeout(socket.getdefaulttimeout())
        return made, peer

    def _accepted(self) -> tuple[TcpCore, tuple[Any, ...]]:
        core = self._core.accept()
        pair = core.tcp.endpoint.pair
        from netlab.backend.native.sockets.names import end_of

        return core, end_of(self.family, pair.remote, pair.remote_port, pair.version)

    def connect(self, address: tuple[Any, ...]) -> None:
        """Open a connection, or (a datagram socket) say who the one peer is."""
        end = parse_end(address, self._core.version, self._stack.names)
        self._at_once(lambda: self._core.connect(*end))
        if self._timeout == 0 and self.type == socket.SOCK_STREAM:
            raise failure("EINPROGRESS")
        self._call(self._core.connected)

    def connect_ex(self, address: tuple[Any, ...]) -> int:
        """As `connect`; the errno, 0 for success."""
        try:
            self.connect(address)
        except TimeoutError:
            return int(failure("EAGAIN").errno or 0)
        except OSError as error:
            if error.errno is None or isinstance(error, socket.gaierror):
                raise
            return error.errno
        return 0

    # ---- data

    def send(self, data: Any, flags: int = 0) -> int:
        """Some of the bytes; how many."""
        return self._send(data, flags)

    def _send(self, data: Any, flags: int = 0) -> int:
        check_flags(flags, TO_SEND)
        view = memoryview(data).cast("B")
        wait = not flags & getattr(socket, "MSG_DONTWAIT", 0)
        return int(self._call(lambda: self._core.send(view), wait=wait))

    def sendall(self, data: Any, flags: int = 0) -> None:
        """All of the bytes."""
        check_flags(flags, TO_SEND)
        view = memoryview(data).cast("B")
        sent = 0

        def pour() -> None:
            nonlocal sent
            while sent < len(view):
                sent += self._core.send(view[sent:])

        if view or self.type == socket.SOCK_DGRAM:
            self._call(pour if view else lambda: self._core.send(view))

    def sendto(self, data: Any, *rest: Any) -> int:
        """``sendto(data, address)`` or ``sendto(data, flags, address)``: a datagram to an address."""
        flags, address = rest if len(rest) == 2 else (0, *rest)
        if self.type == socket.SOCK_STREAM:
            return self.send(data, flags)
        check_flags(flags, TO_SEND)
        view, end = memoryview(data).cast("B"), parse_end(address, self._core.version, self._stack.names)
        return int(self._call(lambda: self._core.send(view, end)))

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Up to ``size`` bytes; b"" at the end."""
        if size < 0:
            raise ValueError("a negative number of bytes cannot be received")
        check_flags(flags, TO_RECV)
        if flags & getattr(socket, "MSG_WAITALL", 0) and self.type == socket.SOCK_STREAM:
            return self._recv_all(size)
        peek, wait = bool(flags & socket.MSG_PEEK), not flags & getattr(socket, "MSG_DONTWAIT", 0)
        found: bytes = self._call(lambda: self._core.recv(min(size, LARGEST), peek=peek), wait=wait)
        return found

    def _recv_all(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size and (more := self.recv(size - len(found))):
            found += more
        return bytes(found)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As `recv`, into a buffer; how many bytes came."""
        return self._recv_into(buffer, nbytes, flags)

    def _recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        data = self.recv(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
        """As `recv`, and the sender's address (None for a connection)."""
        if self.type == socket.SOCK_STREAM:
            return self.recv(size, flags), None
        check_flags(flags, ("MSG_DONTWAIT", "MSG_PEEK"))
        peek, wait = bool(flags & socket.MSG_PEEK), not flags & getattr(socket, "MSG_DONTWAIT", 0)
        found: tuple[bytes, Any] = self._call(lambda: self._core.recv_from(size, peek=peek), wait=wait)
        return found

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """As `recvfrom`, into a buffer."""
        view = memoryview(buffer).cast("B")
        data, sender = self.recvfrom(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data), sender

    def makefile(
        self,
        mode: str = "r",
        buffering: int = -1,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """The socket as a file, which keeps the connection open even when the socket is closed."""
        if not set(mode) <= {"r", "w", "b"} or not set(mode) & {"r", "w"}:
            raise ValueError(f"a socket's file cannot have the mode '{mode}': only r, w and b")
        raw = SocketFile(self, mode, self._file_closed)
        self._files += 1
        return file_over(raw, buffering, encoding, errors, newline)

    # ---- closing

    def shutdown(self, how: int) -> None:
        """Close one direction, or both."""
        if self.type != socket.SOCK_STREAM:
            raise unsupported("shutdown of a datagram socket")
        self._at_once(lambda: self._core.shutdown(how))

    def close(self) -> None:
        """Let go of it; with SO_LINGER wait until the peer has everything. A second call does nothing."""
        if not self._closed:
            self._closed = True
            if not self._files:
                self._close()

    def _file_closed(self) -> None:
        self._files -= 1
        if self._closed and not self._files:
            self._close()

    def _close(self) -> None:
        if self._stack.engine.closed is not None:
            self._core.leave()
            return
        try:
            self._stack.call(None, self._core.close, None)
            if self._core.lingers:
                self._stack.call(self._core, self._core.lingered, float(self._core.lingers))
        except TimeoutError:  # SO_LINGER's time is over
            self._stack.call(None, lambda: self._stack.engine.lingering.discard(self._core), None)
        except OSError:  # the stack was closed meanwhile, and the connection with it
            if self._stack.engine.closed is None:
                raise

    def detach(self) -> int:
        """There is no descriptor that could be given away."""
        raise unsupported("detach")

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and self._core is not None and self._stack.engine.closed is None:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            self._stack.engine.post(Op(None, self._core.close))

    def __repr__(self) -> str:
        state = " [closed]" if self._closed else ""
        return f"<{self.type.name} socket of {self._stack.engine.host.name}, {self.family.name}{state}>"

    # ---- time

    def settimeout(self, seconds: float | None) -> None:
        """How long calls wait: None for ever, 0 not at all."""
        if seconds is not None and seconds < 0:
            raise ValueError("a timeout cannot be negative")
        self._timeout = None if seconds is None else float(seconds)

    def gettimeout(self) -> float | None:
        """What `settimeout` set."""
        return self._timeout

    timeout = property(gettimeout)

    def setblocking(self, flag: bool) -> None:
        """Whether calls wait."""
        self._timeout = None if flag else 0.0

    def getblocking(self) -> bool:
        """Whether calls wait at all."""
        return self._timeout != 0

    # ---- names

    def getsockname(self) -> tuple[Any, ...]:
        """The own end."""
        found: tuple[Any, ...] = self._at_once(self._core.name)
        return found

    def getpeername(self) -> tuple[Any, ...]:
        """The other end."""
        found: tuple[Any, ...] = self._at_once(self._core.peer)
        return found

    def fileno(self) -> int:
        """A descriptor that is readable and writable when this socket is: for select, poll and selectors, and nothing
        else, because nothing can be read or written by it. -1 once it is closed."""
        return -1 if self._closed else int(self._at_once(self._core.descriptor))

    # ---- options

    def setsockopt(self, level: int, option: int | str, value: Any, optlen: int | None = None) -> None:
        """Set an option, by its number on this machine or by its name: SO_SETFIB by either too."""
        name = option_name(level, option)
        if name == "SO_LINGER":
            value = _lingering(value)
        elif isinstance(value, bytes | bytearray) and name != "TCP_CONGESTION" and len(value) == 4:
            value = struct.unpack("=i", value)[0]
        self._at_once(lambda: self._core.set_option(name, value))

    def getsockopt(self, level: int, option: int | str, buflen: int = 0) -> Any:
        """An option's value: an int, or bytes when ``buflen`` says how many."""
        name = option_name(level, option)
        value = self._at_once(lambda: self._option(name))
        return packed(name, value, buflen) if buflen or name == "TCP_INFO" else value

    def _option(self, name: str) -> Any:
        if name == "SO_ERROR":
            error = self._core.take_error()
            return 0 if error is None else error.errno
        known = {"SO_TYPE": self._core.kind, "SO_DOMAIN": self.family, "SO_PROTOCOL": self._core.protocol}
        return int(known[name]) if name in known else self._core.get_option(name)

    def info(self) -> dict[str, int]:
        """TCP_INFO by its fields' names: state, rtt and rttvar in µs, snd_cwnd in segments, and so on."""
        found: dict[str, int] = self._at_once(lambda: self._core.get_option("TCP_INFO"))
        return found

    def setfib(self, fib: int) -> None:
        """Have packets routed by table ``fib`` from now on, as setfib(2) of FreeBSD does for a process."""
        self.setsockopt(socket.SOL_SOCKET, "SO_SETFIB", fib)

    # ---- what is not here, by its name

    def sendmsg(self, *_: Any) -> int:
        """No control messages."""
        raise unsupported("sendmsg")

    def recvmsg(self, *_: Any) -> Any:
        """No control messages."""
        raise unsupported("recvmsg")

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """All of a file, or ``count`` bytes of it; how many."""
        if offset:
            file.seek(offset)
        sent = 0
        while count is None or sent < count:
            piece = file.read(LARGEST if count is None else min(LARGEST, count - sent))
            if not piece:
                break
            self.sendall(piece)
            sent += len(piece)
        return sent

    def dup(self) -> Socket:
        """There is one object for a socket."""
        raise unsupported("dup")


def _lingering(value: Any) -> Any:
    """struct linger, as programs pack it, as the seconds that it asks for; -1 for off."""
    if not isinstance(value, bytes | bytearray) or len(value) != 8:
        raise failure("EINVAL", "SO_LINGER is struct.pack('ii', on, seconds)")
    on, seconds = struct.unpack("=ii", value)
    return seconds if on else -1
