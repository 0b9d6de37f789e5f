"""The kernel's end of a multipath duel (see `multipathduel`): sockets of the standard library.

    multipathpeer.py sink ADDRESS PORT SETTINGS      takes one connection to its end
    multipathpeer.py source ADDRESS PORT SETTINGS    pours ``size`` bytes into one connection

SETTINGS is JSON: ``size``, ``protocol`` (262 is MPTCP's, 0 plain TCP's), ``abort`` (after how many bytes, or null).
It says "here" when it runs, waits for a line when its devices are there, says "ready", and for "source" waits for
another. At the end it says in JSON: bytes, their SHA-256 (or "cut", "reset"), and the kernel's counters of MPTCP.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import sys
from typing import Any


def pattern(size: int) -> bytes:
    """As `netlab.workload.bulk.long_pattern` with seed 0: this file needs nothing of netlab."""
    step = min(size, 1 << 20) // 4 + 1
    words = b"".join((n * 2654435761 % (1 << 32)).to_bytes(4, "big") for n in range(step))
    return (words * (size // len(words) + 1))[:size]


def sink(address: str, port: int, settings: dict[str, Any]) -> tuple[int, str]:
    """Read to the end."""
    digest, octets = hashlib.sha256(), 0
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, settings["protocol"]) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", port))  # joins come to addresses that were announced
        listener.listen(8)
        print("ready", flush=True)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(60)
            try:
                while got := connection.recv(1 << 18):
                    octets += len(got)
                    digest.update(got)
                    if settings["abort"] is not None and octets >= settings["abort"]:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return octets, "cut"
            except ConnectionResetError:
                return octets, "reset"
    return octets, digest.hexdigest()


def source(address: str, port: int, settings: dict[str, Any]) -> tuple[int, str]:
    """Send all, close, and wait until the other side does."""
    data = pattern(settings["size"])
    print("ready", flush=True)
    sys.stdin.readline()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, settings["protocol"]) as connection:
        connection.settimeout(60)
        connection.connect((address, port))
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    return len(data), hashlib.sha256(data).hexdigest()


def counters() -> dict[str, int]:
    """What this namespace's kernel counted of MPTCP, without what stayed at zero."""
    with open("/proc/self/net/netstat") as lines:
        rows = [line.split() for line in lines if line.startswith("MPTcpExt:")]
    if len(rows) < 2:
        return {}
    return {name: int(value) for name, value in zip(rows[0][1:], rows[1][1:], strict=True) if value != "0"}


ROLES = {"sink": sink, "source": source}


def main(argv: list[str]) -> None:
    """Play the role of the first word."""
    role, address, port, settings = argv
    print("here", flush=True)
    sys.stdin.readline()
    octets, digest = ROLES[role](address, int(port), json.loads(settings))
    print(json.dumps([octets, digest, counters()]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
