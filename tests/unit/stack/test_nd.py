"""Neighbour discovery and router advertisements: found, checked, forgotten; told, believed (RFC 4861, 4862)."""

from __future__ import annotations

import pytest
from desk import PEER_MAC, Desk
from desk6 import ME, MY_LINK, MY_MAC, PEER, PEER_LINK, desk6, echo, frame, message

from netlab.stack.ip6 import router
from netlab.stack.ip6.sockets import EchoSocket6
from netlab.units import MS, SEC
from netlab.wire import icmpv6, ipv6
from netlab.wire.address import format_ipv6, multicast_mac6, parse_ipv6, solicited_node

ALL_NODES = parse_ipv6("ff02::1")


def sends(d: Desk, seq: int = 1, dst: int = PEER) -> None:
    """The host pings somebody."""
    d.host.close(("icmp6", 5))
    d.does([EchoSocket6(d.host, 5, lambda *_: []).send(dst, seq, b"")])


def advertises(target: int = PEER, mac: bytes = PEER_MAC, *, flags: int = icmpv6.SOLICITED, hops: int = 255) -> bytes:
    """The peer says where it is."""
    said = icmpv6.neighbor_advertisement(target, mac, PEER, ME, flags=flags)
    return frame(ipv6.build(PEER, ME, 58, said, hops=hops))


def solicits(target: int = ME, *, src: int = PEER, mac: bytes = PEER_MAC, hops: int = 255) -> bytes:
    """The peer asks who has an address."""
    group = solicited_node(target)
    said = icmpv6.neighbor_solicitation(target, mac, src, group)
    return frame(ipv6.build(src, group, 58, said, hops=hops), multicast_mac6(group))


def state(d: Desk, address: int = PEER) -> str:
    return d.host.inet6.neighbours.table()["eth0", address][0]


def kinds(d: Desk) -> list[int]:
    return [message(data)[1].type for _, data in d.takes_sent()]


def test_it_asks_once_and_sends_what_waited_in_order() -> None:
    d = desk6(neighbours=False)
    for seq in (1, 2):
        sends(d, seq)
    [(_, asked)] = d.takes_sent()
    header, said = message(asked)
    assert (header.src, header.dst, header.hops) == (ME, solicited_node(PEER), 255)
    assert asked[:6] == multicast_mac6(solicited_node(PEER)) and said.type == icmpv6.NEIGHBOR_SOLICITATION
    assert icmpv6.parse_neighbor(asked, 54, len(asked)) == icmpv6.Neighbor(PEER, MY_MAC)
    d.receives(advertises())
    assert [(data[:6], message(data)[1].seq) for _, data in d.sent] == [(PEER_MAC, 1), (PEER_MAC, 2)]
    assert state(d) == "reachable"


def test_a_silent_neighbour_is_asked_three_times_and_given_up() -> None:
    d = desk6(neighbours=False)
    sends(d)
    d.waits(3 * SEC)
    assert kinds(d) == [icmpv6.NEIGHBOR_SOLICITATION] * 3
    assert d.drops == [f"no neighbour advertisement from {format_ipv6(PEER)}"] and state_is_gone(d)


def state_is_gone(d: Desk) -> bool:
    return ("eth0", PEER) not in d.host.inet6.neighbours.table()


def test_what_a_router_could_not_deliver_is_told_to_the_sender() -> None:
    d = desk6("router").receives(frame(echo(parse_ipv6("fd00:2::77")))).waits(3 * SEC)
    _, said = message(d.sent[-1][1])
    assert (said.type, said.code) == (icmpv6.UNREACHABLE, icmpv6.ADDRESS_UNREACHABLE)


def test_an_old_answer_is_used_and_checked() -> None:
    """§7.3.3: reachable for 30 s, then stale; used, it is probed after 5 s, and without an answer forgotten."""
    d = desk6()
    d.waits(31 * SEC)
    sends(d)
    assert kinds(d) == [icmpv6.ECHO_REQUEST] and state(d) == "delay"
    d.waits(5 * SEC)
    [(_, probe)] = d.takes_sent()
    assert message(probe)[0].dst == PEER and probe[:6] == PEER_MAC and state(d) == "probe"
    d.receives(advertises())
    assert state(d) == "reachable"
    d.waits(31 * SEC)
    sends(d)
    d.waits(9 * SEC)
    assert kinds(d) == [icmpv6.ECHO_REQUEST, *[icmpv6.NEIGHBOR_SOLICITATION] * 3] and state_is_gone(d)


def test_who_asks_is_answered_and_remembered() -> None:
    d = desk6(neighbours=False).receives(solicits())
    [(_, data)] = d.sent
    header, said = message(data)
    assert (header.src, header.dst, header.hops) == (ME, PEER, 255) and data[:6] == PEER_MAC
    assert said.rest == icmpv6.SOLICITED | icmpv6.OVERRIDE
    assert icmpv6.parse_neighbor(data, 54, len(data)) == icmpv6.Neighbor(ME, MY_MAC)
    assert state(d) == "delay", "the answer itself was sent to a neighbour that nobody has checked"


def test_who_wants_our_address_is_told_that_it_is_taken() -> None:
    """RFC 4862 §5.4.3: asked by nobody yet, the answer goes to all."""
    d = desk6(neighbours=False).receives(solicits(src=0, mac=b""))
    header, said = message(d.sent[0][1])
    assert header.dst == ALL_NODES and said.rest == icmpv6.OVERRIDE


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        (solicits(hops=254), "neighbour discovery from beyond this link"),
        (advertises(hops=64), "neighbour discovery from beyond this link"),
        (solicits(src=0), "neighbour solicitation is malformed"),
        (solicits(parse_ipv6("fd00:9::1")), "neighbour solicitation for another"),
    ],
)
def test_what_does_not_come_from_this_link_or_is_malformed_is_ignored(heard: bytes, reason: str) -> None:
    d = desk6().receives(heard)
    assert d.drops == [reason] and d.sent == []


