"""Symbols of C headers that scripts use. Only equality matters, but for flags that are or-ed and for numbers that
scripts write as numbers; those are each system's own."""

from __future__ import annotations

import errno
from typing import Any

from netlab.packetdrill.script import ANYTHING, Either, Name, Refused

COMMON: dict[str, int] = {
    "AF_UNSPEC": 0,
    "AF_INET": 2,
    "PF_INET": 2,
    "AF_INET6": 10,
    "PF_INET6": 10,
    "SOCK_STREAM": 1,
    "SOCK_DGRAM": 2,
    "IPPROTO_IP": 0,
    "IPPROTO_TCP": 6,
    "SOL_TCP": 6,
    "SOL_IP": 0,
    "IPPROTO_UDP": 17,
    "IPPROTO_IPV6": 41,
    "SOL_IPV6": 41,
    "SHUT_RD": 0,
    "SHUT_WR": 1,
    "SHUT_RDWR": 2,
    "F_GETFD": 1,
    "F_SETFD": 2,
    "F_GETFL": 3,
    "F_SETFL": 4,
    "FD_CLOEXEC": 1,
    "O_RDONLY": 0,
    "O_WRONLY": 1,
    "O_RDWR": 2,
    "POLLIN": 1,
    "POLLPRI": 2,
    "POLLOUT": 4,
    "POLLERR": 8,
    "POLLHUP": 16,
    "POLLNVAL": 32,
    "POLLRDNORM": 0x40,
    "POLLRDBAND": 0x80,
    "POLLWRBAND": 0x200,
    "POLLRDHUP": 0x2000,
    "NULL": 0,
    "EPOLLIN": 1,
    "EPOLLPRI": 2,
    "EPOLLOUT": 4,
    "EPOLLERR": 8,
    "EPOLLHUP": 16,
    "EPOLLRDHUP": 0x2000,
    "EPOLLONESHOT": 1 << 30,
    "EPOLLET": 1 << 31,
    "EPOLL_CTL_ADD": 1,
    "EPOLL_CTL_DEL": 2,
    "EPOLL_CTL_MOD": 3,
    "TCP_ESTABLISHED": 1,
    "TCP_SYN_SENT": 2,
    "TCP_SYN_RECV": 3,
    "TCP_FIN_WAIT1": 4,
    "TCP_FIN_WAIT2": 5,
    "TCP_TIME_WAIT": 6,
    "TCP_CLOSE": 7,
    "TCP_CLOSE_WAIT": 8,
    "TCP_LAST_ACK": 9,
    "TCP_LISTEN": 10,
    "TCP_CLOSING": 11,
    "TCPI_OPT_TIMESTAMPS": 1,
    "TCPI_OPT_SACK": 2,
    "TCPI_OPT_WSCALE": 4,
    "TCPI_OPT_ECN": 8,
    "TCP_CA_Open": 0,
    "TCP_CA_Disorder": 1,
    "TCP_CA_CWR": 2,
    "TCP_CA_Recovery": 3,
    "TCP_CA_Loss": 4,
    "SOCK_RAW": 3,
    "SOCK_SEQPACKET": 5,
    "SOMAXCONN": 128,
    "MSG_OOB": 1,
    "MSG_PEEK": 2,
    "MSG_DONTROUTE": 4,
}
_TCPS = (
    "CLOSED",
    "LISTEN",
    "SYN_SENT",
    "SYN_RECEIVED",
    "ESTABLISHED",
    "CLOSE_WAIT",
    "FIN_WAIT_1",
    "CLOSING",
    "LAST_ACK",
    "FIN_WAIT_2",
    "TIME_WAIT",
)
SYSTEM: dict[str, dict[str, int]] = {
    "freebsd": {
        "O_NONBLOCK": 0x4,
        "SOL_SOCKET": 0xFFFF,
        "SOCK_NONBLOCK": 0x20000000,
        "SOCK_CLOEXEC": 0x10000000,
        "POLLWRNORM": 4,
        "MSG_DONTWAIT": 0x80,
        "MSG_NOSIGNAL": 0x20000,
        "MSG_WAITALL": 0x40,
        "MSG_EOR": 0x8,
        "MSG_EOF": 0x100,
        "TCPI_OPT_TOE": 0x10,
        "TCPI_OPT_TFO": 0x20,
        "TCPI_OPT_ACE": 0x40,
        "SF_NODISKIO": 1,
        "SF_SYNC": 4,
        "SF_NOCACHE": 16,
        **{f"TCPS_{name}": n for n, name in enumerate(_TCPS)},
    },
    "linux": {
        "O_NONBLOCK": 0o4000,
        "SOL_SOCKET": 1,
        "SOCK_NONBLOCK": 0o4000,
        "SOCK_CLOEXEC": 0o2000000,
        "POLLWRNORM": 0x100,
        "MSG_DONTWAIT": 0x40,
        "MSG_NOSIGNAL": 0x4000,
        "MSG_WAITALL": 0x100,
        "MSG_EOR": 0x80,
        "MSG_MORE": 0x8000,
        "MSG_FASTOPEN": 0x20000000,
        "MSG_ZEROCOPY": 0x4000000,
        "MSG_TRUNC": 0x20,
        "MSG_ERRQUEUE": 0x2000,
        "MSG_CTRUNC": 0x8,
        "TCPI_OPT_ECN_SEEN": 0x10,
        "TCPI_OPT_SYN_DATA": 0x20,
    },
}
DSCP = {"DEFAULT": 0, "LE": 1, "EF": 46, "VA": 44, **{f"CS{n}": 8 * n for n in range(8)}}
DSCP |= {f"AF{c}{d}": 8 * c + 2 * d for c in range(1, 5) for d in range(1, 4)}
ERRNO_FALLBACK = 1000
_EXTRA_ERRNO = {"EWOULDBLOCK": "EAGAIN"}


class Symbols:
    """Looks symbols up as one system knows them."""

    def __init__(self, system: str) -> None:
        self.table = {**COMMON, **SYSTEM[system]}

    def number(self, value: Any) -> int:
        """An int for a number, a symbol or several or-ed; Refused for a symbol that is not known."""
        if isinstance(value, int | float):
            return int(value)
        if isinstance(value, Either):
            total = 0
            for part in value.parts:
                total |= self.number(part)
            return total
        if isinstance(value, Name):
            return self._look_up(value.text)
        raise Refused(f"the value {value!r} where a number is wanted")

    def _look_up(self, name: str) -> int:
        if name in self.table:
            return self.table[name]
        if name.startswith("IPTOS_DSCP_") and name[11:] in DSCP:
            return DSCP[name[11:]] << 2
        number = errno_number(name)
        if number is not None:
            return number
        raise Refused(f"the symbol '{name}'")

    def plain(self, value: Any) -> Any:
        """Arrays and structures with their symbols as ints; anything else as it is."""
        if isinstance(value, list):
            return [self.plain(v) for v in value]
        if isinstance(value, tuple) and not isinstance(value, Name | Either) and value is not ANYTHING:
            return tuple(self.plain(v) for v in value)
        if isinstance(value, dict):
            return {k: self.plain(v) for k, v in value.items()}
        if isinstance(value, Name | Either):
            return self.number(value)
        return value


def errno_number(name: str) -> int | None:
    """The number of an errno's name; None when it is none."""
    name = _EXTRA_ERRNO.get(name, name)
    found = getattr(errno, name, None) if name.startswith("E") and name.isupper() else None
    return found if isinstance(found, int) else None
