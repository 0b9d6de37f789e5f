"""TCP programs that kernel hosts run, one file with the standard library alone: it starts in 20 ms inside a node.

    bulktraffic.py sink PORT CONTROL               takes whatever connections bring; prints "ready"
    bulktraffic.py pour FD                         bulk transfers; the request is JSON, read from a descriptor

CONTROL is a congestion control of the kernel, "" for its default. Times are ns of CLOCK_MONOTONIC, which all namespaces
of a machine share. A line of JSON says what became of a connection.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import select
import socket
import struct
import sys
import time
from typing import Any

_CONGESTION = 13  # TCP_CONGESTION
_OUTQ = 0x5411  # SIOCOUTQ: bytes that the peer has not acknowledged
_AVAILABLE = "/proc/sys/net/ipv4/tcp_available_congestion_control"
_BLOCK = memoryview(bytes(range(256)) * 1024)
_LOCAL = {errno.ENETUNREACH: "network unreachable from this host"}
_CUT = struct.pack("ii", 1, 0)  # SO_LINGER: close resets


def choose_control(sock: socket.socket, name: str) -> None:
    """Have the kernel use that congestion control; SystemExit with a sentence when it has none of that name."""
    if not name:
        return
    try:
        sock.setsockopt(socket.IPPROTO_TCP, _CONGESTION, name.encode())
    except OSError as error:
        with open(_AVAILABLE) as file:
            there = ", ".join(file.read().split())
        refused = "has no" if error.errno == errno.ENOENT else "lets this node not use the"
        raise SystemExit(f"the kernel {refused} congestion control '{name}'; there are {there}") from None


def sink(port: int, control: str) -> None:
    """Take what comes, over either version of IP, and close when the other end does."""
    poll, socks, buffer = select.epoll(), dict[int, socket.socket](), bytearray(1 << 20)
    listeners: set[int] = set()
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError) if listeners else contextlib.nullcontext():
            listener = _listening(family, port, control)
            listeners.add(listener.fileno())
            socks[listener.fileno()] = listener
            poll.register(listener, select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for fd, _ in poll.poll():
            if fd in listeners:
                connection, _ = socks[fd].accept()
                socks[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
            elif not _take(socks[fd], buffer):
                poll.unregister(fd)
                socks.pop(fd).close()


def _listening(family: int, port: int, control: str) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    choose_control(sock, control)
    sock.bind(("", port))
    sock.listen(1024)
    return sock


def _take(connection: socket.socket, buffer: bytearray) -> bool:
    try:
        return connection.recv_into(buffer) > 0
    except OSError:  # the other end cut it
        return False


class Flow:
    """One connection of a bulk transfer, from its SYN to its fate, which is said as a line."""

    def __init__(self, request: dict[str, Any], number: int) -> None:
        self.request, self.number = request, number
        self.sock = socket.socket(socket.AF_INET6 if ":" in request["dst"] else socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        choose_control(self.sock, request["congestion"])
        self.sent = 0
        self.over = self.finished = False
        """Whether its fate is known; whether all is sent and said to be all."""
        self.began = time.monotonic_ns()
        code = self.sock.connect_ex((request["dst"], request["port"]))
        if code not in (0, errno.EINPROGRESS):
            self.end(_LOCAL.get(code) or _words(code))

    @property
    def events(self) -> int:
        """What to wait for."""
        return select.POLLIN | (0 if self.finished else select.POLLOUT)

    def ready(self, events: int) -> None:
        """Something happened at the socket: send, or hear of the end."""
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.end(_words(code))
        elif events & select.POLLOUT and not self.finished:
            self._guarded(self._push)
        elif events & (select.POLLIN | select.POLLHUP):
            self._guarded(self._hear)

    def _guarded(self, act: Any) -> None:
        try:
            act()
        except BlockingIOError:
            pass
        except OSError as error:
            self.end(_words(error.errno or 0))

    def _push(self) -> None:
        duration, left = self.request["duration"], self.request["size"] - self.sent
        if duration or left:
            self.sent += self.sock.send(_BLOCK if duration else _BLOCK[:left])
        if not duration and self.sent == self.request["size"]:
            self.finished = True
            self.sock.shutdown(socket.SHUT_WR)

    def _hear(self) -> None:
        if not self.sock.recv(4096):
            self.end("" if self.finished and self.delivered == self.request["size"] else "the peer closed")

    @property
    def delivered(self) -> int:
        """Bytes that the peer's TCP acknowledged; a FIN counts as one that waits."""
        (waiting,) = struct.unpack("i", fcntl.ioctl(self.sock, _OUTQ, bytes(4)))
        return min(self.sent, max(self.sent + self.finished - int(waiting), 0))

    def end(self, error: str) -> None:
        """Its fate is known."""
        if not self.over:
            self.over = True
            now = time.monotonic_ns()
            said = {"flow": self.number, "t": now, "octets": self.delivered, "ns": now - self.began, "error": error}
            print(json.dumps(said), flush=True)
            if error or self.request["duration"]:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CUT)
            self.sock.close()

    def late(self) -> None:
        """The time is over."""
        if self.request["duration"]:
            self.end("" if self.over or self.delivered else "nothing was delivered")
        else:
            self.end(self.request["late"])


def _words(code: int) -> str:
    return errno.errorcode.get(code, f"error {code}")


def pour(request: dict[str, Any]) -> None:
    """Open all connections at their time and serve them until each has its fate."""
    time.sleep(request["start"] / 1e9)
    end = time.monotonic_ns() + (request["duration"] or request["timeout"])
    flows = [Flow(request, number) for number in range(request["flows"])]
    poll = select.poll()
    by_fd = {flow.sock.fileno(): flow for flow in flows if not flow.over}
    for fd, flow in by_fd.items():
        poll.register(fd, flow.events)
    while by_fd:
        left = end - time.monotonic_ns()
        if left <= 0:
            break
        for fd, events in poll.poll(-(-left // 1_000_000)):
            flow = by_fd[fd]
            flow.ready(events)
            if flow.over:
                poll.unregister(fd)
                del by_fd[fd]
            elif flow.finished:
                poll.modify(fd, flow.events)
    for flow in flows:
        flow.late()


def main(argv: list[str]) -> None:
    """Do what the first word says."""
    if argv[0] == "sink":
        sink(int(argv[1]), argv[2])
        return
    with open(int(argv[1]), "rb") as file:
        file.seek(0)
        pour(json.load(file))


if __name__ == "__main__":
    main(sys.argv[1:])
