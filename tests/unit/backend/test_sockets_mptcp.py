"""Blocking sockets of IPPROTO_MPTCP: two stacks, two cables in memory, and the names of Python's `socket`."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from netlab.backend.native.sockets import LiveStack, cable
from netlab.backend.native.sockets.mptcpcore import IPPROTO_MPTCP
from netlab.stack.mptcp.host import multipath, use_addresses
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.workload.bulk import long_pattern

Stacks = tuple[LiveStack, LiveStack]
TEXT = long_pattern(3_000_000)


@pytest.fixture
def stacks() -> Iterator[Stacks]:
    plan = resolve(load_topology("two_paths"))
    first, second = cable("h1-eth0", "h2-eth0"), cable("h1-eth1", "h2-eth1")
    a = LiveStack.of(plan, "h1", {"h1-eth0": first[0], "h1-eth1": second[0]})
    b = LiveStack.of(plan, "h2", {"h2-eth0": first[1], "h2-eth1": second[1]})
    use_addresses(a.engine.host)
    multipath(b.engine.host)
    with a, b:
        yield a, b


def test_a_stream_goes_both_ways_by_two_subflows(stacks: Stacks) -> None:
    a, b = stacks
    with b.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as server:
        server.bind(("10.0.1.2", 5000))
        server.listen()
        client = a.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        client.settimeout(30)
        client.connect(("10.0.1.2", 5000))
        far, peer = server.accept()
        far.settimeout(30)
        assert peer == client.getsockname()
        back: list[bytes] = []

        def echo() -> None:
            with far, far.makefile("rb") as came:
                data = came.read()
                far.sendall(data[::-1])

        def read() -> None:
            while piece := client.recv(1 << 18):
                back.append(piece)

        threads = [threading.Thread(target=echo), threading.Thread(target=read)]
        for thread in threads:
            thread.start()
        client.sendall(TEXT)
        connection = client._core.connection
        client.shutdown(socket.SHUT_WR)
        for thread in threads:
            thread.join(30)
        client.close()
    assert b"".join(back) == TEXT[::-1]
    assert not connection.alone, "a second subflow was there"


def test_a_plain_client_gets_a_plain_socket(stacks: Stacks) -> None:
    a, b = stacks
    with b.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as server:
        server.bind(("10.0.1.2", 5000))
        server.listen()
        with a.create_connection(("10.0.1.2", 5000), timeout=30) as client:
            far, _ = server.accept()
            client.sendall(b"plain")
            assert far.recv(100) == b"plain"
            assert far.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == socket.IPPROTO_TCP
            far.close()


def test_a_plain_server_makes_it_plain(stacks: Stacks) -> None:
    a, b = stacks
    client = a.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    with b.create_server(("10.0.1.2", 5000)) as server, client:
        client.settimeout(30)
        client.connect(("10.0.1.2", 5000))
        far, _ = server.accept()
        far.sendall(b"plain")
        assert client.recv(100) == b"plain"
        assert client._core.connection.plain is not None
        far.close()
        assert client.recv(100) == b""


def test_nobody_listens(stacks: Stacks) -> None:
    a, _ = stacks
    client = a.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    with client, pytest.raises(ConnectionRefusedError):
        client.connect(("10.0.1.2", 5999))
