"""System calls by name: what their arguments are, and what they do to the program's sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netlab.packetdrill.blocking import Blocks, Done, Fails
from netlab.packetdrill.constants import Symbols
from netlab.packetdrill.script import ANYTHING, Name, Refused
from netlab.packetdrill.sockets import ReturnsNow, Socket
from netlab.packetdrill.sockopts import option
from netlab.packetdrill.world import World
from netlab.stack.tcp.layer import Pair
from netlab.units import MS


class Program:
    """The program of a script: file descriptors, as the script numbers them, and the calls it makes."""

    def __init__(self, world: World, symbols: Symbols) -> None:
        self.world, self.symbols = world, symbols
        self.sockets: dict[int, Socket] = {}
        self.files: set[int] = set()
        """Descriptors of files: as long as anybody likes, and full of zeros."""
        self.polls: dict[int, dict[int, tuple[int, Any]]] = {}
        """epoll's descriptors -> descriptor that it watches -> (events, what is told with them)."""
        self.poll_ends: int | None = None

    def rows(self) -> list[tuple[Pair, int]]:
        """Ends and state of every socket that is bound or connected, in the order of descriptors."""
        return [row for fd in sorted(self.sockets) if (row := self.sockets[fd].row()) is not None]

    def poll_until(self, timeout: int) -> int | None:
        """When a poll that began with this timeout (in ms; negative: never) gives up."""
        if timeout < 0:
            return None
        if self.poll_ends is None:
            self.poll_ends = self.world.now + timeout * MS
            self.world.alarms.add(self.poll_ends)
        return self.poll_ends

    def ready(self, fd: int) -> int:
        """What a socket is ready for, as poll's bits; POLLNVAL where there is none."""
        if fd not in self.sockets:
            return self.symbols.table["POLLNVAL"]
        bits = 0
        for name in self.sockets[fd].readiness():
            bits |= self.symbols.number(Name(name))
        return bits

    def call(self, name: str, args: tuple[Any, ...], expected: Any) -> Done:
        """Make a call. `Blocks` when it cannot return yet: the same call may be tried again."""
        if name not in CALLS:
            raise Refused(f"the system call {name}()")
        try:
            return CALLS[name](self, args, expected)
        except Fails as failure:
            return Done(-1, failure.errno)
        except ReturnsNow as now:
            return Done(now.result)

    def socket(self, value: Any) -> Socket:
        """The socket of a descriptor; EBADF if there is none."""
        found = self.sockets.get(self.symbols.number(value))
        if found is None:
            raise Fails("EBADF")
        return found

    def under_test(self) -> Socket | None:
        """The socket that the script is about: the one that packets are for, else the last with a connection."""
        held = [s for fd, s in sorted(self.sockets.items()) if s.endpoint is not None]
        meant = [s for s in held if s.endpoint is not None and s.endpoint.pair == self.world.pair]
        return next(iter(meant or held[-1:]), None)

    def descriptor(self, expected: Any) -> int:
        """A new descriptor has the number that the script gives it, as in packetdrill, or the next free one."""
        taken = self.sockets.keys() | self.files | self.polls.keys()
        if isinstance(expected, int) and expected >= 0 and expected not in taken:
            return expected
        fd = 3
        while fd in taken:
            fd += 1
        return fd

    def number(self, args: tuple[Any, ...], at: int, default: int = 0) -> int:
        """Argument ``at`` as an int; the default where it is missing or "..."."""
        if at >= len(args) or args[at] is ANYTHING:
            return default
        return self.symbols.number(args[at])

    def flags(self, args: tuple[Any, ...], at: int) -> dict[str, bool]:
        """MSG_ flags as keywords of `Socket.send` and `Socket.receive`."""
        value = self.number(args, at)
        table = self.symbols.table
        return {"nonblocking": bool(value & table["MSG_DONTWAIT"])}

    def has_flag(self, args: tuple[Any, ...], at: int, name: str) -> bool:
        """Whether an MSG_ flag is in an argument."""
        return bool(self.number(args, at) & self.symbols.table.get(name, 0))


