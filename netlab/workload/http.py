"""HTTP/1.1 above our TCP (RFC 9112): a server of ready texts, and a client that fetches one. Events call them.

`Pages` and `Answer` know the protocol and no socket: programs with sockets of any face use them, too.

What this leaves out: chunked bodies, bodies of requests, and pipelining beyond answering in turn.
"""

from __future__ import annotations

from collections.abc import Mapping

from netlab.stack.host import Host
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import TcpListener, TcpSocket
from netlab.stack.tcp.segment import Event

PORT = 80
CHUNK, READ = 1 << 16, 1 << 20
LONGEST_HEAD = 16 << 10
"""Bytes of a request's or an answer's head; more is refused (RFC 6585 §5)."""
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    505: "HTTP Version Not Supported",
}


class Pages:
    """Answers GET and HEAD from ``pages`` (path -> text). ``served`` is a list of (method, path, status)."""

    def __init__(self, pages: Mapping[str, bytes]) -> None:
        self.pages = pages
        self.served: list[tuple[str, str, int]] = []

    def next(self, asked: bytearray) -> tuple[bytes, bool] | None:
        """The answer to the first request in what was read, which is taken off it, and whether the connection stays
        open; None while no request is whole."""
        head, found, rest = asked.partition(b"\r\n\r\n")
        if not found and len(asked) <= LONGEST_HEAD:
            return None
        asked[:] = rest
        return self.answer(bytes(head))

    def answer(self, request: bytes) -> tuple[bytes, bool]:
        """The whole answer to a request's head, and whether the connection stays open (RFC 9112 §9.3)."""
        asked = _Request(request)
        status = asked.fault or (200 if asked.path in self.pages else 404)
        self.served.append((asked.method, asked.path, status))
        body = self.pages[asked.path] if status == 200 else f"{status} {REASONS[status]}\n".encode()
        stays = asked.stays and status in (200, 404)
        head = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Length: {len(body)}", "Content-Type: text/plain"]
        head += ["Allow: GET, HEAD"] if status == 405 else []
        head += [] if stays else ["Connection: close"]
        said = "\r\n".join([*head, "", ""]).encode()
        return (said if asked.method == "HEAD" else said + body), stays


class HttpServer(Pages):
    """`Pages` at a port of a host."""

    def __init__(self, host: Host, pages: Mapping[str, bytes], port: int = PORT) -> None:
        super().__init__(pages)
        self._visits: dict[int, _Visit] = {}
        self.listener = TcpListener(host, port, self._hear, self._accepted)

    def _accepted(self, socket: TcpSocket, now: int) -> list[Hop]:
        self._visits[id(socket)] = _Visit(self, socket)
        return []

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        visit = self._visits.get(id(socket))
        if visit is None:
            return []
        hops = visit.go_on(now)
        if visit.over or event.error or event.what == "closed":
            del self._visits[id(socket)]
        return hops


class _Request:
    """A request's head, as far as it matters; ``fault`` is the status of what is wrong, 0 for nothing."""

    def __init__(self, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        self.method, self.path, version = words if len(words) == 3 else ("?", "?", "")
        self.path = self.path.partition("?")[0]
        fields = _fields(lines[1:])
        asked = fields.get("connection", "").lower()
        self.stays = asked == "keep-alive" if version == "HTTP/1.0" else asked != "close"
        self.fault = self._fault(head, version, fields)

    def _fault(self, head: bytes, version: str, fields: dict[str, str]) -> int:
        if len(head) > LONGEST_HEAD:
            return 431
        if not version.startswith("HTTP/") or (version == "HTTP/1.1" and "host" not in fields):
            return 400  # RFC 9112 §3.2: a request without Host
        if version not in ("HTTP/1.0", "HTTP/1.1"):
            return 505
        if self.method not in ("GET", "HEAD"):
            return 405
        return 400 if fields.get("content-length", "0") != "0" or "transfer-encoding" in fields else 0


def _fields(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


class _Visit:
    """One connection of the server: requests are answered in turn."""

    def __init__(self, server: HttpServer, socket: TcpSocket) -> None:
        self._server, self._socket = server, socket
        self._asked = bytearray()
        self._answer, self._sent = b"", 0
        self._stays = True
        self.over = False

    def go_on(self, now: int) -> list[Hop]:
        """Read what came, answer what is whole, send what there is room for."""
        data, hops = self._socket.read(READ, now)
        self._asked += data
        while not self.over:
            hops += self._pour(now)
            if self._sent < len(self._answer):
                return hops
            if not self._stays or (self._socket.at_end and b"\r\n\r\n" not in self._asked):
                self.over = True
                return hops + self._socket.close(now)
            if not self._next():
                return hops
        return hops

    def _next(self) -> bool:
        found = self._server.next(self._asked)
        if found is None:
            return False
        self._answer, self._stays = found
        self._sent = 0
        return True

    def _pour(self, now: int) -> list[Hop]:
        hops: list[Hop] = []
        while self._sent < len(self._answer):
            taken, more = self._socket.send(self._answer[self._sent : self._sent + CHUNK], now)
            hops += more
            if not taken:
                break
            self._sent += taken
        return hops


def get(path: str, name: str) -> bytes:
    """A request for one path of the server ``name``, after which the connection is closed."""
    return f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode("latin-1")


class Answer:
    """What a server answers to one request. ``status`` is 0 until the head came."""

    def __init__(self) -> None:
        self._came = bytearray()
        self._length: int | None = None
        self.status = 0
        self.fields: dict[str, str] = {}
        self.body = bytearray()

    @property
    def whole(self) -> bool:
        """Whether all is there that the head has promised."""
        return self._length is not None and len(self.body) >= self._length

    @property
    def cut_short(self) -> bool:
        """Whether an end here comes too soon."""
        return not self.status or (self._length is not None and not self.whole)

    def take(self, data: bytes) -> None:
        """The next bytes that came."""
        if self.status:
            self.body += data
            return
        self._came += data
        head, found, rest = self._came.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        self.status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 502
        self.fields = _fields(lines[1:])
        length = self.fields.get("content-length", "")
        self._length = int(length) if length.isdigit() else None
        self.body += rest


class HttpGet(Answer):
    """Fetches one path. ``body`` is whole once ``finished``."""

    def __init__(self, host: Host, dst: int, path: str, *, name: str, port: int = PORT) -> None:
        super().__init__()
        self._host, self._dst, self._port = host, dst, port
        self._request = get(path, name)
        self.error = ""
        self.finished: int | None = None

    def start(self, now: int) -> list[Hop]:
        """Connect."""
        self._socket, hops = TcpSocket.connect(self._host, self._dst, self._port, self._hear, now)
        return hops

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        if self.finished is not None:
            return []
        if event.what == "connected":
            return socket.send(self._request, now)[1]
        if event.error:
            return self._end(now, event.error)
        data, hops = socket.read(READ, now)
        self.take(data)
        if self.whole or socket.at_end:
            return hops + self._end(now, "the answer is cut short" if self.cut_short else "") + socket.close(now)
        return hops

    def _end(self, now: int, error: str) -> list[Hop]:
        self.finished, self.error = now, error
        return []
