"""What a program may set of a TCP socket, by the names of setsockopt: before there is a connection, and during it.

Values are ints (SO_LINGER: seconds, -1 for off; TCP_CONGESTION: a name). OSError as the call would fail: ENOPROTOOPT
for a name that is not here, EINVAL for a value that cannot be.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from netlab.stack.tcp.congestion import CONTROLS
from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.knobs import Knobs
from netlab.stack.tcp.layer import Endpoint
from netlab.stack.tcp.listener import Listener
from netlab.stack.tcp.segment import Action
from netlab.stack.tcp.state import CLOSED, ESTABLISHED, LISTEN, SYN_RECEIVED
from netlab.units import MS, SEC

if TYPE_CHECKING:
    from netlab.stack.host import Host

WITH_ADDRESSES = ("tos", "ttl", "fib", "mark")
"""What IP is asked to do for a connection: attributes of `Endpoint` and of `Listener`."""


class SocketOptions:
    """The options of one socket; `Endpoint` and `Listener` are told once they are there."""

    def __init__(self, knobs: Knobs, version: int = 4) -> None:
        self.knobs, self.version = knobs, version
        self.endpoint: Endpoint | None = None
        self.listener: Listener | None = None
        self.settings: dict[str, Any] = {}
        """Attribute of `Connection` -> value, for the connection that is or will be."""
        self.values: dict[str, Any] = {}
        """What is only remembered: option -> value."""
        self.tos, self.ttl, self.mark = 0, 64, 0
        self.fib: int | None = None
        self.mss = 0
        self.congestion = ""

    @property
    def connection(self) -> Connection | None:
        """The connection, if there ever was one."""
        return self.endpoint.connection if self.endpoint is not None else None

    def get(self, name: str) -> Any:
        """An option's value."""
        return _option(name).get(self)

    def set(self, name: str, value: Any, now: int) -> list[Action]:
        """Set one; what the connection sends because of that."""
        _option(name).set(self, value)
        c = self.connection
        if c is None or c.state == CLOSED:
            return []
        if name == "SO_KEEPALIVE":
            _guard_silence(c, now)
        return c.push(now) if name in PUSHING else []

    def setting(self, name: str) -> Any:
        """An attribute of the connection, or what one would have that was made now."""
        c = self.connection
        if c is None and name not in self.settings:
            c = Connection(self.knobs, mss=self.knobs.default_mss, iss=0, version=self.version)
        return self.settings[name] if c is None else getattr(c, name)

    def put(self, name: str, value: Any) -> None:
        """Set an attribute of the connection, or of all that a listener will accept."""
        self.settings[name] = value
        if self.endpoint is not None:
            setattr(self.endpoint.connection, name, value)
        if self.listener is not None:
            self.listener.settings[name] = value

    def route(self, name: str, value: Any) -> None:
        """Set what IP is asked to do."""
        setattr(self, name, value)
        for holder in (self.endpoint, self.listener):
            if holder is not None:
                setattr(holder, name, value)

    def source(self, host: Host, dst: int) -> int:
        """The own address that a connection to ``dst`` has, by the socket's table; 0 without a route."""
        return host.source_for(dst, fib=self.fib, mark=self.mark)

    def connecting(self, endpoint: Endpoint) -> None:
        """The socket has an endpoint: it gets what was set before."""
        self.endpoint = endpoint
        c = endpoint.connection
        for name in WITH_ADDRESSES:
            setattr(endpoint, name, getattr(self, name))
        for name, value in self.settings.items():
            setattr(c, name, value)
        if self.mss:
            c.local_mss = min(c.local_mss, self.mss)
        if self.congestion:
            c.choose_control(self.congestion)

    def listening(self, listener: Listener) -> None:
        """The socket listens: what was set is for the connections that will be accepted."""
        self.listener = listener
        for name in WITH_ADDRESSES:
            setattr(listener, name, getattr(self, name))
        listener.settings.update(self.settings)

    def inherited(self, endpoint: Endpoint) -> SocketOptions:
        """The options of a socket that was accepted."""
        child = SocketOptions(self.knobs, self.version)
        child.endpoint = endpoint
        child.settings, child.values = dict(self.settings), dict(self.values)
        for name in WITH_ADDRESSES:
            setattr(child, name, getattr(endpoint, name))
        if self.congestion:
            child.congestion = self.congestion
            endpoint.connection.choose_control(self.congestion)
        return child


class Option(NamedTuple):
    """How an option is read and set."""

    get: Callable[[SocketOptions], Any]
    set: Callable[[SocketOptions, Any], None]


