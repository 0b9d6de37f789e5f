"""getsockopt and setsockopt, by level and name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from netlab.packetdrill.blocking import Fails
from netlab.packetdrill.script import Refused
from netlab.packetdrill.sockets import Socket
from netlab.packetdrill.sysctls import functions
from netlab.packetdrill.tcpinfo import tcp_info
from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.layer import HEADERS
from netlab.stack.tcp.state import CLOSED, ESTABLISHED, FIN_WAIT_2, SYN_RECEIVED, SYN_SENT
from netlab.units import MS, SEC
from netlab.wire import ipv6


class Option(NamedTuple):
    """How an option is read and set; a getter that returns a str returns a symbol's name."""

    get: Callable[[Socket], Any]
    set: Callable[[Socket, Any], None]


def _attribute(name: str, unit: int = 1, kind: type = int) -> Option:
    def put(s: Socket, value: Any) -> None:
        s.put(name, kind(int(value) * unit if unit != 1 else int(value)))

    return Option(lambda s: int(s.setting(name)) // unit, put)


def _keeping(name: str, unit: int, most: int) -> Option:
    """TCP_KEEP…: BSD takes 0 for what the administrator set, Linux refuses it and what is beyond ``most``."""

    def put(s: Socket, value: Any) -> None:
        n, bsd = int(value), s.bsd
        if not (0 if bsd else 1) <= n <= (most if not bsd else MOST_SECONDS):
            raise Fails("EINVAL")
        s.put(name, n * unit if n else s.default(name))
        c = s.connection
        if c is not None:
            _rearm(s, c, name)

    return Option(lambda s: int(s.setting(name)) // unit, put)


MOST_SECONDS = 0xFFFFFFFF // 1000
"""What BSD holds in ticks of a thousandth of a second."""


def _rearm(s: Socket, c: Connection, name: str) -> None:
    """What a changed patience changes in timers that run already."""
    now = s.world.now
    if name == "keep_init":
        if "connect" in c.timers and c.state == SYN_SENT:
            c.timers["connect"] = now + c.keep_init
    elif name == "keep_idle":
        if "keepalive" in c.timers:
            c.timers["keepalive"] = now + c.keep_idle
    elif s.bsd and c.state == FIN_WAIT_2 and "fin wait 2" in c.timers:
        c.timers["fin wait 2"] = now + c.keep_count * c.keep_interval
    s._push()


def _remembered(name: str, start: Any = 0) -> Option:
    return Option(lambda s: s.values.get(name, start), lambda s, value: s.values.__setitem__(name, value))


def _readonly(get: Callable[[Socket], Any], error: str = "ENOPROTOOPT") -> Option:
    def put(s: Socket, value: Any) -> None:
        raise Fails(error if s.bsd else "ENOPROTOOPT")

    return Option(get, put)


def _keep_alive(s: Socket, value: Any) -> None:
    s.put("keep_alive", bool(value))
    c = s.connection
    if c is None or c.state < ESTABLISHED:
        return
    if value:
        c.timers["keepalive"] = s.world.now + c.keep_idle
    else:
        c.timers.pop("keepalive", None)
    s._push()


def _linger(s: Socket, value: Any) -> None:
    on, seconds = (value.get("onoff", value.get("l_onoff", 0)), value.get("linger", value.get("l_linger", 0)))
    s.values["linger"] = {"onoff": on, "linger": seconds}
    s.put("linger", int(seconds) * SEC if on else None)


def _tos(s: Socket, value: Any) -> None:
    s.tos = int(value) & ~3
    if s.endpoint is not None:
        s.endpoint.tos = s.tos
    if s.listener is not None:
        s.listener.tos = s.tos


def _ttl(s: Socket, value: Any) -> None:
    s.ttl = int(value) if int(value) >= 0 else 64
    if s.endpoint is not None:
        s.endpoint.ttl = s.ttl
    if s.listener is not None:
        s.listener.ttl = s.ttl


def _mss(s: Socket) -> int:
    c = s.connection
    if c is not None and c.state >= SYN_RECEIVED:
        return c.send_mss
    knobs = s.world.layer.knobs
    said = s.values.get("TCP_MAXSEG")
    if said:
        return int(said)
    return knobs.default_mss if s.world.version == 4 else knobs.default_mss_v6


def _set_mss(s: Socket, value: Any) -> None:
    """BSD only ever makes it smaller, and forgets before a handshake; Linux's bounds what its SYN offers."""
    c, n, knobs = s.connection, int(value), s.world.layer.knobs
    if s.bsd:
        if not 0 < n <= _mss(s) or n + HEADERS[4] < knobs.minimum_mss:
            raise Fails("EINVAL")
    elif n and not LINUX_LEAST_MSS <= n <= 32767:
        raise Fails("EINVAL")
    s.values["TCP_MAXSEG"] = n
    if not s.bsd:
        s.mss = n or None
        if s.listener is not None:
            s.listener.settings["local_mss"] = min(n or 65535, s.default("local_mss"))
    if c is not None and c.state >= SYN_RECEIVED and n:
        c.send_mss = min(n, c.send_mss)
        c.control.set_mss(c.send_mss)


LINUX_LEAST_MSS = 88


def _set_encapsulation(s: Socket, value: Any) -> None:
    n = int(value)
    if not 0 <= n < 65536 or (n and not s.world.layer.knobs.udp_port):
        raise Fails("EINVAL")
    if s.listener is not None or s.endpoint is not None:
        raise Fails("EINVAL")
    s.encapsulation = n


def _encapsulation(s: Socket) -> int:
    tunnel = s.endpoint.tunnel if s.endpoint else None
    return tunnel.remote if tunnel else s.encapsulation


def _fast_open(s: Socket, value: Any) -> None:
    """TCP_FASTOPEN: a number, or FreeBSD's {enable=1, psk=...}."""
    if isinstance(value, dict):
        value = value.get("enable", 1)
    on, knobs = bool(value if isinstance(value, int) else 1), s.world.layer.knobs
    if s.bsd and s.endpoint is not None:
        raise Fails("EINVAL")
    if s.bsd and not knobs.fast_open_server and (s.listener is not None or not knobs.fast_open_client):
        raise Fails("EPERM")
    s.fast_open = on
    if s.listener is not None:
        s.listener.fast_open = on


def _minimum_mtu(s: Socket, value: Any) -> None:
    """IPV6_USE_MIN_MTU (RFC 3542 §11.1): no packet longer than what every link carries."""
    s.values["IPV6_USE_MIN_MTU"] = int(value)
    if int(value) == 1:
        s.mss = ipv6.MINIMUM_MTU - HEADERS[6] - (s.world.layer.knobs.udp_overhead if s.encapsulation else 0)
        if s.listener is not None:
            s.listener.settings["local_mss"] = s.mss


def _function_block(s: Socket, value: Any) -> None:
    """TCP_FUNCTION_BLK: the choice of a TCP, here one for the whole host."""
    functions(s.world.layer, str(value.get("function_set_name") if isinstance(value, dict) else None))


def _buffer(name: str) -> Option:
    """SO_RCVBUF, SO_SNDBUF: Linux doubles what is asked for, and lets a window be half of it."""

    def half(s: Socket) -> int:
        return 2 if not s.bsd and name == "receive_buffer" else 1

    def get(s: Socket) -> int:
        return int(s.setting(name)) * (half(s) if s.values.get(name) else 1)

    def put(s: Socket, value: Any) -> None:
        s.values[name] = 1
        asked = min(max(int(value), 1), s.world.layer.knobs.maximum_buffer)
        s.put(name, asked if s.bsd else asked * 2 // half(s))

    return Option(get, put)


def _cork(name: str, bit: int) -> Option:
    def put(s: Socket, value: Any) -> None:
        s.values[name] = int(value)
        s.put("cork", bool(value))
        if not value and s.connection is not None and s.connection.state != CLOSED:
            s._push()

    return Option(lambda s: bit * bool(s.values.get(name, 0)), put)


def _bit(s: Socket, on: Any, bit: int) -> int:
    """BSD tells a flag as it holds it."""
    return (bit if s.bsd else 1) * bool(on)


def _nodelay(s: Socket, value: Any) -> None:
    s.put("nodelay", bool(value))
    if value and s.connection is not None and s.connection.state != CLOSED:
        s._push()


def _quick_ack(s: Socket, value: Any) -> None:
    s.put("quick_acks", 1000 if value else 0)


def _delayed_ack(s: Socket, value: Any) -> None:
    s.values["TCP_DELACK"] = int(bool(value))
    s.put("quick_acks", 0 if value else 1 << 30)


OPTIONS: dict[str, Option] = {
    "SO_ERROR": _readonly(lambda s: s.take_error() or 0),
    "SO_RCVBUF": _buffer("receive_buffer"),
    "SO_SNDBUF": _buffer("send_buffer"),
    "SO_KEEPALIVE": Option(lambda s: int(bool(s.setting("keep_alive"))), _keep_alive),
    "SO_LINGER": Option(lambda s: s.values.get("linger", {"onoff": 0, "linger": 0}), _linger),
    "SO_REUSEADDR": _remembered("SO_REUSEADDR"),
    "SO_REUSEPORT": _remembered("SO_REUSEPORT"),
    "SO_OOBINLINE": _remembered("SO_OOBINLINE"),
    "SO_DEBUG": _remembered("SO_DEBUG"),
    "SO_RCVLOWAT": _remembered("SO_RCVLOWAT", 1),
    "SO_SNDLOWAT": _remembered("SO_SNDLOWAT", 2048),
    "SO_TYPE": _readonly(lambda s: 1),
    "SO_DOMAIN": _readonly(lambda s: {4: 2, 6: 28 if s.world.layer.knobs.system == "freebsd" else 10}[s.world.version]),
    "SO_PROTOCOL": _readonly(lambda s: 6),
    "SO_LISTENQLIMIT": _readonly(lambda s: s.listener.backlog if s.listener else 0),
    "SO_LISTENQLEN": _readonly(lambda s: len(s.listener.ready) if s.listener else 0),
    "SO_LISTENINCQLEN": _readonly(lambda s: 0),
    "SO_ACCEPTCONN": _readonly(lambda s: int(s.listener is not None)),
    "SO_PRIORITY": _remembered("SO_PRIORITY"),
    "SO_MARK": _remembered("SO_MARK"),
    "IP_TOS": Option(lambda s: s.tos, _tos),
    "IPV6_TCLASS": Option(lambda s: s.tos, _tos),
    "IP_TTL": Option(lambda s: s.ttl, _ttl),
    "IPV6_UNICAST_HOPS": Option(lambda s: s.ttl, _ttl),
    "IPV6_HOPLIMIT": Option(lambda s: s.ttl, _ttl),
    "IPV6_V6ONLY": _remembered("IPV6_V6ONLY"),
    "IP_MTU_DISCOVER": _remembered("IP_MTU_DISCOVER"),
    "TCP_NODELAY": Option(lambda s: _bit(s, s.setting("nodelay"), 0x4), _nodelay),
    "TCP_NOPUSH": _cork("TCP_NOPUSH", 0x1000),
    "TCP_CORK": _cork("TCP_CORK", 1),
    "TCP_MAXSEG": Option(_mss, _set_mss),
    "TCP_NOOPT": Option(lambda s: _bit(s, s.setting("no_options"), 0x8), lambda s, v: s.put("no_options", bool(v))),
    "TCP_KEEPINIT": _keeping("keep_init", SEC, 32767),
    "TCP_KEEPIDLE": _keeping("keep_idle", SEC, 32767),
    "TCP_KEEPINTVL": _keeping("keep_interval", SEC, 32767),
    "TCP_KEEPCNT": _keeping("keep_count", 1, 127),
    "TCP_USER_TIMEOUT": _attribute("user_timeout", MS),
    "TCP_MAXUNACKTIME": _attribute("user_timeout", SEC),
    "TCP_DELACK": Option(lambda s: int(s.values.get("TCP_DELACK", 1)), _delayed_ack),
    "TCP_QUICKACK": Option(lambda s: int(bool(s.setting("quick_acks"))), _quick_ack),
    "TCP_CONGESTION": Option(lambda s: s.setting("control").name, lambda s, v: s.set_congestion(str(v))),
    "TCP_FASTOPEN": Option(lambda s: int(s.fast_open), _fast_open),
    "TCP_REMOTE_UDP_ENCAPS_PORT": Option(_encapsulation, _set_encapsulation),
    "TCP_INFO": _readonly(tcp_info, "EINVAL"),
    "TCP_NOTSENT_LOWAT": _remembered("TCP_NOTSENT_LOWAT"),
    "TCP_FUNCTION_BLK": Option(
        lambda s: {"function_set_name": "rack" if s.world.layer.knobs.rack else "freebsd", "pcbcnt": 1}, _function_block
    ),
    "IPV6_USE_MIN_MTU": Option(lambda s: s.values.get("IPV6_USE_MIN_MTU", -1), _minimum_mtu),
    "TCP_SAVE_SYN": _remembered("TCP_SAVE_SYN"),
}


_REMEMBERED = (
    "SO_BROADCAST",
    "SO_DONTROUTE",
    "SO_INCOMING_CPU",
    "SO_NOSIGPIPE",
    "SO_NO_DDP",
    "SO_NO_OFFLOAD",
    "SO_RERROR",
    "SO_REUSEPORT_LB",
    "SO_SETFIB",
    "SO_TIMESTAMP",
    "SO_BINTIME",
    "SO_USELOOPBACK",
    "SO_USER_COOKIE",
    "SO_ZEROCOPY",
    "SO_MAX_PACING_RATE",
    "SO_BUSY_POLL",
    "IP_DONTFRAG",
    "IP_MINTTL",
    "IP_PORTRANGE",
    "IP_RECVERR",
    "IP_RECVTOS",
    "IP_RECVTTL",
    "IP_BINDANY",
    "IP_TRANSPARENT",
    "IP_FREEBIND",
    "IPV6_AUTOFLOWLABEL",
    "IPV6_DONTFRAG",
    "IPV6_PORTRANGE",
    "IPV6_RECVERR",
    "IPV6_RECVHOPLIMIT",
    "IPV6_RECVTCLASS",
    "IPV6_MTU_DISCOVER",
    "TCP_LOG",
    "TCP_LOGID",
    "TCP_LOGBUF",
    "TCP_PCAP_IN",
    "TCP_PCAP_OUT",
    "TCP_REUSPORT_LB_NUMA",
    "TCP_DEFER_ACCEPT",
    "TCP_THIN_LINEAR_TIMEOUTS",
)
"""Options that change nothing that a segment could show here: what was set is told again."""
OPTIONS |= {name: _remembered(name) for name in _REMEMBERED}


def option(s: Socket, name: str) -> Option:
    """The option of this name for a socket; Refused when there is none here.

    BSD has no TCP options left on a socket whose connection is gone (ECONNRESET).
    """
    if name not in OPTIONS:
        raise Refused(f"the socket option {name}")
    c = s.connection
    if name.startswith("TCP_") and c is not None and c.state == CLOSED and c.knobs.system == "freebsd":
        raise Fails("ECONNRESET")
    return OPTIONS[name]
