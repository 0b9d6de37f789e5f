"""A TCP socket without waiting: every call answers at once, or raises what the non-blocking call of that name would."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, cast

from netlab.backend.native.sockets.engine import Core, Engine
from netlab.backend.native.sockets.failures import failure
from netlab.backend.native.sockets.names import end_of
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import EPHEMERAL, TcpListener, TcpSocket
from netlab.stack.tcp.layer import ANY, Endpoint
from netlab.stack.tcp.segment import Event
from netlab.stack.tcp.sockopts import SocketOptions
from netlab.stack.tcp.state import CLOSE_WAIT, CLOSED, SYN_RECEIVED, SYN_SENT, TIME_WAIT

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection


class AcceptQueue(TcpListener):
    """A listening port whose connections wait until the program takes them."""

    def __init__(self, core: TcpCore, local: int | None, port: int, backlog: int) -> None:
        self.core, self.host = core, core.engine.host
        self.listener = self.host.tcp.layer.listen(local, port, backlog)
        self.listener.owner = self

    def hear(self, event: Event, now: int) -> list[Hop]:
        """A connection is complete."""
        self.core.stir()
        return []


class TcpCore(Core):
    """One socket: fresh, listening, or with a connection."""

    kind, protocol = socket.SOCK_STREAM, int(socket.IPPROTO_TCP)
    opens: type[TcpSocket] = TcpSocket

    def __init__(self, engine: Engine, family: int) -> None:
        super().__init__(engine)
        self.family, self.version = family, 6 if family == socket.AF_INET6 else 4
        self.options = SocketOptions(engine.host.tcp.layer.knobs, self.version)
        self.tcp: TcpSocket | None = None
        self.queue: AcceptQueue | None = None
        self.local, self.port = 0, 0
        self.deaf = False
        """Whether the program reads no more (SHUT_RD)."""
        self._error_told = self._greeted = False
        engine.sockets.add(self)

    # ---- what it holds

    @property
    def connection(self) -> Connection | None:
        """The connection, if there is or was one."""
        return self.tcp.endpoint.connection if self.tcp is not None else None

    def _connected(self) -> tuple[TcpSocket, Connection]:
        if self.tcp is None:
            raise failure("ENOTCONN")
        return self.tcp, self.tcp.endpoint.connection

    def take_error(self) -> OSError | None:
        """The error that the connection ended with; it is told once."""
        c = self.connection
        if c is None or not c.error or self._error_told:
            return None
        self._error_told = True
        return failure(c.soft_error if c.error == "ETIMEDOUT" and c.soft_error else c.error)

    def _fail_once(self) -> None:
        error = self.take_error()
        if error is not None:
            raise error

    def hear(self, tcp: TcpSocket, event: Event, now: int) -> list[Hop]:
        """What the connection tells."""
        self.stir()
        return []

    # ---- opening

    def bind(self, address: int, port: int) -> None:
        """Take a port (0: any that is free) of one own address, or (0) of all."""
        if self.port or self.queue is not None or self.tcp is not None:
            raise failure("EINVAL", "the socket has an address already")
        host = self.engine.host
        if address and address not in (host.addresses if self.version == 4 else host.inet6.addresses):
            raise failure("EADDRNOTAVAIL", "that is no address of this stack")
        if port and self._taken(address, port):
            raise failure("EADDRINUSE", f"port {port} is in use")
        self.local, self.port = address, port or self._free_port()

    def _free_port(self) -> int:
        for _ in range(EPHEMERAL):
            try:
                port = self.engine.host.tcp.ephemeral()
            except ValueError as error:
                raise failure("EADDRNOTAVAIL", str(error)) from None
            if not self._taken(0, port):
                return port
        raise failure("EADDRNOTAVAIL", "no port is free")

    def _taken(self, address: int, port: int) -> bool:
        """As Linux: a listener's port is never shared, any other one by those who set SO_REUSEADDR."""
        shares = bool(self.options.get("SO_REUSEADDR"))
        for other in self.engine.sockets:
            if not isinstance(other, TcpCore) or other is self or other.port != port or other.version != self.version:
                continue
            if other.local and address and other.local != address:
                continue
            if other.queue is not None or not (shares and other.options.get("SO_REUSEADDR")):
                return True
        pairs = self.engine.host.tcp.layer.endpoints
        return not shares and any(pair.local_port == port and pair.version == self.version for pair in pairs)

    def listen(self, backlog: int) -> None:
        """Become a listening socket."""
        if self.tcp is not None:
            raise failure("EINVAL", "a connected socket cannot listen")
        if self.queue is not None:
            self.queue.listener.backlog = max(backlog, 1)
            return
        if not self.port:
            self.bind(0, 0)
        try:
            self.queue = AcceptQueue(self, self.local or ANY[self.version], self.port, backlog)
        except ValueError:
            raise failure("EADDRINUSE", f"port {self.port} is in use") from None
        self.options.listening(self.queue.listener)

    def accept(self) -> TcpCore:
        """A connection that is complete."""
        if self.queue is None:
            raise failure("EINVAL", "the socket does not listen")
        endpoint = self.queue.listener.accept()
        if endpoint is None:
            raise failure("EAGAIN")
        child = self.child_for(endpoint)
        child.options = self.options.inherited(endpoint)
        child.local, child.port = endpoint.pair.local, endpoint.pair.local_port
        child.tcp = child.holding(endpoint)
        child._greeted = True
        return child

    def child_for(self, endpoint: Endpoint) -> TcpCore:
        """The socket of a connection that came."""
        return TcpCore(self.engine, self.family)

    def holding(self, endpoint: Endpoint) -> TcpSocket:
        """The connection as a program holds it."""
        return TcpSocket(self.engine.host, endpoint, self.hear, self.options)

    def connect(self, address: int, port: int) -> None:
        """Begin to open a connection; `connected` says how that goes."""
        if self.queue is not None:
            raise failure("EOPNOTSUPP", "a listening socket cannot connect")
        c = self.connection
        if c is not None and c.state in (SYN_SENT, SYN_RECEIVED):
            raise failure("EALREADY")
        if c is not None and c.state != CLOSED:
            raise failure("EISCONN")
        host, now = self.engine.host, self.engine.now()
        if not self.port:
            self.port = self._free_port()
        self._error_told = self._greeted = False
        try:
            self.tcp, hops = self.opens.open(
                host, address, port, self.hear, now, self.options, local=self.local, local_port=self.port
            )
        except ValueError as error:
            found = "ENETUNREACH" if "no route" in str(error) else "EADDRNOTAVAIL"
            raise failure(found, str(error)) from None
        self.engine.send(hops)

    def connected(self) -> None:
        """Nothing, once the connection is there; EAGAIN before that; how it failed."""
        _, c = self._connected()
        if c.state in (SYN_SENT, SYN_RECEIVED):
            raise failure("EAGAIN")
        self._fail_once()
        if c.state == CLOSED and not self._greeted:
            raise failure("ECONNABORTED")
        self._greeted = True

    # ---- data

    @property
    def readable(self) -> bool:
        """Whether `recv` or `accept` would answer at once."""
        if self.queue is not None:
            return bool(self.queue.listener.ready)
        c = self.connection
        return c is not None and bool(c.inbox or c.at_end or c.error or self.deaf)

    @property
    def writable(self) -> bool:
        """Whether `send` would take something, or fail, at once."""
        c = self.connection
        return c is not None and c.state not in (SYN_SENT, SYN_RECEIVED) and (c.room > 0 or self.shut or bool(c.error))

    @property
    def shut(self) -> bool:
        """Whether nothing more can be sent."""
        c = self.connection
        return c is None or c.fin_queued or c.state == CLOSED or c.state > CLOSE_WAIT

    def send(self, data: memoryview) -> int:
        """Queue what there is room for; how many bytes."""
        if self.tcp is None:
            raise failure("EPIPE")
        _, c = self._connected()
        self._fail_once()
        if c.state in (SYN_SENT, SYN_RECEIVED):
            raise failure("EAGAIN")
        if self.shut:
            raise failure("EPIPE")
        sent, hops = self.tcp.send(cast(bytes, data), self.engine.now())
        self.engine.send(hops)
        if data and not sent:
            raise failure("EAGAIN")
        return sent

    def recv(self, size: int, *, peek: bool = False) -> bytes:
        """What has come, up to ``size`` bytes; b"" at the end."""
        tcp, c = self._connected()
        if c.inbox and not self.deaf:
            if peek:
                return bytes(c.inbox[:size])
            data, hops = tcp.read(size, self.engine.now()) if c.state != CLOSED else (c.read(size), [])
            self.engine.send(hops)
            return data
        self._fail_once()
        if c.at_end or self.deaf:
            return b""
        raise failure("EAGAIN")

    # ---- closing

    def shutdown(self, how: int) -> None:
        """Close one direction, or both."""
        tcp, c = self._connected()
        if c.state in (CLOSED, SYN_SENT, TIME_WAIT):
            raise failure("ENOTCONN")
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            self.deaf = c.half_closed = True
            c.inbox.clear()
        if how in (socket.SHUT_WR, socket.SHUT_RDWR):
            self.engine.send(tcp.shutdown(self.engine.now()))
        self.stir()

    def close(self) -> None:
        """The program lets go: what it sent still goes, and a FIN behind it."""
        self.leave()
        if self.engine.closed is not None:
            return
        if self.queue is not None:
            self.engine.send(self.queue.close(self.engine.now()))
        elif self.tcp is not None and not self.tcp.endpoint.connection.orphan:
            self.engine.send(self.tcp.close(self.engine.now()))
        for op in self.parked:
            op.fail(failure("EBADF"))
        self.parked.clear()

    def lingered(self) -> None:
        """Nothing, once the peer has everything; EAGAIN before that (SO_LINGER)."""
        c = self.connection
        if c is not None and c.state != CLOSED and (c.queue or c.snd_una < c.snd_max):
            self.engine.lingering.add(self)
            raise failure("EAGAIN")
        self.engine.lingering.discard(self)

    @property
    def lingers(self) -> int:
        """Seconds that close waits; 0 for not at all."""
        found = self.options.setting("linger")
        return int(found // 1_000_000_000) if found and self.tcp is not None else 0

    def abort(self) -> None:
        """Reset the connection, listen no more."""
        self.engine.sockets.discard(self)
        now = self.engine.now()
        if self.queue is not None:
            self.engine.send(self.queue.close(now))
        elif self.tcp is not None and self.tcp.endpoint.connection.state != CLOSED:
            self.tcp.endpoint.connection.orphan = True
            self.engine.send(self.tcp.abort(now))

    # ---- names and options

    def name(self) -> tuple[Any, ...]:
        """getsockname."""
        if self.tcp is None:
            return end_of(self.family, self.local, self.port, self.version)
        pair = self.tcp.endpoint.pair
        return end_of(self.family, pair.local, pair.local_port, pair.version)

    def peer(self) -> tuple[Any, ...]:
        """getpeername."""
        tcp, c = self._connected()
        if not self._greeted or c.state == CLOSED:
            raise failure("ENOTCONN")
        pair = tcp.endpoint.pair
        return end_of(self.family, pair.remote, pair.remote_port, pair.version)

    def set_option(self, name: str, value: Any) -> None:
        """setsockopt, by the option's name."""
        now = self.engine.now()
        if self.tcp is not None:
            self.engine.send(self.tcp.setsockopt(name, value, now))
        else:
            self.options.set(name, value, now)
        self.stir()

    def get_option(self, name: str) -> Any:
        """getsockopt, by the option's name."""
        return self.options.get(name)
