"""Programs that kernel hosts run, one file with the standard library alone: it starts in 20 ms inside a node.

    traffic.py serve PORT                          a UDP echo server (RFC 862); prints "ready"
    traffic.py echo FD                             a UDP echo client; the request is JSON, read from a descriptor
    traffic.py frames FD                           puts ready-made frames on an interface

Times are ns of CLOCK_MONOTONIC, which all namespaces of a machine share. A line of JSON says what became of a request.
"""

from __future__ import annotations

import contextlib
import errno
import json
import select
import socket
import struct
import sys
import time
from typing import Any

_IP_TTL_ERRORS = 11  # IP_RECVERR
_IPV6_ERRORS = 25  # IPV6_RECVERR
_MTU_DISCOVER = 10  # IP_MTU_DISCOVER
_FROM_ICMP6 = 3  # SO_EE_ORIGIN_ICMP6
_LOCAL = {errno.ENETUNREACH: "network unreachable", errno.EHOSTUNREACH: "host unreachable"}
_ICMP = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 4): "fragmentation needed",
    (11, 0): "time exceeded",
    (11, 1): "time exceeded",
    (12, 0): "parameter problem",
}
_ICMP6 = {
    (1, 0): "network unreachable",
    (1, 3): "host unreachable",
    (1, 4): "port unreachable",
    (2, 0): "packet too big",
    (3, 0): "time exceeded",
    (4, 0): "parameter problem",
}


def serve(port: int) -> None:
    """Send every datagram back to where it came from, over either version of IP."""
    socks = [_bound(socket.AF_INET, port)]
    with contextlib.suppress(OSError):
        socks.append(_bound(socket.AF_INET6, port))
    print("ready", flush=True)
    while True:
        for sock in select.select(socks, [], [])[0]:
            try:
                data, sender = sock.recvfrom(65536)
                sock.sendto(data, sender)
            except OSError:
                continue  # an ICMP error about an earlier echo: its client has gone


def _bound(family: int, port: int) -> socket.socket:
    sock = _datagrams(family)
    sock.bind(("", port))
    return sock


def _datagrams(family: int) -> socket.socket:
    """A socket whose datagrams may be cut on their way: left alone, the kernel sets DF."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _MTU_DISCOVER, 0)
    return sock


class EchoClient:
    """Numbered datagrams to an echo server, and what comes back: echoes, ICMP errors, or nothing in time."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        six = ":" in request["dst"]
        self.sock = _datagrams(socket.AF_INET6 if six else socket.AF_INET)
        self.errors = (socket.IPPROTO_IPV6, _IPV6_ERRORS) if six else (socket.IPPROTO_IP, _IP_TTL_ERRORS)
        self.sock.setsockopt(*self.errors, 1)
        if request["sport"]:
            self.sock.bind(("", request["sport"]))
        self.sock.setblocking(False)
        self.sent: dict[int, int] = {}
        self.settled: set[int] = set()

    def run(self) -> None:
        """Send at the times that were asked for, and wait for each answer as long as was asked for."""
        count, interval = self.request["count"], self.request["interval"]
        begin = time.monotonic_ns() + self.request["start"]
        number = 1
        while number <= count or any(self._waiting(seq) for seq in self.sent):
            if number <= count and time.monotonic_ns() >= begin + (number - 1) * interval:
                self._send(number)
                number += 1
                continue
            self._receive(self._patience(begin + (number - 1) * interval if number <= count else None))

    def _waiting(self, seq: int) -> bool:
        return seq not in self.settled and time.monotonic_ns() < self.sent[seq] + self.request["timeout"]

    def _patience(self, next_send: int | None) -> int:
        """ms until something is due, rounded up."""
        ends = [self.sent[seq] + self.request["timeout"] for seq in self.sent if self._waiting(seq)]
        due = min([*ends, *([next_send] if next_send is not None else [])], default=0)
        return max(0, -(-(due - time.monotonic_ns()) // 1_000_000))

    def _send(self, seq: int) -> None:
        payload = seq.to_bytes(4, "big").ljust(self.request["size"], b".")
        self.sent[seq] = time.monotonic_ns()
        for _attempt in range(2):  # the first may only bring the news of an earlier datagram's ICMP error
            try:
                self.sock.sendto(payload, (self.request["dst"], self.request["port"]))
                return
            except OSError as error:
                if self._errors() == 0:
                    said = _LOCAL.get(error.errno or 0, error.strerror or "error")
                    self._say(seq, time.monotonic_ns(), f"{said} from this host")
                    return

    def _receive(self, patience: int) -> None:
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        for _fd, events in poll.poll(patience):
            now = time.monotonic_ns()
            if events & select.POLLERR:
                self._errors()
            if events & select.POLLIN:
                self._answer(now)

    def _answer(self, now: int) -> None:
        try:
            data = self.sock.recv(65536)
        except OSError:
            return  # the error queue tells it
        self._say(int.from_bytes(data[:4], "big"), now, "")

    def _errors(self) -> int:
        """Tell of the ICMP errors that have come; how many there were."""
        told = 0
        while True:
            try:
                data, extras, _flags, _address = self.sock.recvmsg(65536, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return told
            now = time.monotonic_ns()
            for level, kind, extra in extras:
                if (level, kind) == self.errors:
                    told += 1
                    self._say(int.from_bytes(data[:4], "big"), now, _explain(extra))

    def _say(self, seq: int, now: int, error: str) -> None:
        if seq in self.sent and seq not in self.settled:
            self.settled.add(seq)
            print(json.dumps({"seq": seq, "t": now, "rtt": now - self.sent[seq], "error": error}), flush=True)


def _explain(extra: bytes) -> str:
    # struct sock_extended_err, then the sender's sockaddr_in
    number, origin, kind, code = struct.unpack_from("=IBBB", extra)
    family = struct.unpack_from("=H", extra, 16)[0] if len(extra) >= 24 else 0
    known = _ICMP6 if origin == _FROM_ICMP6 else _ICMP
    words = known.get((kind, code)) or _LOCAL.get(number, f"ICMP type {kind} code {code}")
    sender = "this host"
    if family == socket.AF_INET:
        sender = socket.inet_ntoa(extra[20:24])
    elif family == socket.AF_INET6 and len(extra) >= 40:
        sender = socket.inet_ntop(family, extra[24:40])
    return f"{words} from {sender}"


def frames(request: dict[str, Any]) -> None:
    """Put frames on an interface at their times."""
    begin = time.monotonic_ns() + request["start"]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((request["device"], 0))
        for number, frame in enumerate(request["frames"]):
            due = begin + number * request["interval"]
            time.sleep(max(0, due - time.monotonic_ns()) / 1e9)
            sock.send(bytes.fromhex(frame))


def _read_request(fd: str) -> dict[str, Any]:
    with open(int(fd), "rb") as file:
        file.seek(0)
        request: dict[str, Any] = json.load(file)
        return request


def main(argv: list[str]) -> None:
    """Do what the first word says."""
    if argv[0] == "serve":
        serve(int(argv[1]))
    elif argv[0] == "echo":
        EchoClient(_read_request(argv[1])).run()
    else:
        frames(_read_request(argv[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