def test_only_an_override_changes_what_is_believed() -> None:
    d = desk6()
    d.receives(advertises(mac=b"\x02other", flags=0))
    assert d.host.inet6.neighbours.table()["eth0", PEER] == ("stale", PEER_MAC)
    d.receives(advertises(mac=b"\x02other", flags=icmpv6.OVERRIDE | icmpv6.SOLICITED))
    assert d.host.inet6.neighbours.table()["eth0", PEER] == ("reachable", b"\x02other")


# ---- routers --------------------------------------------------------------------------------------

PREFIX = icmpv6.Prefix(parse_ipv6("fd00:5::"), 64)


def told(said: icmpv6.Advertisement, *, src: int = PEER_LINK) -> bytes:
    """A router speaks to all."""
    whole = icmpv6.router_advertisement(said, src, ALL_NODES)
    return frame(ipv6.build(src, ALL_NODES, 58, whole, hops=255), multicast_mac6(ALL_NODES))


def said(**changed: object) -> icmpv6.Advertisement:
    return icmpv6.Advertisement(63, 0, 1800, 0, 0, PEER_MAC, 1400, (PREFIX,))._replace(**changed)


def seeking() -> Desk:
    """A host without addresses that is to find them."""
    d = desk6(neighbours=False)
    d.host.inet6.autoconfigured.add("eth0")
    router.start(d.host)
    return d


def test_a_host_makes_its_address_of_what_a_router_says() -> None:
    d = seeking().waits(0)
    header, asked = message(d.takes_sent()[0][1])
    assert asked.type == icmpv6.ROUTER_SOLICITATION and format_ipv6(header.dst) == "ff02::2"
    d.receives(told(said())).waits(20 * SEC)
    inet6, mine = d.host.inet6, parse_ipv6("fd00:5::ff:fe00:100")
    assert mine in inet6.addresses and inet6.hops == 63 and inet6.mtus == {"eth0": 1400}
    assert inet6.source_for(parse_ipv6("fd00:5::9"), "eth0") == mine
    sends(d, dst=parse_ipv6("2001:db8::1"))
    assert d.sent[-1][1][:6] == PEER_MAC, "by way of the router, whose link address came with its word"
    assert kinds(d) == [icmpv6.ECHO_REQUEST], "who has heard a router asks no more"


def test_without_a_router_it_asks_three_times() -> None:
    d = seeking().waits(60 * SEC)
    assert kinds(d) == [icmpv6.ROUTER_SOLICITATION] * 3


@pytest.mark.parametrize(
    "heard",
    [
        told(said(), src=PEER),
        told(said(prefixes=(PREFIX._replace(autonomous=False),))),
        told(said(prefixes=(PREFIX._replace(length=48),))),
        told(said(prefixes=(PREFIX._replace(valid=1, preferred=2),))),
        told(said(prefixes=(icmpv6.Prefix(parse_ipv6("fe80::"), 64),))),
    ],
    ids=["not link-local", "not for hosts", "too short", "impossible lifetimes", "link-local prefix"],
)
def test_what_no_address_can_be_made_of_is_not_believed(heard: bytes) -> None:
    d = seeking()
    before = set(d.host.inet6.addresses)
    assert d.receives(heard).host.inet6.addresses == before


def test_a_liar_fills_an_interface_with_no_more_than_sixteen_addresses() -> None:
    d = seeking()
    for n in range(40):
        d.receives(told(said(prefixes=(PREFIX._replace(prefix=PREFIX.prefix + (n << 64)),))))
    assert len(d.host.inet6.held["eth0"]) == 16


def test_a_host_that_was_not_told_to_believes_no_router() -> None:
    d = desk6().receives(told(said()))
    assert len(d.host.inet6.fib.routes) == 2 and d.host.inet6.mtus == {}


def test_a_router_that_stops_is_no_way_out_any_more() -> None:
    d = seeking().receives(told(said())).receives(told(said(lifetime=0)))
    assert d.host.inet6.fib.lookup(parse_ipv6("2001:db8::1")) is None


def test_a_router_answers_who_asks() -> None:
    d = desk6("router", neighbours=False)
    ifp = d.host.interfaces["eth0"]
    d.host.inet6.advertised["eth0"] = router.advertisement(ifp, PREFIX)
    router.start(d.host)
    d.waits(1 * MS)
    header, first = message(d.takes_sent()[0][1])
    assert (header.src, header.dst, first.type) == (MY_LINK, ALL_NODES, icmpv6.ROUTER_ADVERTISEMENT)
    group = parse_ipv6("ff02::2")
    asks = icmpv6.router_solicitation(PEER_MAC, PEER_LINK, group)
    d.receives(frame(ipv6.build(PEER_LINK, group, 58, asks, hops=255), multicast_mac6(group)))
    [(_, data)] = d.takes_sent()
    assert message(data)[0].dst == PEER_LINK and data[:6] == PEER_MAC
    heard = icmpv6.parse_advertisement(data, 54, len(data))
    assert heard is not None and heard.prefixes == (PREFIX,) and (heard.lifetime, heard.mtu) == (1800, 1500)
