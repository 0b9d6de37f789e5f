"""A server for iperf3's TCP tests, above our stack: real clients push into it, or with -R draw from it.

A test has a control connection and one connection a stream. Each begins with the same 37 bytes, the cookie. On the
control connection a byte says which state both are to enter, and JSON texts stand behind their length in four bytes:

    client                          server
    cookie                     ->
                               <-   PARAM_EXCHANGE
    JSON: what is asked for    ->
                               <-   CREATE_STREAMS
    cookie, on every stream    ->
                               <-   TEST_START, TEST_RUNNING
    bytes, or none with -R     ->
    TEST_END                   ->
                               <-   EXCHANGE_RESULTS
    JSON: what it counted      ->
                               <-   JSON: what we counted; DISPLAY_RESULTS
    IPERF_DONE                 ->

What this leaves out: UDP, SCTP, both directions at once (--bidir), the first seconds' omission (-O), and pacing: the
server then says that it has no such thing.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from netlab.stack.host import Host
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import TcpListener, TcpSocket
from netlab.stack.tcp.segment import Event
from netlab.units import SEC

PORT = 5201
COOKIE = 37
TEST_START, TEST_RUNNING, TEST_END = 1, 2, 4
PARAM_EXCHANGE, CREATE_STREAMS, SERVER_TERMINATE, CLIENT_TERMINATE = 9, 10, 11, 12
EXCHANGE_RESULTS, DISPLAY_RESULTS, IPERF_DONE = 13, 14, 16
ACCESS_DENIED, SERVER_ERROR = 0xFF, 0xFE
UNIMPLEMENTED = 13
"""iperf3's own number for what it does not have."""
LONGEST_TEXT = 1 << 20
"""Bytes of a JSON text; a client that announces more is sent away."""
MOST_STREAMS = 128
READ, CHUNK = 1 << 20, 1 << 16
NOT_HERE = {
    "udp": "UDP",
    "sctp": "SCTP",
    "bidirectional": "both directions at once",
    "omit": "omission of the first seconds",
}
"""Keys of what a client asks for that are refused where they are set."""


class Iperf3Test(NamedTuple):
    """A test that is over. ``octets`` that each stream carried when the client said that it had ended."""

    octets: tuple[int, ...]
    ns: int
    reverse: bool
    theirs: dict[str, Any]
    """What the client counted."""
    error: str = ""

    @property
    def rate(self) -> float:
        """Bit/s of all streams."""
        return sum(self.octets) * 8 * SEC / self.ns if self.ns else 0.0


class _Stream:
    """One connection that carries the test's bytes."""

    def __init__(self, socket: TcpSocket) -> None:
        self.socket, self.octets = socket, 0


class _Session:
    """One test, from its cookie to its end."""

    def __init__(self, cookie: bytes, control: TcpSocket) -> None:
        self.cookie, self.control = cookie, control
        self.state = PARAM_EXCHANGE
        self.asked: dict[str, Any] = {}
        self.streams: list[_Stream] = []
        self.said = bytearray()
        """Of the control connection, what was not yet understood."""
        self.began = self.ended = 0
        self.counted: tuple[int, ...] = ()
        self.theirs: dict[str, Any] = {}

    @property
    def wanted(self) -> int:
        """How many streams there are to be."""
        found = self.asked.get("parallel", 1)
        return found if isinstance(found, int) else 0

    @property
    def reverse(self) -> bool:
        """Whether we send."""
        return bool(self.asked.get("reverse"))

    def text(self) -> dict[str, Any] | None:
        """The JSON text that stands first, None while it is not all there; ValueError for what is none."""
        if len(self.said) < 4:
            return None
        size = int.from_bytes(self.said[:4], "big")
        if size > LONGEST_TEXT:
            raise ValueError(f"a text of {size} bytes")
        if len(self.said) < 4 + size:
            return None
        found = json.loads(self.said[4 : 4 + size])
        del self.said[: 4 + size]
        if not isinstance(found, dict):
            raise ValueError("a text that is no object")
        return found

    def results(self, theirs: dict[str, Any]) -> bytes:
        """What we counted, stream by stream with the client's numbers, as a JSON text with its length."""
        numbers = _numbers(theirs) or list(range(1, len(self.streams) + 1))
        seconds = (self.ended - self.began) / SEC
        nothing = {"retransmits": -1, "jitter": 0, "errors": 0, "packets": 0, "start_time": 0, "end_time": seconds}
        streams = [
            {"id": number, "bytes": octets, **nothing} for number, octets in zip(numbers, self.counted, strict=False)
        ]
        used = {"cpu_util_total": 0, "cpu_util_user": 0, "cpu_util_system": 0}
        made = json.dumps({**used, "sender_has_retransmits": -1, "streams": streams}).encode()
        return len(made).to_bytes(4, "big") + made


