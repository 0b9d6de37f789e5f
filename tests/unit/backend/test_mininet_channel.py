"""Messages with descriptors, however the socket cuts them up."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from netlab.backend.mininet.channel import Connection, Framer, frame


@pytest.fixture
def ends() -> Iterator[tuple[Connection, Connection]]:
    a, b = (Connection(sock) for sock in socket.socketpair())
    yield a, b
    a.close()
    b.close()


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 1000])
def test_messages_arrive_whole_from_pieces_of_any_size(piece: int) -> None:
    sent = [{"id": number, "text": "ü" * number} for number in range(10)]
    data = b"".join(frame(message, ()) for message in sent)
    framer = Framer()
    pieces = [data[i : i + piece] for i in range(0, len(data), piece)]
    assert [message for part in pieces for message, _fds in framer.feed(part)] == sent


def test_each_message_gets_its_own_descriptors(ends: tuple[Connection, Connection]) -> None:
    here, there = ends
    read, write = os.pipe()
    here.send({"id": 1})
    here.send({"id": 2}, [read, write])
    here.send({"id": 3}, [read], close=True)
    received = [pair for _ in range(3) for pair in (there.receive() or [])]
    assert [(message["id"], len(fds)) for message, fds in received] == [(1, 0), (2, 2), (3, 1)]
    os.write(received[1][1][1], b"through")
    assert os.read(received[2][1][0], 100) == b"through"
    for _message, fds in received:
        for fd in fds:
            os.close(fd)
    with pytest.raises(BrokenPipeError):  # ours was given away with the last message: nobody reads any more
        os.write(write, b"x")
    os.close(write)


def test_what_the_socket_does_not_take_waits(ends: tuple[Connection, Connection]) -> None:
    here, there = ends
    long = {"id": 1, "text": "x" * 5_000_000}
    here.send(long)
    assert here.unsent
    received = []
    while not received:
        here.flush()
        received = there.receive() or []
    assert received[0][0] == long and not here.unsent


def test_a_peer_that_has_gone_is_told_apart_from_silence(ends: tuple[Connection, Connection]) -> None:
    here, there = ends
    assert there.receive() == []
    here.close()
    assert there.receive() is None
    there.send({"id": 1})  # into the void, without an error
