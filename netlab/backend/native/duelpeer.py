"""The kernel's end of a duel (see `duel`): sockets of the standard library, many connections at once.

    duelpeer.py sink ADDRESS PORT COUNT KEEP           takes COUNT connections to their end
    duelpeer.py source ADDRESS PORT SIZES KEEP         pours a text of each of SIZES (JSON) into a connection of its own

It says "here" when it runs, waits for a line when its device is there, and says "ready". At the end it says a JSON list
of [bytes, SHA-256] for each connection; KEEP is 1 to have every byte summed, 0 to count only.
"""

from __future__ import annotations

import hashlib
import json
import socket
import sys
import threading

Found = list[tuple[int, str]]


def pattern(size: int, seed: int) -> bytes:
    """As `netlab.workload.bulk.long_pattern`: this file needs nothing of netlab."""
    step = min(size, 1 << 20) // 4 + 1
    words = b"".join(((seed + n) * 2654435761 % (1 << 32)).to_bytes(4, "big") for n in range(step))
    return (words * (size // len(words) + 1))[:size]


def take(connection: socket.socket, keep: bool, found: Found) -> None:
    """Read to the end."""
    digest, octets, buffer = hashlib.sha256(), 0, bytearray(1 << 20)
    with connection, memoryview(buffer) as view:
        while got := connection.recv_into(buffer):
            octets += got
            if keep:
                digest.update(view[:got])
    found.append((octets, digest.hexdigest() if keep else ""))


def pour(address: str, port: int, data: bytes, keep: bool, found: Found) -> None:
    """Send all, close, and wait until the other side does."""
    with socket.create_connection((address, port), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    found.append((len(data), hashlib.sha256(data).hexdigest() if keep else ""))


def sink(address: str, port: int, count: int, keep: bool) -> Found:
    """Take so many connections."""
    found: Found = []
    threads = []
    with socket.create_server((address, port), backlog=1024) as listener:
        print("ready", flush=True)
        for _ in range(count):
            connection, _ = listener.accept()
            threads.append(threading.Thread(target=take, args=(connection, keep, found)))
            threads[-1].start()
    for thread in threads:
        thread.join()
    return found


def source(address: str, port: int, sizes: list[int], keep: bool) -> Found:
    """Pour all texts at once, when the other side has said that it listens."""
    found: Found = []
    texts = [pattern(size, seed) for seed, size in enumerate(sizes)]
    print("ready", flush=True)
    sys.stdin.readline()
    threads = [threading.Thread(target=pour, args=(address, port, text, keep, found)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def main(argv: list[str]) -> None:
    """Play the role of the first word."""
    role, address, port, what, keep = argv
    print("here", flush=True)
    sys.stdin.readline()
    wanted = json.loads(what)
    play = sink if role == "sink" else source
    print(json.dumps(play(address, int(port), wanted, keep == "1")), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