def _numbers(theirs: dict[str, Any]) -> list[int]:
    """How the client numbers its streams; ValueError for what is no list of streams."""
    streams = theirs.get("streams", [])
    if not isinstance(streams, list) or not all(isinstance(s, dict) and isinstance(s.get("id"), int) for s in streams):
        raise ValueError("results without streams")
    return [stream["id"] for stream in streams]


class Iperf3Server:
    """Serves one test after the other; who comes meanwhile is told that it is taken. ``done`` lists what is over."""

    def __init__(self, host: Host, port: int = PORT) -> None:
        self.done: list[Iperf3Test] = []
        self._session: _Session | None = None
        self._cookies: dict[int, bytearray] = {}
        """Connections that have not yet said all of their cookie."""
        self._streams: dict[int, _Stream] = {}
        self._zeros = bytes(CHUNK)
        self.listener = TcpListener(host, port, self._hear, self._accepted)

    def _accepted(self, socket: TcpSocket, now: int) -> list[Hop]:
        self._cookies[id(socket)] = bytearray()
        return []

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        session = self._session
        if id(socket) in self._cookies:
            return self._greeted(socket, event, now)
        if id(socket) in self._streams:
            return self._flows(socket, event, now)
        if session is not None and socket is session.control:
            return self._controlled(session, event, now)
        return []

    # ---- who it is

    def _greeted(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        cookie = self._cookies[id(socket)]
        more, hops = socket.read(COOKIE - len(cookie), now)
        cookie += more
        if event.error or (socket.at_end and len(cookie) < COOKIE):
            del self._cookies[id(socket)]
            return hops + socket.close(now)
        if len(cookie) < COOKIE:
            return hops
        del self._cookies[id(socket)]
        return hops + self._known(socket, bytes(cookie), event, now)

    def _known(self, socket: TcpSocket, cookie: bytes, event: Event, now: int) -> list[Hop]:
        session = self._session
        if session is None:
            self._session = session = _Session(cookie, socket)
            return self._say(session, PARAM_EXCHANGE, now) + self._controlled(session, event, now)
        if session.state == CREATE_STREAMS and cookie == session.cookie:
            return self._new_stream(session, socket, now)
        return socket.send(bytes((ACCESS_DENIED,)), now)[1] + socket.close(now)

    def _new_stream(self, session: _Session, socket: TcpSocket, now: int) -> list[Hop]:
        made = self._streams[id(socket)] = _Stream(socket)
        session.streams.append(made)
        if len(session.streams) < session.wanted:
            return []
        session.began = now
        hops = self._say(session, TEST_START, now) + self._say(session, TEST_RUNNING, now)
        for stream in list(session.streams):
            hops += self._pour(session, stream, now) if session.reverse else self._drain(stream, now)
        return hops

    # ---- the test's bytes

    def _flows(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        session, stream = self._session, self._streams[id(socket)]
        hops = self._drain(stream, now)
        if session is not None and session.reverse and event.what == "writable":
            hops += self._pour(session, stream, now)
        if socket.at_end or event.error or event.what == "closed":
            del self._streams[id(socket)]
            # Nobody reads what is still queued: a close would offer it for ever (RFC 9293 §3.10.5).
            hops += socket.abort(now) if session is not None and session.reverse else socket.close(now)
        return hops

    def _drain(self, stream: _Stream, now: int) -> list[Hop]:
        data, hops = stream.socket.read(READ, now)
        stream.octets += len(data)
        return hops

    def _pour(self, session: _Session, stream: _Stream, now: int) -> list[Hop]:
        hops: list[Hop] = []
        while session.state == TEST_RUNNING:
            taken, more = stream.socket.send(self._zeros, now)
            hops += more
            stream.octets += taken
            if taken < len(self._zeros):
                break
        return hops

    # ---- the control connection

    def _controlled(self, session: _Session, event: Event, now: int) -> list[Hop]:
        data, hops = session.control.read(READ, now)
        session.said += data
        try:
            while session is self._session and (more := self._step(session, now)) is not None:
                hops += more
        except ValueError as error:
            return hops + self._end(session, now, f"the client said what nobody understands: {error}")
        if session is self._session and (event.error or session.control.at_end):
            hops += self._end(session, now, event.error or "the client went before the end")
        return hops

    def _step(self, session: _Session, now: int) -> list[Hop] | None:
        """Do what the next message asks for; None when there is none that is whole."""
        if session.state in (PARAM_EXCHANGE, EXCHANGE_RESULTS):
            text = session.text()
            if text is None:
                return None
            return (
                self._asked(session, text, now) if session.state == PARAM_EXCHANGE else self._told(session, text, now)
            )
        if not session.said:
            return None
        state = session.said.pop(0)
        if state == TEST_END and session.state == TEST_RUNNING:
            return self._ended(session, now)
        if state == IPERF_DONE and session.state == DISPLAY_RESULTS:
            return self._end(session, now, "")
        return self._end(session, now, "the client gave up" if state == CLIENT_TERMINATE else f"state {state} came")

    def _asked(self, session: _Session, asked: dict[str, Any], now: int) -> list[Hop]:
        session.asked = asked
        lacking = [words for key, words in NOT_HERE.items() if asked.get(key)]
        if lacking or not 1 <= session.wanted <= MOST_STREAMS:
            said = bytes((SERVER_ERROR,)) + UNIMPLEMENTED.to_bytes(4, "big") + bytes(4)
            hops = session.control.send(said, now)[1]
            return hops + self._end(session, now, f"asked for {' and '.join(lacking) or 'too many streams'}")
        return self._say(session, CREATE_STREAMS, now)

    def _ended(self, session: _Session, now: int) -> list[Hop]:
        session.ended = now
        hops: list[Hop] = []
        for stream in session.streams:
            hops += self._drain(stream, now)
            if session.reverse:
                # What never left was not carried.
                stream.octets -= len(stream.socket.endpoint.connection.queue)
        session.counted = tuple(stream.octets for stream in session.streams)
        if session.reverse:
            hops += self._close_streams(session, now)
        return hops + self._say(session, EXCHANGE_RESULTS, now)

    def _close_streams(self, session: _Session, now: int) -> list[Hop]:
        """A client waits for whole blocks: one that was begun and never ends would keep it for ever."""
        hops: list[Hop] = []
        for stream in session.streams:
            if self._streams.pop(id(stream.socket), None) is not None:
                hops += stream.socket.close(now)
        return hops

    def _told(self, session: _Session, theirs: dict[str, Any], now: int) -> list[Hop]:
        session.theirs = theirs
        hops = session.control.send(session.results(theirs), now)[1]
        return hops + self._say(session, DISPLAY_RESULTS, now)

    def _say(self, session: _Session, state: int, now: int) -> list[Hop]:
        session.state = state
        return session.control.send(bytes((state,)), now)[1]

    def _end(self, session: _Session, now: int, error: str) -> list[Hop]:
        self._session = None
        ns = (session.ended or now) - session.began if session.began else 0
        self.done.append(Iperf3Test(session.counted, ns, session.reverse, session.theirs, error))
        hops = session.control.close(now)
        if not (session.reverse or error):
            return hops  # what is still on its way is taken until the client closes
        for stream in session.streams:
            if self._streams.pop(id(stream.socket), None) is not None:
                hops += stream.socket.abort(now)
        return hops
