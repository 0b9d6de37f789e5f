"""Options of a TCP socket without time passing: which table routes it, what waits for a connection, what is refused."""

from __future__ import annotations

import errno

import pytest
from desk import Desk, address

from netlab.stack.fib import Fibs, LinearFib, Route, Rule
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import TcpSocket
from netlab.stack.tcp.layer import Pair
from netlab.stack.tcp.segment import Event
from netlab.stack.tcp.sockopts import SocketOptions
from netlab.units import SEC

FAR = address("192.0.2.9")


def two_ways() -> Host:
    """Table 0 sends everything by eth0, table 1 by eth1, whose MTU is small; packets with mark 7 go by table 1, too."""
    ports = (
        Ifnet("eth0", bytes((2, 0, 0, 0, 1, 0)), (Address(address("10.0.1.1"), 24),)),
        Ifnet("eth1", bytes((2, 0, 0, 0, 1, 1)), (Address(address("10.0.2.1"), 24),), mtu=1000),
    )
    ways = [LinearFib((Route(0, 0, address(f"10.0.{n}.254"), f"eth{n - 1}"),)) for n in (1, 2)]
    return Host("x", "host", ports, (), fibs=Fibs(ways[0], {1: ways[1]}, (Rule(10, 1, mark=7),)))


def hear(socket: TcpSocket, event: Event, now: int) -> list[Hop]:
    return []


def connect(host: Host, options: SocketOptions) -> tuple[TcpSocket, str]:
    """A connection that is being opened, and the interface by which it asks for its gateway."""
    socket, hops = TcpSocket.open(host, FAR, 80, hear, 0, options)
    return socket, Desk(host).does(hops).sent[0][0]


def options(host: Host, **values: int) -> SocketOptions:
    made = SocketOptions(host.tcp.layer.knobs)
    for name, value in values.items():
        made.set(name, value, 0)
    return made


def test_a_sockets_table_routes_its_connection() -> None:
    host = two_ways()
    socket, interface = connect(host, options(host, SO_SETFIB=1))
    assert interface == "eth1"
    assert socket.endpoint.pair.local == address("10.0.2.1"), "the source address is that of the table's route"
    assert socket.endpoint.connection.local_mss == 1000 - 40, "and so is the MSS"


def test_so_does_a_mark_by_a_rule() -> None:
    host = two_ways()
    assert connect(host, options(host, SO_MARK=7))[1] == "eth1"
    assert connect(host, options(host, SO_MARK=8))[1] == "eth0"


def test_setfib_is_for_what_leaves_from_now_on() -> None:
    host = two_ways()
    socket, interface = connect(host, options(host))
    assert interface == "eth0"
    socket.setfib(1)
    again = host.tcp.hops(host.tcp.layer.timer(2 * SEC), 2 * SEC)  # nobody answered the SYN
    assert [m.tag.fib for _, m, *_ in again] == [1]


def test_what_is_set_before_waits_for_the_connection() -> None:
    host = two_ways()
    made = options(host, TCP_NODELAY=1, TCP_KEEPIDLE=5, SO_SNDBUF=10_000, TCP_MAXSEG=700, IP_TTL=9)
    made.set("TCP_CONGESTION", "newreno", 0)
    socket, _ = connect(host, made)
    c = socket.endpoint.connection
    assert (c.nodelay, c.keep_idle, c.send_buffer, c.local_mss) == (True, 5 * SEC, 10_000, 700)
    assert (c.control.name, socket.endpoint.ttl) == ("newreno", 9)
    assert socket.getsockopt("SO_SNDBUF") == 20_000, "as Linux answers"


def test_a_callback_sets_options_too() -> None:
    host = two_ways()
    socket, _ = connect(host, options(host))
    socket.setsockopt("TCP_CORK", 1, 0)
    assert socket.endpoint.connection.cork
    assert socket.getsockopt("TCP_INFO")["state"] == 2, "SYN-SENT, as Linux counts"


def test_an_accepted_socket_has_what_its_listener_had() -> None:
    host = two_ways()
    listener = host.tcp.layer.listen(None, 80, 5)
    made = options(host, SO_SETFIB=1, TCP_NODELAY=1, SO_MARK=3)
    made.listening(listener)
    made.set("TCP_KEEPCNT", 2, 0)
    assert (listener.fib, listener.mark, listener.settings) == (1, 3, {"nodelay": True, "keep_count": 2})


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("TCP_RUBBISH", 1, errno.ENOPROTOOPT),
        ("TCP_INFO", 1, errno.ENOPROTOOPT),
        ("TCP_KEEPINTVL", 0, errno.EINVAL),
        ("SO_SNDBUF", "much", errno.EINVAL),
        ("SO_SETFIB", -1, errno.EINVAL),
        ("TCP_CONGESTION", "vegas", errno.ENOENT),
    ],
)
def test_what_cannot_be_set_is_refused(name: str, value: int | str, error: int) -> None:
    with pytest.raises(OSError) as raised:
        SocketOptions(two_ways().tcp.layer.knobs).set(name, value, 0)
    assert raised.value.errno == error
    assert name in str(raised.value) or str(value) in str(raised.value)


def test_ipv6_has_one_table() -> None:
    with pytest.raises(OSError, match="one table"):
        SocketOptions(two_ways().tcp.layer.knobs, 6).set("SO_SETFIB", 1, 0)


def test_a_silent_neighbour_ends_an_attempt_to_connect() -> None:
    """Linux says EHOSTUNREACH when its gateway never answers ARP; nobody else could tell."""
    host = two_ways()
    told: list[Event] = []
    _, hops = TcpSocket.open(host, FAR, 80, lambda socket, event, now: told.append(event) or [], 0, options(host))  # type: ignore[func-returns-value]
    Desk(host).does(hops).waits(10 * SEC)
    assert told == [Event("refused", "EHOSTUNREACH")]
    assert not host.tcp.layer.endpoints


def test_there_is_an_end_to_ports() -> None:
    host = two_ways()
    for port in range(49152, 65536):
        host.tcp.layer.endpoints[Pair(1, port, 2, 3)] = None  # type: ignore[assignment]
    with pytest.raises(ValueError, match="every port"):
        host.tcp.ephemeral()