def _option(name: str) -> Option:
    if name not in OPTIONS:
        raise OSError(errno.ENOPROTOOPT, f"there is no option {name} of TCP here; there are {', '.join(OPTIONS)}")
    return OPTIONS[name]


def _refused(name: str, value: Any, right: str) -> OSError:
    return OSError(errno.EINVAL, f"{name} cannot be {value!r}: {right}")


def _number(name: str, value: Any, least: int = 0, most: int = (1 << 31) - 1) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise _refused(name, value, f"it is an int from {least} to {most}")
    return int(value)


def _flag(name: str, attribute: str) -> Option:
    return Option(
        lambda s: int(bool(s.setting(attribute))),
        lambda s, value: s.put(attribute, bool(_number(name, value, -1 << 31))),
    )


def _amount(name: str, attribute: str, unit: int = 1, least: int = 1) -> Option:
    return Option(
        lambda s: int(s.setting(attribute)) // unit,
        lambda s, value: s.put(attribute, _number(name, value, least) * unit),
    )


def _remembered(name: str) -> Option:
    return Option(lambda s: s.values.get(name, 0), lambda s, value: s.values.__setitem__(name, _number(name, value)))


def _readonly(name: str, get: Callable[[SocketOptions], Any]) -> Option:
    def refuse(s: SocketOptions, value: Any) -> None:
        raise OSError(errno.ENOPROTOOPT, f"{name} can only be read")

    return Option(get, refuse)


def _buffer(name: str, attribute: str) -> Option:
    """Linux answers with twice what was set, its own bookkeeping included (socket(7))."""

    def get(s: SocketOptions) -> int:
        size = int(s.setting(attribute))
        return size * 2 if name in s.values and s.knobs.system == "linux" else size

    def put(s: SocketOptions, value: Any) -> None:
        s.values[name] = 1
        s.put(attribute, min(max(_number(name, value), 2048), s.knobs.maximum_buffer))

    return Option(get, put)


def _of_ip(name: str, attribute: str, most: int, clean: int = -1) -> Option:
    return Option(
        lambda s: getattr(s, attribute), lambda s, value: s.route(attribute, _number(name, value, 0, most) & clean)
    )


def _fib(s: SocketOptions, value: Any) -> None:
    if s.version == 6:
        raise OSError(errno.ENOPROTOOPT, "IPv6 has one table of routes here: SO_SETFIB is for AF_INET")
    s.route("fib", _number("SO_SETFIB", value, 0, 0xFFFF))


def _linger(s: SocketOptions, value: Any) -> None:
    seconds = _number("SO_LINGER", value, -1, 0xFFFF)
    s.put("linger", seconds * SEC if seconds >= 0 else None)


def _lingering(s: SocketOptions) -> int:
    found = s.setting("linger")
    return -1 if found is None else int(found) // SEC


def _mss(s: SocketOptions) -> int:
    c = s.connection
    if c is not None and c.state >= SYN_RECEIVED:
        return c.send_mss
    return s.mss or (s.knobs.default_mss if s.version == 4 else s.knobs.default_mss_v6)


def _set_mss(s: SocketOptions, value: Any) -> None:
    c = s.connection
    known = c is not None and c.state >= SYN_RECEIVED
    s.mss = _number("TCP_MAXSEG", value, 88, c.send_mss if c is not None and known else 0xFFFF)
    if c is not None and known:
        c.send_mss = s.mss
        c.control.set_mss(s.mss)
    if s.listener is not None:
        s.listener.settings["local_mss"] = s.mss


def _set_congestion(s: SocketOptions, value: Any) -> None:
    name = value.rstrip(b"\0").decode("ascii", "replace") if isinstance(value, bytes) else value
    if name not in CONTROLS:
        raise OSError(errno.ENOENT, f"there is no congestion control {name!r} here; there are {', '.join(CONTROLS)}")
    s.congestion = name
    if s.connection is not None:
        s.connection.choose_control(name)


def _congestion(s: SocketOptions) -> str:
    c = s.connection
    return c.control.name if c is not None else s.congestion or s.knobs.congestion


def _quick(s: SocketOptions, value: Any) -> None:
    s.put("quick_acks", 1 << 30 if value else 0)


def _unsent_limit(s: SocketOptions, value: Any) -> None:
    s.put("unsent_limit", _number("TCP_NOTSENT_LOWAT", value) or None)


def _guard_silence(c: Connection, now: int) -> None:
    if not c.keep_alive:
        c.timers.pop("keepalive", None)
    elif c.state >= ESTABLISHED:
        c.timers["keepalive"] = now + c.keep_idle


