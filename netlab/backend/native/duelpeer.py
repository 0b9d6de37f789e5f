"""The kernel's end of a duel (see `duel`): sockets of the standard library, many connections at once.

    duelpeer.py sink ADDRESS PORT COUNT KEEP           takes COUNT connections to their end
    duelpeer.py curl ADDRESS PORT SIZES KEEP           fetches /0, /1, … with curl, one after the other, by one curl
    duelpeer.py web ADDRESS PORT SIZES KEEP            serves them with http.server, until all were fetched
    duelpeer.py source ADDRESS PORT SIZES KEEP         pours a text of each of SIZES (JSON) into a connection of its own

It says "here" when it runs, waits for a line when its device is there, and says "ready". At the end it says a JSON list
of [bytes, SHA-256] for each connection; KEEP is 1 to have every byte summed, 0 to count only.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import socket
import subprocess
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


def curl(address: str, port: int, sizes: list[int], keep: bool) -> Found:
    """Have curl fetch them all, by one connection where the server lets it."""
    print("ready", flush=True)
    sys.stdin.readline()
    urls = [f"http://{address}:{port}/{number}" for number in range(len(sizes))]
    came = subprocess.run(["curl", "-sS", "--max-time", "60", *urls], stdout=subprocess.PIPE, check=True).stdout
    found, at = [], 0
    for size in sizes:
        text, at = came[at : at + size], at + size
        found.append((len(text), hashlib.sha256(text).hexdigest()))
    return found


def web(address: str, port: int, sizes: list[int], keep: bool) -> Found:
    """The standard library's server, with kernel sockets."""
    found: Found = []

    class Texts(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = int(self.path[1:])
            text = pattern(sizes[number], number)
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            found.append((len(text), hashlib.sha256(text).hexdigest()))

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer((address, port), Texts) as server:
        print("ready", flush=True)
        for _ in sizes:
            server.handle_request()
    return found


ROLES = {"sink": sink, "source": source, "curl": curl, "web": web}


def main(argv: list[str]) -> None:
    """Play the role of the first word."""
    role, address, port, what, keep = argv
    print("here", flush=True)
    sys.stdin.readline()
    wanted = json.loads(what)
    print(json.dumps(ROLES[role](address, int(port), wanted, keep == "1")), flush=True)  # type: ignore[operator]


if __name__ == "__main__":
    main(sys.argv[1:])