def _port(address: Any) -> int | None:
    """The port of a sockaddr; None where the script does not say."""
    if isinstance(address, dict):
        for key in ("sin_port", "sin6_port"):
            if isinstance(address.get(key), int):
                return int(address[key])
    return None


# ---- opening -------------------------------------------------------------------------------------


def _socket(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    kind = p.number(args, 1)
    nonblocking = bool(kind & p.symbols.table["SOCK_NONBLOCK"])
    base = kind & 0xF
    protocol = args[2] if len(args) > 2 else 0
    if base != 1 or (isinstance(protocol, Name) and protocol.text not in ("IPPROTO_TCP", "IPPROTO_IP")):
        raise Refused(f"a socket that is not TCP ({_spelled(args)})")
    fd = p.descriptor(expected)
    p.sockets[fd] = Socket(p.world, nonblocking=nonblocking)
    return Done(fd)


def _spelled(args: tuple[Any, ...]) -> str:
    return ", ".join(a.text if isinstance(a, Name) else "..." if a is ANYTHING else str(a) for a in args)


def _bind(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    return Done(p.socket(args[0]).bind(_port(args[1]) if len(args) > 1 else None))


def _listen(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    return Done(p.socket(args[0]).listen(p.number(args, 1)))


def _accept(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    child = p.socket(args[0]).accept()
    child.nonblocking = bool(p.number(args, 3) & p.symbols.table["SOCK_NONBLOCK"])
    fd = p.descriptor(expected)
    p.sockets[fd] = child
    return Done(fd)


def _connect(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    return Done(p.socket(args[0]).connect(_port(args[1]) if len(args) > 1 else None))


# ---- data ----------------------------------------------------------------------------------------


def _write(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    return Done(p.socket(args[0]).send(p.number(args, 2)))


def _send(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    urgent, more = p.has_flag(args, 3, "MSG_OOB"), p.has_flag(args, 3, "MSG_MORE")
    return Done(p.socket(args[0]).send(p.number(args, 2), urgent=urgent, more=more, **p.flags(args, 3)))


def _sendto(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    fast = p.has_flag(args, 3, "MSG_FASTOPEN")
    port = _port(args[4]) if len(args) > 4 else None
    if len(args) > 4 and args[4] == Name("NULL"):
        return _send(p, args, expected)
    return Done(p.socket(args[0]).send_to(p.number(args, 2), port, fast=fast, **p.flags(args, 3)))


def _read(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    return Done(p.socket(args[0]).receive(p.number(args, 2)))


def _recv(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    peek = p.has_flag(args, 3, "MSG_PEEK")
    return Done(p.socket(args[0]).receive(p.number(args, 2), peek=peek, **p.flags(args, 3)))


def _vector(p: Program, value: Any) -> int:
    """How many bytes an array of iovecs holds."""
    if not isinstance(value, list):
        raise Refused("an iovec that is not spelled out")
    total = 0
    for part in value:
        size = part.get("iov_len") if isinstance(part, dict) else part[1]
        total += p.symbols.number(size)
    return total


def _writev(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    return Done(p.socket(args[0]).send(_vector(p, args[1])))


def _readv(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    return Done(p.socket(args[0]).receive(_vector(p, args[1])))


def _message(p: Program, value: Any) -> int:
    if not isinstance(value, dict) or "msg_iov" not in value:
        raise Refused("a msghdr that is not spelled out")
    if value.get("msg_control") not in (None, ANYTHING, []):
        raise Refused("control messages in a msghdr")
    return _vector(p, value["msg_iov"])


def _sendmsg(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    size = _message(p, args[1])
    fast = p.has_flag(args, 2, "MSG_FASTOPEN")
    return Done(p.socket(args[0]).send_to(size, None, fast=fast, **p.flags(args, 2)))


def _recvmsg(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    return Done(p.socket(args[0]).receive(_message(p, args[1]), **p.flags(args, 2)))


# ---- closing -------------------------------------------------------------------------------------


def _shutdown(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    return Done(p.socket(args[0]).shutdown(p.number(args, 1)))


def _close(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    fd = p.number(args, 0)
    if fd in p.files:
        p.files.remove(fd)
        return Done(0)
    if p.polls.pop(fd, None) is not None:
        return Done(0)
    result = p.socket(args[0]).close()
    del p.sockets[fd]
    for watched in p.polls.values():
        watched.pop(fd, None)
    return Done(result)


# ---- settings ------------------------------------------------------------------------------------


def _fcntl(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    s = p.socket(args[0])
    command = args[1].text if isinstance(args[1], Name) else args[1]
    nonblock = p.symbols.table["O_NONBLOCK"]
    if command in ("F_GETFL", 3):
        return Done(2 | (nonblock if s.nonblocking else 0))
    if command in ("F_SETFL", 4):
        s.nonblocking = bool(p.number(args, 2) & nonblock)
        return Done(0)
    if command in ("F_GETFD", "F_SETFD"):
        return Done(0)
    raise Refused(f"fcntl({command})")


def _option_name(args: tuple[Any, ...]) -> str:
    if not isinstance(args[2], Name):
        raise Refused(f"a socket option by number ({args[2]})")
    return args[2].text


def _getsockopt(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    s = p.socket(args[0])
    found = option(s, _option_name(args)).get(s)
    if isinstance(found, str) and found.startswith("E") and found.isupper():
        found = p.symbols.number(Name(found))
    return Done(0, "", {3: found})


def _setsockopt(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    s = p.socket(args[0])
    name = _option_name(args)
    value = p.symbols.plain(args[3])
    if isinstance(value, list):
        value = value[0] if value else 0
    if value is ANYTHING:
        raise Refused(f"{name} with a value that is not said")
    option(s, name).set(s, value)
    return Done(0)


def _ioctl(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    s = p.socket(args[0])
    request = args[1].text if isinstance(args[1], Name) else str(args[1])
    c = s.connected
    found = {
        "SIOCINQ": len(c.inbox),
        "FIONREAD": len(c.inbox),
        "SIOCOUTQ": len(c.queue) + (c.fin_queued and c.snd_una < c.snd_max),
        "FIONWRITE": len(c.queue),
        "SIOCOUTQNSD": max(len(c.queue) - (c.snd_nxt - c.queue_start), 0),
        "FIONSPACE": c.room,
    }
    if request == "FIONBIO":
        value = p.symbols.plain(args[2])
        s.nonblocking = bool(value[0] if isinstance(value, list) else value)
        return Done(0)
    if request not in found:
        raise Refused(f"ioctl({request})")
    return Done(0, "", {2: int(found[request])})


def _poll(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    timeout = p.number(args, 2)
    ready: list[Any] = []
    for entry in args[0]:
        events = p.symbols.number(entry["events"])
        always = p.symbols.table["POLLERR"] | p.symbols.table["POLLHUP"] | p.symbols.table["POLLNVAL"]
        got = p.ready(p.symbols.number(entry["fd"]))
        ready.append({"fd": entry["fd"], "events": entry["events"], "revents": got & (events | always)})
    count = sum(1 for entry in ready if entry["revents"])
    if not count and timeout != 0:
        until = p.poll_until(timeout)
        if until is None or p.world.now < until:
            raise Blocks
    p.poll_ends = None
    return Done(count, "", {0: ready})


# ---- files and epoll -----------------------------------------------------------------------------


def _open(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    """Whatever is opened holds zeros: scripts send files, and look at no byte of them."""
    fd = p.descriptor(expected)
    p.files.add(fd)
    return Done(fd)


def _sendfile(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    """FreeBSD's sendfile(fd, s, offset, nbytes, hdtr, sbytes, flags), and Linux's (out, in, offset, count)."""
    if p.world.layer.knobs.system == "linux":
        return Done(p.socket(args[0]).send(p.number(args, 3)))
    if p.number(args, 0) not in p.files:
        raise Fails("EBADF")
    sent = p.socket(args[1]).send(_headers(p, args) + p.number(args, 3))
    return Done(0, "", {5: [sent]})


def _headers(p: Program, args: tuple[Any, ...]) -> int:
    """struct sf_hdtr: how many bytes go before and behind the file's."""
    said = args[4] if len(args) > 4 else None
    if not isinstance(said, dict):
        return 0
    return sum(_vector(p, said[name]) for name in ("headers", "trailers") if isinstance(said.get(name), list))


def _epoll_create(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    fd = p.descriptor(expected)
    p.polls[fd] = {}
    return Done(fd)


def _watched(p: Program, args: tuple[Any, ...]) -> dict[int, tuple[int, Any]]:
    found = p.polls.get(p.number(args, 0))
    if found is None:
        raise Fails("EBADF")
    return found


def _epoll_ctl(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    watched, what, fd = _watched(p, args), p.number(args, 1), p.number(args, 2)
    p.socket(fd)
    if what == p.symbols.table["EPOLL_CTL_DEL"]:
        if watched.pop(fd, None) is None:
            raise Fails("ENOENT")
        return Done(0)
    if (fd in watched) == (what == p.symbols.table["EPOLL_CTL_ADD"]):
        raise Fails("EEXIST" if fd in watched else "ENOENT")
    if not isinstance(args[3], dict):
        raise Refused("epoll_ctl() with an event that is not spelled out")
    events = p.symbols.number(args[3]["events"])
    if events & (p.symbols.table["EPOLLET"] | p.symbols.table["EPOLLONESHOT"]):
        raise Refused("EPOLLET and EPOLLONESHOT: here epoll tells the level, not the edge")
    watched[fd] = (events, next((args[3][key] for key in ("fd", "ptr", "u32", "u64") if key in args[3]), fd))
    return Done(0)


def _epoll_wait(p: Program, args: tuple[Any, ...], expected: Any) -> Done:
    timeout = p.number(args, 3)
    always = p.symbols.table["POLLERR"] | p.symbols.table["POLLHUP"]
    ready = []
    for fd, (events, data) in sorted(_watched(p, args).items()):
        got = p.ready(fd) & (events | always)
        if got:
            ready.append({"events": got, "fd": data, "ptr": data, "u32": data, "u64": data})
    if not ready and timeout != 0:
        until = p.poll_until(timeout)
        if until is None or p.world.now < until:
            raise Blocks
    p.poll_ends = None
    ready = ready[: max(p.number(args, 2), 0)]
    if not ready:
        return Done(0)
    return Done(len(ready), "", {1: ready[0] if len(ready) == 1 and isinstance(args[1], dict) else ready})


CALLS: dict[str, Callable[[Program, tuple[Any, ...], Any], Done]] = {
    "socket": _socket,
    "bind": _bind,
    "listen": _listen,
    "accept": _accept,
    "accept4": _accept,
    "connect": _connect,
    "write": _write,
    "send": _send,
    "sendto": _sendto,
    "writev": _writev,
    "sendmsg": _sendmsg,
    "read": _read,
    "recv": _recv,
    "recvfrom": _recv,
    "readv": _readv,
    "recvmsg": _recvmsg,
    "shutdown": _shutdown,
    "close": _close,
    "fcntl": _fcntl,
    "getsockopt": _getsockopt,
    "setsockopt": _setsockopt,
    "ioctl": _ioctl,
    "poll": _poll,
    "open": _open,
    "sendfile": _sendfile,
    "epoll_create": _epoll_create,
    "epoll_create1": _epoll_create,
    "epoll_ctl": _epoll_ctl,
    "epoll_wait": _epoll_wait,
}
