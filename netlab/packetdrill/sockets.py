"""The sockets of a script's program: what Berkeley calls do to the connections of our TCP.

A call that cannot return raises `Blocks`; the player tries it again after every step of the stack.
"""

from __future__ import annotations

from typing import Any

from netlab.packetdrill.blocking import Blocks, Fails
from netlab.packetdrill.world import BIND_PORT, CONNECT_PORT, World
from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.layer import Endpoint, Pair, Tunnel
from netlab.stack.tcp.listener import Listener
from netlab.stack.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, LISTEN, SYN_RECEIVED, SYN_SENT

INHERITED = (
    "keep_alive",
    "keep_idle",
    "keep_interval",
    "keep_count",
    "nodelay",
    "receive_buffer",
    "send_buffer",
    "no_options",
    "linger",
    "user_timeout",
)
"""Attributes of `Connection` that an accepted socket has from its listener."""


class Socket:
    """A TCP socket: unconnected, listening, or with an endpoint."""

    def __init__(self, world: World, *, nonblocking: bool = False) -> None:
        self.world = world
        self.nonblocking = nonblocking
        self.port = 0
        self.listener: Listener | None = None
        self.endpoint: Endpoint | None = None
        self.settings: dict[str, Any] = {}
        """What was set before there was a connection: attribute of `Connection` -> value."""
        self.values: dict[str, Any] = {}
        """Options that are only remembered: name -> value."""
        self.tos, self.ttl = 0, 64
        self.mss: int | None = None
        self.congestion = ""
        self.encapsulation = 0
        self.fast_open = False
        self.shut_reading = False
        self.error_seen = False
        self.unsent = 0
        """Bytes that a blocked send has still to queue."""

    # ---- what it holds -----------------------------------------------------------------------

    @property
    def connection(self) -> Connection | None:
        """The connection, if there ever was one."""
        return self.endpoint.connection if self.endpoint else None

    @property
    def connected(self) -> Connection:
        """The connection; ENOTCONN if there is none."""
        c = self.connection
        if c is None:
            raise Fails("ENOTCONN")
        return c

    def setting(self, name: str) -> Any:
        """An attribute of the connection, or what a future one will have."""
        c = self.connection
        if c is not None:
            return getattr(c, name)
        if name in self.settings:
            return self.settings[name]
        return self.default(name)

    def default(self, name: str) -> Any:
        """An attribute as a new connection has it."""
        return getattr(self.world.layer.new_connection(self.world.pair, 0), name)

    @property
    def bsd(self) -> bool:
        """Whether calls do as FreeBSD's."""
        return self.world.layer.knobs.system == "freebsd"

    def put(self, name: str, value: Any) -> None:
        """Set an attribute, on the connection or for the one to come."""
        self.settings[name] = value
        if self.connection is not None:
            setattr(self.connection, name, value)
        if self.listener is not None and name in INHERITED:
            self.listener.settings[name] = value

    def take_error(self) -> str:
        """SO_ERROR: the pending error's name, "" for none; it is told once."""
        c = self.connection
        if c is None or not c.error or self.error_seen:
            return ""
        self.error_seen = True
        return c.error

    def _fail_if_dead(self) -> None:
        error = self.take_error()
        if error:
            raise Fails(error)

    def row(self) -> tuple[Pair, int] | None:
        """Its ends and the number of its state; None while it is not even bound."""
        if self.endpoint is not None:
            return self.endpoint.pair, int(self.endpoint.connection.state)
        if not self.port:
            return None
        state = LISTEN if self.listener is not None else CLOSED
        return Pair(0, self.port, 0, 0, self.world.version), int(state)

    # ---- opening -----------------------------------------------------------------------------

    def bind(self, port: int | None) -> int:
        """Bind to a port (None: the script's own)."""
        if self.port:
            raise Fails("EINVAL")
        self.port = BIND_PORT if port is None else port or self.world.ephemeral()
        self.world.bound(self.port)
        return 0

    def listen(self, backlog: int) -> int:
        """Become a listening socket."""
        if self.endpoint is not None:
            raise Fails("EINVAL")
        self.port = self.port or self.world.ephemeral()
        if self.listener is not None:
            self.listener.backlog = max(backlog, 1)
            return 0
        try:
            self.listener = self.world.listen(self.port, backlog)
        except ValueError:
            raise Fails("EADDRINUSE") from None
        self.listener.settings.update({k: v for k, v in self.settings.items() if k in INHERITED})
        self.listener.tos, self.listener.ttl = self.tos, self.ttl
        self.listener.fast_open = self.fast_open
        return 0

    def accept(self) -> Socket:
        """A connection that is complete."""
        if self.listener is None:
            raise Fails("EINVAL")
        endpoint = self.listener.accept()
        if endpoint is None:
            raise Fails("EAGAIN") if self.nonblocking else Blocks
        child = Socket(self.world)
        child.endpoint, child.port = endpoint, self.port
        child.tos, child.ttl = endpoint.tos, endpoint.ttl
        child.values = dict(self.values)
        return child

    def connect(self, port: int | None) -> int:
        """Open actively, or ask how that goes."""
        if self.listener is not None:
            raise Fails("EINVAL" if self.bsd and self.world.version == 6 else "EOPNOTSUPP")
        if self.endpoint is None:
            self.start(port)
            if self.nonblocking:
                raise Fails("EINPROGRESS")
        return self._how_connecting_goes()

    def _how_connecting_goes(self) -> int:
        c = self.connected
        if c.state in (SYN_SENT, SYN_RECEIVED):
            raise Fails("EALREADY") if self.nonblocking else Blocks
        if c.state == CLOSED and self.bsd and self.nonblocking:
            self.error_seen = True  # asking to connect clears so_error; a control block that was dropped then refuses
            raise Fails("ECONNREFUSED")
        self._fail_if_dead()
        if c.state == CLOSED:
            raise Fails("ECONNREFUSED" if self.bsd else "ECONNABORTED")
        if self.nonblocking or "connected" in self.values:
            if "connected" in self.values:
                raise Fails("EISCONN")
            self.values["connected"] = 1
            raise Fails("EISCONN") if self.bsd else ReturnsNow(0)
        self.values["connected"] = 1
        return 0

    def start(self, port: int | None, data: int = 0) -> None:
        """Send the SYN."""
        self.port = self.port or self.world.ephemeral()
        tunnelled = self.encapsulation != 0
        endpoint = self.world.new_endpoint(self.port, port or CONNECT_PORT, tunnelled)
        c = endpoint.connection
        for name, value in self.settings.items():
            setattr(c, name, value)
        self._prepare(endpoint, c)
        c.queue += bytes(data)
        self.endpoint = endpoint
        self.world.follow(self.world.layer.open(endpoint, self.world.now))

    def _prepare(self, endpoint: Endpoint, c: Connection) -> None:
        endpoint.tos, endpoint.ttl, endpoint.fast_open = self.tos, self.ttl, self.fast_open
        if self.mss is not None:
            c.local_mss = min(c.local_mss, self.mss)
        if self.congestion:
            self.set_congestion(self.congestion)
        if self.encapsulation:
            endpoint.tunnel = Tunnel(self.world.layer.knobs.udp_port, self.encapsulation)

    def set_congestion(self, name: str) -> None:
        """TCP_CONGESTION."""
        from netlab.stack.tcp.congestion import CONTROLS

        if name not in CONTROLS:
            raise Fails("ENOENT")
        self.congestion = name
        c = self.connection
        if c is not None:
            c.control = CONTROLS[name](c.send_mss, c.knobs.initial_window)

    # ---- data --------------------------------------------------------------------------------

    def send(self, size: int, *, nonblocking: bool = False, urgent: bool = False, more: bool = False) -> int:
        """Queue ``size`` bytes."""
        c = self.connected
        self._fail_if_dead()
        if c.fin_queued or c.state == CLOSED or c.state > CLOSE_WAIT:
            raise Fails("EPIPE")
        if c.state in (SYN_SENT, SYN_RECEIVED) and not c.syn_data and not self.fast_open and not c.fast_opened:
            if nonblocking or self.nonblocking:
                raise Fails("EAGAIN")
            raise Blocks
        left = self.unsent or size
        c.cork = c.cork or more
        taken = c.write(bytes(left), urgent=urgent)
        if more:
            self._push()
            c.cork = bool(self.values.get("TCP_CORK") or self.values.get("TCP_NOPUSH"))
        else:
            self._push()
        if taken == left:
            self.unsent = 0
            return size
        if nonblocking or self.nonblocking:
            if not taken:
                raise Fails("EAGAIN")
            return taken
        self.unsent = left - taken
        raise Blocks

    def send_to(self, size: int, port: int | None, *, nonblocking: bool = False, fast: bool = False) -> int:
        """Send, and connect first where nothing is connected (RFC 7413: a SYN that may carry the data)."""
        if self.endpoint is not None:
            return self.send(size, nonblocking=nonblocking)
        if not (fast or self.fast_open):
            raise Fails("ENOTCONN")
        self.fast_open = True
        self.start(port, size)
        c = self.connected
        if (nonblocking or self.nonblocking) and not c.syn_data and self.world.layer.knobs.system == "linux":
            c.queue.clear()
            raise Fails("EINPROGRESS")
        return size

    def _push(self) -> None:
        assert self.endpoint is not None
        actions = self.connected.push(self.world.now)
        self.world.follow(self.world.layer.done(self.endpoint, actions))

    def receive(self, size: int, *, nonblocking: bool = False, peek: bool = False) -> int:
        """Read up to ``size`` bytes; 0 at the end."""
        c = self.connected
        if self.shut_reading:
            return 0
        if c.inbox:
            if peek:
                return min(size, len(c.inbox))
            taken = len(c.read(size))
            if c.state != CLOSED:
                self._push()
            return taken
        self._fail_if_dead()
        if c.at_end:
            return 0
        if c.state in (SYN_SENT, SYN_RECEIVED) and self.bsd and self.nonblocking:
            raise Fails("ENOTCONN")
        raise Fails("EAGAIN") if nonblocking or self.nonblocking else Blocks

    # ---- closing -----------------------------------------------------------------------------

    def shutdown(self, how: int) -> int:
        """Close one direction or both."""
        c = self.connection
        bsd = self.bsd
        if c is None or c.state == CLOSED or (c.state == SYN_SENT and not bsd):
            raise Fails("ENOTCONN")
        if how in (0, 2):
            self.shut_reading = c.half_closed = True
            c.inbox.clear()
        if how in (1, 2):
            assert self.endpoint is not None
            self.world.follow(self.world.layer.done(self.endpoint, c.shutdown(self.world.now)))
        return 0

    def close(self) -> int:
        """The program lets go."""
        if self.listener is not None:
            listener, self.listener = self.listener, None
            self.world.follow(self.world.layer.unlisten(listener, self.world.now))
        c = self.connection
        if c is None or self.endpoint is None:
            return 0
        if not c.orphan:
            c.linger = self.setting("linger")
            self.world.follow(self.world.layer.done(self.endpoint, c.close(self.world.now)))
            if c.linger and c.state != CLOSED:
                self.values["linger until"] = self.world.now + c.linger
                self.world.alarms.add(self.world.now + c.linger)
        until = self.values.get("linger until")
        if until is not None and c.snd_una < c.snd_max and self.world.now < until and not self.nonblocking:
            raise Blocks
        return 0

    # ---- readiness ---------------------------------------------------------------------------

    def readiness(self) -> set[str]:
        """What poll would say: POLLIN, POLLOUT, POLLERR, POLLHUP, POLLRDHUP."""
        if self.listener is not None:
            return {"POLLIN", "POLLRDNORM"} if self.listener.ready else set()
        c = self.connection
        if c is None:
            return {"POLLOUT", "POLLHUP"}
        found: set[str] = set()
        if c.error and not self.error_seen:
            found |= {"POLLERR", "POLLIN", "POLLOUT"}
        if c.inbox or c.at_end:
            found |= {"POLLIN", "POLLRDNORM"}
        if c.state >= ESTABLISHED and c.room > 0:
            found |= {"POLLOUT", "POLLWRNORM"}
        if c.fin_received:
            found.add("POLLRDHUP")
        if c.state == CLOSED or (c.fin_received and c.fin_queued):
            found |= {"POLLHUP", "POLLOUT"}
        return found


class ReturnsNow(Exception):
    """A non-blocking connect that asks again is told 0 once (Linux)."""

    def __init__(self, result: int) -> None:
        super().__init__(result)
        self.result = result
