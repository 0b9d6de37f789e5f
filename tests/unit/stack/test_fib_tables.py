"""Several tables in a host: what chooses one, and that a lookup which fails stays failed."""

from __future__ import annotations

from desk import PEER_MAC, Desk, address

from netlab.stack.fib import FIBS, Fibs, LinearFib, Route, Rule, Way, multipath
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.sockets import UdpSocket
from netlab.wire import ethernet, icmp, ipv4, udp

SHARED = address("10.9.0.0")
ONE, TWO = address("10.0.1.9"), address("10.0.2.9")
MAIN = Route(0, 0, ONE, "eth0")
RED, BLUE = Route(SHARED, 24, ONE, "eth0"), Route(SHARED, 24, TWO, "eth1")


def fibs(*rules: Rule, interfaces: dict[str, int] | None = None) -> Fibs:
    return Fibs(LinearFib((MAIN,)), {100: LinearFib((RED,)), 200: LinearFib((BLUE,))}, rules, interfaces)


def desk(tables: Fibs, kind: str = "router") -> Desk:
    """eth0 is 10.0.1.1/24, eth1 10.0.2.1/24, eth2 10.0.3.1/24; their neighbours .9 are known."""
    ports = tuple(
        Ifnet(f"eth{n}", bytes((2, 0, 0, 0, 1, n)), (Address(address(f"10.0.{n + 1}.1"), 24),)) for n in range(3)
    )
    made = Host("x", kind, ports, (), fibs=tables)
    for n in range(3):
        made.neighbours.learn(address(f"10.0.{n + 1}.9"), PEER_MAC, ports[n], 0, create=True)
    return Desk(made)


def arrives(d: Desk, interface: str, dst: int, *, src: int = 0, port: int = 7) -> Desk:
    source = src or d.host.interfaces[interface].addresses[0].address + 8
    packet = ipv4.build(source, dst, ipv4.UDP, udp.build(port, 9, b"x", source, dst))
    return d.receives(ethernet.build(d.host.interfaces[interface].mac, PEER_MAC, ethernet.IPV4, packet), interface)


def test_the_same_prefix_leads_two_ways_by_the_interface_it_came_in() -> None:
    rules = (Rule(10, 100, iif="eth1"), Rule(20, 200, iif="eth2"))
    assert [name for name, _ in arrives(desk(fibs(*rules)), "eth1", SHARED + 1).sent] == ["eth0"]
    assert [name for name, _ in arrives(desk(fibs(*rules)), "eth2", SHARED + 1).sent] == ["eth1"]


def test_a_failed_lookup_never_falls_into_table_0() -> None:
    d = arrives(desk(fibs(Rule(10, 200, iif="eth2"))), "eth2", address("172.16.0.1"), src=address("10.0.3.9"))
    assert d.drops == ["no route"], "though table 0 has a default route"
    assert fibs().lookup(SHARED, fib=200) == BLUE
    assert fibs().lookup(address("172.16.0.1"), fib=200) is None
    assert fibs().lookup(SHARED, fib=300) is None, "a table that is not there has no routes"


def test_the_lowest_priority_that_fits_decides() -> None:
    tables = fibs(Rule(30, 0), Rule(20, 200, mark=7), Rule(10, 100, source=address("10.0.3.0"), length=24))
    assert tables.lookup(SHARED, src=address("10.0.3.77")) == RED
    assert tables.lookup(SHARED, mark=7) == BLUE
    assert tables.lookup(SHARED, mark=7, src=address("10.0.3.77")) == RED
    assert tables.lookup(SHARED, mark=6) == MAIN


def test_a_socket_comes_before_an_interface_and_that_before_a_rule() -> None:
    tables = fibs(Rule(10, 0), interfaces={"eth2": 200})
    assert tables.choose(fib=100, iface="eth2") == 100
    assert tables.choose(iface="eth2") == 200
    assert tables.choose(iface="eth1") == 0


def test_setfib_and_marks_reach_the_route_and_the_source_address() -> None:
    d = desk(fibs(Rule(10, 200, mark=5)), "host")
    for n, choice in enumerate(({}, {"fib": 200}, {"mark": 5}, {"fib": 0, "mark": 5})):
        socket = UdpSocket(d.host, 1000 + n, lambda *_: [], **choice)  # type: ignore[arg-type]
        d.does([socket.send(SHARED + 1, 9, b"x")])
    seen = [(name, ipv4.parse(data, 14)) for name, data in d.sent]
    assert [(name, header.src) for name, header in seen if header is not None] == [
        ("eth0", address("10.0.1.1")),
        ("eth1", address("10.0.2.1")),
        ("eth1", address("10.0.2.1")),
        ("eth0", address("10.0.1.1")),
    ]


def test_an_answer_goes_by_the_table_of_what_it_answers() -> None:
    d = desk(Fibs(LinearFib(()), {200: LinearFib((BLUE,))}, interfaces={"eth1": 200}), "host")
    me = address("10.0.2.1")
    ping = ipv4.build(SHARED + 1, me, ipv4.ICMP, icmp.echo_request(7, 1, b"x"))
    d.receives(ethernet.build(d.host.interfaces["eth1"].mac, PEER_MAC, ethernet.IPV4, ping), "eth1")
    closed = ipv4.build(SHARED + 1, me, ipv4.UDP, udp.build(7, 9, b"x", SHARED + 1, me))
    d.receives(ethernet.build(d.host.interfaces["eth1"].mac, PEER_MAC, ethernet.IPV4, closed), "eth1")
    assert [name for name, _ in d.sent] == ["eth1", "eth1"], "an echo reply and a port unreachable"


def test_equal_ways_share_flows_and_a_flow_stays_on_its_way() -> None:
    both = multipath(SHARED, 24, (Way(ONE, "eth0"), Way(TWO, "eth1")))
    d = desk(Fibs(LinearFib((both,))))
    for port in range(1000, 1200):
        for _ in range(3):
            arrives(d, "eth2", SHARED + 1, port=port)
    taken: dict[int, set[str]] = {}
    for name, data in d.sent:
        taken.setdefault(int.from_bytes(data[34:36], "big"), set()).add(name)
    assert len(taken) == 200 and all(len(ways) == 1 for ways in taken.values())
    share = sum(ways == {"eth0"} for ways in taken.values()) / 200
    assert 0.4 < share < 0.6


def test_any_structure_serves_as_any_table() -> None:
    for make in FIBS.values():
        assert Fibs(make((MAIN,)), {5: make((RED,))}).lookup(SHARED + 3, fib=5) == RED
