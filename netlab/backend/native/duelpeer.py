"""The kernel's end of a duel (see `duel`): sockets of the standard library, many connections at once.

Its one argument is a JSON object: ``role``, ``address``, ``port``, ``sizes`` in bytes, one a connection, ``keep``
(whether every byte is summed, or only counted), ``parallel`` (how many connections are open at once) and
``congestion`` (of the kernel's end; "" leaves it to the kernel). The roles:

    sink     takes connections to their end
    source   pours a text of each size into a connection of its own
    curl     fetches /0, /1, … with curl, one after the other, by one curl
    web      serves them with http.server, until all were fetched
    echo     sends back what comes, until every connection was closed
    talk     sends a message, waits until it has come back, and so on; says its waits in ms instead of a digest
    iperf3   runs iperf3's client with ``words``, and says its exit status and its JSON

It says "here" when it runs, waits for a line when its device is there, and says "ready"; those that connect then wait
for one more line. At the end it says a JSON list of [bytes, SHA-256] for each connection.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Found = list[tuple[int, str]]
LONGEST = 170
"""Seconds after which this process ends itself, whatever became of the other side."""
PATIENCE = 100.0
MESSAGES = 60


def pattern(size: int, seed: int) -> bytes:
    """As `netlab.workload.bulk.long_pattern`: this file needs nothing of netlab."""
    step = min(size, 1 << 20) // 4 + 1
    words = b"".join(((seed + n) * 2654435761 % (1 << 32)).to_bytes(4, "big") for n in range(step))
    return (words * (size // len(words) + 1))[:size]


class Peer:
    """One request. Each role is a method, and answers with what it found."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.where = (asked["address"], asked["port"])
        self.family = socket.AF_INET6 if ":" in asked["address"] else socket.AF_INET
        self.sizes: list[int] = asked["sizes"]
        self.keep: bool = asked["keep"]

    # ---- connections

    def listen(self) -> socket.socket:
        """A listening socket, and the word that it is there."""
        listener = socket.create_server(self.where, family=self.family, backlog=1024)
        self.choose(listener)
        print("ready", flush=True)
        return listener

    def connect(self) -> socket.socket:
        """A connection to the other side."""
        made = socket.socket(self.family)
        self.choose(made)
        made.settimeout(PATIENCE)
        made.connect(self.where)
        return made

    def choose(self, one: socket.socket) -> None:
        """The congestion control that was asked for."""
        if self.asked["congestion"]:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, self.asked["congestion"].encode())

    def begin(self) -> None:
        """Wait until the other side listens."""
        print("ready", flush=True)
        sys.stdin.readline()

    def each(self, act: Callable[..., tuple[int, str]], *columns: Any) -> Found:
        """Do it for every connection, so many at once as was asked for."""
        with ThreadPoolExecutor(self.asked["parallel"]) as pool:
            return list(pool.map(act, *columns))

    # ---- bulk

    def take(self, connection: socket.socket) -> tuple[int, str]:
        """Read to the end."""
        digest, octets, buffer = hashlib.sha256(), 0, bytearray(1 << 20)
        with connection, memoryview(buffer) as view:
            while got := connection.recv_into(buffer):
                octets += got
                if self.keep:
                    digest.update(view[:got])
        return octets, digest.hexdigest() if self.keep else ""

    def pour(self, size: int, seed: int) -> tuple[int, str]:
        """Send all, close, and wait until the other side does."""
        data = pattern(size, seed)
        with self.connect() as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        return len(data), hashlib.sha256(data).hexdigest() if self.keep else ""

    def sink(self) -> Found:
        """Take them all."""
        with self.listen() as listener, ThreadPoolExecutor(len(self.sizes)) as pool:
            taken = [pool.submit(self.take, listener.accept()[0]) for _ in self.sizes]
        return [one.result() for one in taken]

    def source(self) -> Found:
        """Pour them all."""
        self.begin()
        return self.each(self.pour, self.sizes, range(len(self.sizes)))

    # ---- HTTP

    def curl(self) -> Found:
        """Have curl fetch them all, by one connection where the server lets it."""
        self.begin()
        host = f"[{self.where[0]}]" if self.family == socket.AF_INET6 else self.where[0]
        urls = [f"http://{host}:{self.where[1]}/{number}" for number in range(len(self.sizes))]
        argv = ["curl", "-gsS", "--max-time", "60", *urls]
        came = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout
        found, at = [], 0
        for size in self.sizes:
            text, at = came[at : at + size], at + size
            found.append((len(text), hashlib.sha256(text).hexdigest()))
        return found

    def web(self) -> Found:
        """The standard library's server, with kernel sockets."""
        found: Found = []
        sizes = self.sizes

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

        class Server(http.server.HTTPServer):
            address_family = self.family

        with Server(self.where, Texts) as server:
            print("ready", flush=True)
            for _ in sizes:
                server.handle_request()
        return found

    # ---- messages back and forth

    def echo(self) -> Found:
        """Everything goes back as it comes."""
        with self.listen() as listener, ThreadPoolExecutor(len(self.sizes)) as pool:
            taken = [pool.submit(self._echo, listener.accept()[0]) for _ in self.sizes]
        return [one.result() for one in taken]

    def _echo(self, connection: socket.socket) -> tuple[int, str]:
        octets = 0
        with connection:
            while data := connection.recv(1 << 16):
                octets += len(data)
                connection.sendall(data)
        return octets, ""

    def talk(self) -> Found:
        """A message of each size, again and again, on a connection of its own."""
        self.begin()
        return self.each(self._talk, self.sizes)

    def _talk(self, size: int) -> tuple[int, str]:
        waits, octets, message = [], 0, pattern(size, 0)
        with self.connect() as connection:
            for _ in range(MESSAGES):
                began = time.monotonic()
                sending = threading.Thread(target=connection.sendall, args=(message,))
                sending.start()
                came = b""
                while len(came) < size:
                    came += connection.recv(1 << 16)
                sending.join()
                assert came == message
                octets += size
                waits.append((time.monotonic() - began) * 1000)
        return octets, json.dumps(waits)

    # ---- iperf3

    def iperf3(self) -> Found:
        """Its client."""
        self.begin()
        argv = ["setpriv", "--pdeathsig", "KILL"]  # who stops us stops it too
        argv += ["iperf3", "-J", "-c", self.where[0], "-p", str(self.where[1]), *self.asked["words"]]
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
        return [(done.returncode, done.stdout)]


def main(argument: str) -> None:
    """Play the role that was asked for."""
    signal.alarm(LONGEST)
    print("here", flush=True)
    sys.stdin.readline()
    peer = Peer(json.loads(argument))
    print(json.dumps(getattr(peer, peer.asked["role"])()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