def tcp_info(c: Connection) -> dict[str, int]:
    """struct tcp_info of Linux, as far as it is known here: times in µs, windows in segments."""
    mss = max(c.send_mss, 1)
    segments = c.board.segments
    return {
        "state": _LINUX_STATES[int(c.state)],
        "ca_state": {"": 0, "fast": 3, "loss": 4}.get(c.recovery, 0),
        "retransmits": c.retries,
        "probes": c.probes,
        "backoff": c.rto.backoff,
        "options": c.timestamping | c.sack_ok << 1 | c.scaling << 2 | c.ecn << 3,
        "snd_wscale": c.snd_scale,
        "rcv_wscale": c.rcv_scale,
        "rto": c.rto.timeout // 1000,
        "snd_mss": c.send_mss,
        "rcv_mss": c.local_mss,
        "unacked": len(segments),
        "sacked": sum(x.sacked for x in segments),
        "lost": sum(x.lost for x in segments),
        "rtt": c.rto.srtt // 1000,
        "rttvar": c.rto.variance // 1000,
        "snd_ssthresh": min(c.control.ssthresh // mss, (1 << 31) - 1),
        "snd_cwnd": c.control.cwnd // mss,
        "advmss": c.local_mss,
        "rcv_space": c.receive_buffer,
        "snd_wnd": c.snd_wnd,
        "notsent_bytes": unsent(c),
    }


def unsent(c: Connection) -> int:
    """Bytes that were written and have not left."""
    return max(len(c.queue) - (c.snd_nxt - c.queue_start), 0)


_LINUX_STATES = (7, 10, 2, 3, 1, 8, 4, 11, 9, 5, 6)
"""State -> Linux's number (include/net/tcp_states.h)."""
PUSHING = frozenset({"TCP_NODELAY", "TCP_CORK", "TCP_NOPUSH"})
"""Options after which something may go that was held back."""


def _info(s: SocketOptions) -> dict[str, int]:
    if s.connection is None:
        return {"state": _LINUX_STATES[LISTEN if s.listener is not None else CLOSED]}
    return tcp_info(s.connection)


OPTIONS: dict[str, Option] = {
    "SO_SNDBUF": _buffer("SO_SNDBUF", "send_buffer"),
    "SO_RCVBUF": _buffer("SO_RCVBUF", "receive_buffer"),
    "SO_REUSEADDR": _remembered("SO_REUSEADDR"),
    "SO_REUSEPORT": _remembered("SO_REUSEPORT"),
    "SO_KEEPALIVE": _flag("SO_KEEPALIVE", "keep_alive"),
    "SO_LINGER": Option(_lingering, _linger),
    "SO_PRIORITY": _remembered("SO_PRIORITY"),
    "SO_MARK": _of_ip("SO_MARK", "mark", (1 << 32) - 1),
    "SO_SETFIB": Option(lambda s: s.fib or 0, _fib),
    "SO_ACCEPTCONN": _readonly("SO_ACCEPTCONN", lambda s: int(s.listener is not None)),
    "IP_TOS": _of_ip("IP_TOS", "tos", 255, ~3),
    "IP_TTL": _of_ip("IP_TTL", "ttl", 255),
    "IPV6_TCLASS": _of_ip("IPV6_TCLASS", "tos", 255, ~3),
    "IPV6_UNICAST_HOPS": _of_ip("IPV6_UNICAST_HOPS", "ttl", 255),
    "IPV6_V6ONLY": _readonly("IPV6_V6ONLY", lambda s: int(s.version == 6)),
    "TCP_NODELAY": _flag("TCP_NODELAY", "nodelay"),
    "TCP_CORK": _flag("TCP_CORK", "cork"),
    "TCP_NOPUSH": _flag("TCP_NOPUSH", "cork"),
    "TCP_MAXSEG": Option(_mss, _set_mss),
    "TCP_CONGESTION": Option(_congestion, _set_congestion),
    "TCP_KEEPIDLE": _amount("TCP_KEEPIDLE", "keep_idle", SEC),
    "TCP_KEEPINTVL": _amount("TCP_KEEPINTVL", "keep_interval", SEC),
    "TCP_KEEPCNT": _amount("TCP_KEEPCNT", "keep_count"),
    "TCP_KEEPINIT": _amount("TCP_KEEPINIT", "keep_init", SEC),
    "TCP_USER_TIMEOUT": _amount("TCP_USER_TIMEOUT", "user_timeout", MS, 0),
    "TCP_QUICKACK": Option(lambda s: int(bool(s.setting("quick_acks"))), _quick),
    "TCP_NOTSENT_LOWAT": Option(lambda s: s.setting("unsent_limit") or 0, _unsent_limit),
    "TCP_INFO": _readonly("TCP_INFO", _info),
}
