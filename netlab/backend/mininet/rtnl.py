"""rtnetlink, as much of it as a network of veths, bridges and queues needs: bytes, a socket, and parsing.

A socket belongs for good to the network namespace in which it was opened, so one socket a namespace configures
everything without another setns. Messages go many to a send; each is acknowledged, and errors name their message.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator, Sequence

NEWLINK, GETLINK = 16, 18
NEWADDR, GETADDR, NEWROUTE, GETROUTE = 20, 22, 24, 26
NEWQDISC, DELQDISC, GETQDISC = 36, 37, 38
NEWLINKPROP = 108

REQUEST, ACK, DUMP, EXCL, CREATE = 1, 4, 0x300, 0x200, 0x400
_ERROR, _DONE = 2, 3
_NESTED = 0x8000
_SEND_LIMIT = 32_000
_SOL_NETLINK, _EXT_ACK, _CAP_ACK = 270, 11, 10

IFF_UP, IFF_NOARP, IFF_PROMISC = 1, 0x80, 0x100


class RtnlError(OSError):
    """The kernel refused a message; ``said`` is its own explanation where it gave one."""

    def __init__(self, number: int, what: str, said: str) -> None:
        super().__init__(number, f"{what}: {said or os.strerror(number)}")
        self.said = said


def attr(kind: int, value: bytes) -> bytes:
    """One attribute: length, type, value, padding to four."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *parts: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attr(kind | _NESTED, b"".join(parts))


def text(kind: int, value: str) -> bytes:
    """A zero-ended string."""
    return attr(kind, value.encode() + b"\0")


def u32(kind: int, value: int) -> bytes:
    """A 32-bit number."""
    return attr(kind, struct.pack("=I", value))


def link_body(index: int = 0, flags: int = 0, mask: int = 0, family: int = 0) -> bytes:
    """struct ifinfomsg."""
    return struct.pack("=BxHiII", family, 0, index, flags, mask)


def message(kind: int, flags: int, body: bytes, *attrs: bytes) -> bytes:
    """A message without its sequence number, which the socket gives it."""
    payload = body + b"".join(attrs)
    return struct.pack("=IHHII", 16 + len(payload), kind, flags | REQUEST, 0, 0) + payload + bytes(-len(payload) % 4)


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """The attributes of a message body or of a nested attribute; the last of a type wins."""
    found: dict[int, bytes] = {}
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def number(value: bytes | None, default: int = 0) -> int:
    """A little- or big-endian machine int of any width; ``default`` for an absent attribute."""
    import sys

    return default if value is None else int.from_bytes(value, sys.byteorder)


def string(value: bytes | None) -> str:
    """A zero-ended string; empty for an absent attribute."""
    return "" if value is None else value.split(b"\0")[0].decode()


class Rtnl:
    """A netlink socket of the namespace that the thread was in when it was opened."""

    def __init__(self, groups: int = 0) -> None:
        import socket

        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setsockopt(_SOL_NETLINK, _EXT_ACK, 1)
        self.socket.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)
        self.socket.bind((0, groups))
        self._serial = 0

    def close(self) -> None:
        """Give the socket back."""
        self.socket.close()

    def __call__(self, messages: Sequence[bytes], what: str) -> None:
        """Send messages and await every acknowledgement; RtnlError, saying ``what`` failed, for the first refused."""
        failed: RtnlError | None = None
        for batch in _batches(messages):
            first = self._serial + 1
            self._serial += len(batch)
            numbered = b"".join(m[:8] + struct.pack("=I", first + i) + m[12:] for i, m in enumerate(batch))
            self.socket.send(numbered)
            failed = failed or self._acknowledged(first, len(batch), what)
        if failed:
            raise failed

    def _acknowledged(self, first: int, count: int, what: str) -> RtnlError | None:
        failed: RtnlError | None = None
        while count:
            for kind, flags, serial, body in _messages(self.socket.recv(1 << 18)):
                if kind != _ERROR or serial < first:
                    continue
                count -= 1
                code = -int(struct.unpack_from("=i", body)[0])
                if code and failed is None:
                    failed = RtnlError(code, what, _explanation(flags, body))
        return failed

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """Every answer's body to a dump request."""
        answers: list[bytes] = []
        self._serial += 1
        request = message(kind, DUMP, body)
        self.socket.send(request[:8] + struct.pack("=I", self._serial) + request[12:])
        while True:
            for answer, _flags, serial, content in _messages(self.socket.recv(1 << 18)):
                if serial != self._serial:
                    continue
                if answer == _DONE:
                    return answers
                if answer == _ERROR:
                    code = -int(struct.unpack_from("=i", content)[0])
                    raise RtnlError(code or errno.EIO, f"dump {kind}", "")
                answers.append(content)


def _batches(messages: Sequence[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for m in messages:
        if batch and size + len(m) > _SEND_LIMIT:
            yield batch
            batch, size = [], 0
        batch.append(m)
        size += len(m)
    if batch:
        yield batch


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    offset = 0
    while offset + 16 <= len(data):
        length, kind, flags, serial = struct.unpack_from("=IHHI", data, offset)
        yield kind, flags, serial, data[offset + 16 : offset + length]
        offset += (length + 3) & ~3


def _explanation(flags: int, body: bytes) -> str:
    # With NETLINK_CAP_ACK the refused message's header alone is echoed: 4 bytes of error, 16 of header.
    return string(attributes(body, 20).get(1)) if flags & 0x200 else ""
