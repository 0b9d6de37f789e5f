"""The HTTP server and client over our TCP: two hosts in virtual time, and what the server says to odd requests."""

from __future__ import annotations

import pytest

from netlab.backend.sim.session import SimBackend
from netlab.stack.host import Host
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.workload.http import HttpGet, HttpServer


@pytest.mark.parametrize(
    ("request_head", "status", "stays"),
    [
        (b"GET /a HTTP/1.1\r\nHost: x", b"200 OK", True),
        (b"GET /a?q=1 HTTP/1.1\r\nHost: x\r\nConnection: close", b"200 OK", False),
        (b"GET /a HTTP/1.0", b"200 OK", False),
        (b"GET /a HTTP/1.0\r\nConnection: keep-alive", b"200 OK", True),
        (b"GET /none HTTP/1.1\r\nHost: x", b"404 Not Found", True),
        (b"GET /a HTTP/1.1", b"400 Bad Request", False),
        (b"POST /a HTTP/1.1\r\nHost: x", b"405 Method Not Allowed", False),
        (b"GET /a HTTP/3.0\r\nHost: x", b"505 HTTP Version Not Supported", False),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3", b"400 Bad Request", False),
        (b"nonsense", b"400 Bad Request", False),
        (b"GET /a HTTP/1.1\r\nHost: " + b"x" * 20_000, b"431 Request Header Fields Too Large", False),
    ],
)
def test_each_request_has_its_answer(request_head: bytes, status: bytes, stays: bool) -> None:
    answer, stays_open = HttpServer(Host("h", "host", (), ()), {"/a": b"text"}).answer(request_head)
    assert answer.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert stays_open is stays
    assert (b"Connection: close" in answer) is not stays


def test_head_says_the_length_and_sends_no_text() -> None:
    server = HttpServer(Host("h", "host", (), ()), {"/a": b"text"})
    answer, _ = server.answer(b"HEAD /a HTTP/1.1\r\nHost: x")
    assert b"Content-Length: 4" in answer and answer.endswith(b"\r\n\r\n")
    assert server.served == [("HEAD", "/a", 200)]


def test_a_text_is_fetched_in_virtual_time() -> None:
    text = bytes(range(256)) * 1000
    with SimBackend().open(resolve(load_topology("pair"))) as session:
        near, far = (session.executors[name] for name in ("h1", "h2"))
        HttpServer(far.host, {"/text": text})
        gets = [HttpGet(near.host, min(far.host.addresses), path, name="h2") for path in ("/text", "/none")]
        for get in gets:
            near.inject(get.start(session.now))
        near.arm()
        session.loop.run(60_000_000_000)
    assert [get.status for get in gets] == [200, 404]
    assert gets[0].body == text and not gets[0].error
    assert gets[1].body == b"404 Not Found\n"
