"""Options that a peer can see, or a program by getsockopt, on stacks in memory."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from netlab.backend.native.sockets import LiveStack, Socket, cable, pair
from netlab.stack.fib import Fibs, LinearFib, Route
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.wire.address import parse_ipv4

Ends = tuple[Socket, Socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A client and its accepted socket."""
    a, b = pair()
    with a, b, b.create_server(("", 7)) as server, a.socket() as client:
        client.settimeout(30)
        client.connect(("b", 7))
        child, _ = server.accept()
        with child:
            child.settimeout(30)
            yield client, child


def test_tcp_info_as_a_dict_and_as_the_kernels_struct(ends: Ends) -> None:
    client, child = ends
    client.sendall(bytes(100_000))
    child.recv(100_000, socket.MSG_WAITALL)
    info = client.info()
    assert (info["state"], info["snd_mss"]) == (1, 1460)
    assert info["rtt"] > 0
    assert info["snd_cwnd"] >= 10
    packed = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    assert len(packed) == 104
    words = struct.unpack("=8B24I", packed)
    assert words[0] == 1
    assert words[8 + 2] == 1460


def test_a_cork_holds_a_small_segment_back(ends: Ends) -> None:
    client, child = ends
    client.setsockopt(socket.IPPROTO_TCP, "TCP_CORK", 1)
    client.sendall(b"held")
    child.setblocking(False)
    with pytest.raises(BlockingIOError):
        child.recv(10)
    assert client.info()["notsent_bytes"] == 4
    client.setsockopt(socket.IPPROTO_TCP, "TCP_CORK", 0)
    child.settimeout(30)
    assert child.recv(10) == b"held"


def test_unsent_bytes_stay_below_their_limit(ends: Ends) -> None:
    client, child = ends
    client.setsockopt(socket.IPPROTO_TCP, "TCP_NOTSENT_LOWAT", 20_000)
    client.settimeout(0.05)
    child.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with pytest.raises(TimeoutError):
        client.sendall(bytes(10_000_000))
    assert 0 < client.info()["notsent_bytes"] <= 20_000
    client.settimeout(30)
    client.shutdown(socket.SHUT_WR)
    while child.recv(1 << 20):
        pass


def test_and_a_writer_goes_on_when_they_have_left(ends: Ends) -> None:
    import threading

    client, child = ends
    client.setsockopt(socket.IPPROTO_TCP, "TCP_NOTSENT_LOWAT", 5000)
    thread = threading.Thread(target=client.sendall, args=(bytes(3_000_000),))
    thread.start()
    assert len(child.recv(3_000_000, socket.MSG_WAITALL)) == 3_000_000
    thread.join()


@pytest.mark.parametrize(
    ("level", "option", "value", "reads"),
    [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1, 1),
        (socket.SOL_SOCKET, socket.SO_RCVBUF, 50_000, 100_000),
        (socket.SOL_SOCKET, "SO_MARK", 7, 7),
        (socket.SOL_SOCKET, 0x1014, 0, 0),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1, 1),
        (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000, 1000),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 4000, 4000),
        (socket.IPPROTO_TCP, "TCP_CONGESTION", b"newreno", "newreno"),
        (socket.IPPROTO_TCP, "TCP_NOPUSH", 1, 1),
        (socket.IPPROTO_IP, socket.IP_TTL, 5, 5),
    ],
)
def test_what_is_set_can_be_read(ends: Ends, level: int, option: int | str, value: object, reads: object) -> None:
    client, _ = ends
    client.setsockopt(level, option, value)
    assert client.getsockopt(level, option) == reads


def test_what_python_asks_of_every_socket(ends: Ends) -> None:
    client, _ = ends
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3))
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 3)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))


def test_two_tenants_with_one_address_are_told_apart_by_setfib() -> None:
    """Both are 192.0.2.1; table 0 leads to the first, table 1 to the second."""
    cables = cable("eth0", "eth0"), cable("eth1", "eth0")
    ports = tuple(
        Ifnet(f"eth{n}", bytes((2, 0, 0, 0, 0, n)), (Address(parse_ipv4(f"10.0.{n}.1"), 24),)) for n in (0, 1)
    )
    ways = [LinearFib((Route(0, 0, parse_ipv4(f"10.0.{n}.2"), f"eth{n}"),)) for n in (0, 1)]
    ours = LiveStack(
        Host("x", "host", ports, (), fibs=Fibs(ways[0], {1: ways[1]})), {f"eth{n}": cables[n][0] for n in (0, 1)}
    )
    tenants = [
        LiveStack.on(cables[n][1], "192.0.2.1/32", f"10.0.{n}.2/24", mac=f"02:00:00:00:01:0{n}", name=f"tenant {n}")
        for n in (0, 1)
    ]
    with ours, tenants[0], tenants[1]:
        for n, tenant in enumerate(tenants):
            with tenant.create_server(("", 7)) as server, ours.socket() as s:
                s.settimeout(30)
                s.setfib(n)
                s.connect(("192.0.2.1", 7))
                assert s.getsockname()[0] == f"10.0.{n}.1"
                assert s.getpeername() == ("192.0.2.1", 7)
                server.accept()[0].close()
            with tenant.socket(type=socket.SOCK_DGRAM) as server, ours.socket(type=socket.SOCK_DGRAM) as s:
                server.bind(("192.0.2.1", 53))
                server.settimeout(30)
                s.setfib(n)
                s.sendto(b"to you", ("192.0.2.1", 53))
                assert server.recvfrom(10)[1][0] == f"10.0.{n}.1"


def test_a_planned_node_with_its_neighbours_names() -> None:
    plan = resolve(load_topology("pair"))
    ends = cable(plan.node("h1").interfaces[0].name, plan.node("h2").interfaces[0].name)
    h1, h2 = (LiveStack.of(plan, n, {end.name: end}) for n, end in zip(("h1", "h2"), ends, strict=True))
    with h1, h2, h2.create_server(("", 7)), h1.create_connection(("h2", 7), timeout=30) as s:
        assert s.getpeername()[0] == plan.node("h2").addresses[0]
