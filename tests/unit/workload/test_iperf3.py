"""iperf3's server over our TCP, in virtual time: a client by the book, and clients that are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from netlab.backend.sim.session import SimBackend, SimSession
from netlab.stack.host import Host
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import TcpSocket
from netlab.stack.tcp.segment import Event
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.workload.iperf3 import (
    ACCESS_DENIED,
    CREATE_STREAMS,
    DISPLAY_RESULTS,
    EXCHANGE_RESULTS,
    IPERF_DONE,
    PARAM_EXCHANGE,
    PORT,
    SERVER_ERROR,
    TEST_END,
    TEST_RUNNING,
    TEST_START,
    Iperf3Server,
)

COOKIE = b"c" * 36 + b"\0"
BY_THE_BOOK = bytes((PARAM_EXCHANGE, CREATE_STREAMS, TEST_START, TEST_RUNNING, EXCHANGE_RESULTS))


def text(said: Any) -> bytes:
    made = json.dumps(said).encode()
    return len(made).to_bytes(4, "big") + made


class Client:
    """A connection that sends ``first``, and then what ``answers`` has for all that has come so far."""

    def __init__(self, host: Host, dst: int, first: bytes, answers: dict[bytes, bytes | Callable[[int], list[Hop]]]):
        self.host, self.dst, self.first, self.answers = host, dst, first, answers
        self.came = b""
        self.over = False

    def start(self, now: int) -> list[Hop]:
        self.socket, hops = TcpSocket.connect(self.host, self.dst, PORT, self.hear, now)
        return hops

    def hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        if event.what == "connected":
            return socket.send(self.first, now)[1]
        data, hops = socket.read(1 << 20, now)
        self.came += data
        self.over = self.over or socket.at_end or bool(event.error)
        answer = self.answers.pop(self.came, None)
        if isinstance(answer, bytes):
            hops += socket.send(answer, now)[1]
        elif answer is not None:
            hops += answer(now)
        return hops


class World:
    """Two hosts, one with the server."""

    def __init__(self, session: SimSession) -> None:
        self.session = session
        self.near, far = (session.executors[name] for name in ("h1", "h2"))
        self.server = Iperf3Server(far.host)
        self.dst = min(far.host.addresses)

    def client(self, first: bytes, answers: dict[bytes, Any]) -> Client:
        return Client(self.near.host, self.dst, first, answers)

    def run(self, *clients: Client) -> None:
        for client in clients:
            self.near.inject(client.start(self.session.now))
        self.near.arm()
        self.session.loop.run(self.session.now + 60_000_000_000)


@pytest.fixture
def world() -> Any:
    with SimBackend().open(resolve(load_topology("pair"))) as session:
        yield World(session)


def test_two_streams_are_counted_each_by_its_number(world: World) -> None:
    streams = [world.client(COOKIE + bytes(size), {}) for size in (1000, 20_000)]
    asked = {"tcp": True, "parallel": 2}
    control = world.client(
        COOKIE,
        {
            BY_THE_BOOK[:1]: text(asked),
            BY_THE_BOOK[:2]: lambda now: [hop for stream in streams for hop in stream.start(now)],
        },
    )
    world.run(control)
    control.answers[BY_THE_BOOK] = text({"streams": [{"id": 1}, {"id": 3}]})
    world.near.inject(control.socket.send(bytes((TEST_END,)), world.session.now)[1])
    world.near.arm()
    world.session.loop.run(world.session.now + 1_000_000_000)
    said = control.came[len(BY_THE_BOOK) :]
    size = int.from_bytes(said[:4], "big")
    results = json.loads(said[4 : 4 + size])
    assert [(s["id"], s["bytes"]) for s in results["streams"]] == [(1, 1000), (3, 20_000)]
    assert said[4 + size :] == bytes((DISPLAY_RESULTS,))
    world.near.inject(control.socket.send(bytes((IPERF_DONE,)), world.session.now)[1])
    world.near.arm()
    world.session.loop.run(world.session.now + 1_000_000_000)
    [test] = world.server.done
    assert test.octets == (1000, 20_000) and not test.error and test.rate > 0


def test_a_second_client_is_told_that_it_is_taken(world: World) -> None:
    first, second = world.client(COOKIE, {}), world.client(b"d" * 37, {})
    world.run(first, second)
    assert first.came == bytes((PARAM_EXCHANGE,)) and not first.over
    assert second.came == bytes((ACCESS_DENIED,)) and second.over


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (text({"udp": True}), "asked for UDP"),
        (text({"tcp": True, "parallel": 1000}), "asked for too many streams"),
        (text({"tcp": True, "bidirectional": 1}), "asked for both directions at once"),
    ],
)
def test_what_is_not_here_is_refused(world: World, answer: bytes, error: str) -> None:
    client = world.client(COOKIE, {bytes((PARAM_EXCHANGE,)): answer})
    world.run(client)
    assert client.came[:2] == bytes((PARAM_EXCHANGE, SERVER_ERROR)) and client.over
    assert [test.error for test in world.server.done] == [error]


@pytest.mark.parametrize("answer", [text([1]), b"\0\0\0\x02{{", b"\xff\xff\xff\xff", b"\0\0\0\x01\xff"])
def test_nonsense_ends_the_test_and_the_next_one_can_begin(world: World, answer: bytes) -> None:
    client = world.client(COOKIE, {bytes((PARAM_EXCHANGE,)): answer})
    world.run(client)
    assert client.over
    assert "nobody understands" in world.server.done[0].error
    after = world.client(COOKIE, {})
    world.run(after)
    assert after.came == bytes((PARAM_EXCHANGE,))


def test_a_client_that_goes_before_it_said_who_it_is_leaves_nothing(world: World) -> None:
    client = world.client(b"abc", {})
    world.run(client)
    world.near.inject(client.socket.close(world.session.now))
    world.near.arm()
    world.session.loop.run(world.session.now + 10_000_000_000)
    assert not world.server.done and not world.server._cookies and client.over
