"""From what programs write (addresses, names, numbers of options) to what the stack knows, and back."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from functools import cache
from typing import Any

from netlab.backend.native.sockets.failures import failure, unsupported
from netlab.errors import BadInput
from netlab.stack.tcp.sockopts import OPTIONS
from netlab.wire.address import format_ipv4, format_ipv6, parse_ipv4, parse_ipv6

MAPPED = 0xFFFF << 32
"""::ffff:0:0/96: IPv4 addresses as an IPv6 socket shows them (RFC 4291 §2.5.5.2)."""


def parse_host(text: str, version: int, names: Mapping[str, str]) -> int:
    """An address as an int; "" is 0, which is any. gaierror for a name that nobody here knows."""
    text = names.get(text, text)
    if text in ("", "0.0.0.0", "::"):
        return 0
    try:
        if version == 6:
            return parse_ipv6(text.partition("%")[0]) if ":" in text else MAPPED | parse_ipv4(text)
        return parse_ipv4(text)
    except BadInput as error:
        known = f"; the names here are {', '.join(names)}" if names else ", because no name is looked up here"
        raise socket.gaierror(socket.EAI_NONAME, f"'{text}' is no IPv{version} address: write one{known}") from error


def parse_end(address: Any, version: int, names: Mapping[str, str]) -> tuple[int, int]:
    """(host, port) of a program as ints; TypeError for what is no such tuple."""
    if not isinstance(address, tuple) or len(address) < 2:
        raise TypeError(f"an address is a tuple (host, port), not {address!r}")
    host, port = address[:2]
    if not isinstance(port, int) or not isinstance(host, str):
        raise TypeError(f"an address is a tuple of a str and an int, not {address!r}")
    if not 0 <= port <= 65535:
        raise OverflowError(f"port {port} is not within 0 to 65535")
    return parse_host(host, version, names), port


def end_of(family: int, address: int, port: int, version: int) -> tuple[Any, ...]:
    """What getsockname and getpeername show: of four parts for AF_INET6."""
    if family == socket.AF_INET:
        return format_ipv4(address), port
    return format_ipv6(MAPPED | address if version == 4 and address else address), port, 0, 0


UDP = ("SO_SNDBUF", "SO_BROADCAST", "UDP_SEGMENT", "UDP_GRO")
COMMON = ("SO_ERROR", "SO_TYPE", "SO_DOMAIN", "SO_PROTOCOL")
FIXED = {"SO_MARK": 36, "SO_SETFIB": 0x1014, "TCP_NOTSENT_LOWAT": 25, "UDP_SEGMENT": 103, "UDP_GRO": 104}
"""Numbers that Python's socket module may not have: Linux's, and FreeBSD's for SO_SETFIB."""
ONLY_NAMED = frozenset({"TCP_NOPUSH", "TCP_KEEPINIT"})
"""FreeBSD's numbers for these mean something else on Linux."""


@cache
def _numbers() -> dict[tuple[int, int], str]:
    levels = {
        "SO": socket.SOL_SOCKET,
        "IP": socket.IPPROTO_IP,
        "IPV6": socket.IPPROTO_IPV6,
        "TCP": socket.IPPROTO_TCP,
        "UDP": socket.IPPROTO_UDP,
    }
    found = {}
    for name in (*OPTIONS, *UDP, *COMMON):
        number = getattr(socket, name, FIXED.get(name))
        if number is not None and name not in ONLY_NAMED:
            found[levels[name.partition("_")[0]], number] = name
    return found


def option_name(level: int, option: int | str) -> str:
    """An option's name, from the numbers of this machine's socket module, or from the name itself."""
    if isinstance(option, str):
        return option
    name = _numbers().get((level, option))
    if name is None:
        raise failure("ENOPROTOOPT", f"option {option} of level {level} is not supported by these sockets")
    return name


def check_flags(flags: int, allowed: tuple[str, ...]) -> None:
    """EOPNOTSUPP for a flag of send or recv that is not in ``allowed``, by its name."""
    for name in allowed:
        flags &= ~getattr(socket, name, 0)
    if flags:
        known = [name for name in dir(socket) if name.startswith("MSG_") and getattr(socket, name) & flags]
        raise unsupported("the flag " + (known[0] if known else hex(flags)))
