"""VLAN interfaces on a desk: tags come off on the way in and go on again on the way out (IEEE 802.1Q-2018 §6.9, §9)."""

from __future__ import annotations

import pytest
from desk import PEER_MAC, Desk, address

from netlab.stack.fib import Route
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop, to
from netlab.stack.vlan import VlanLink, priority, traffic_class
from netlab.wire import arp, ethernet, icmp, ipv4, vlan

MAC = bytes.fromhex("020000000100")
PEER = address("10.10.0.2")


def on(name: str, parent: Ifnet, vid: int, cidr: str = "", *, tpid: int = vlan.CTAG, pcp: int = 0) -> Ifnet:
    text, _, length = cidr.partition("/")
    addresses = (Address(address(text), int(length)),) if cidr else ()
    return Ifnet(name, MAC, addresses, mtu=parent.mtu, below=VlanLink(parent, vid, tpid, pcp))


def desk(*, outer: int = vlan.STAG, inner: int = vlan.CTAG) -> Desk:
    """v10 is VLAN 10 with priority 5; v7 is VLAN 7 inside of service VLAN 100."""
    eth0 = Ifnet("eth0", MAC, (Address(address("10.0.1.1"), 24),))
    v10 = on("v10", eth0, 10, "10.10.0.1/24", pcp=5)
    s100 = on("s100", eth0, 100, tpid=outer)
    v7 = on("v7", s100, 7, "10.7.0.1/24", tpid=inner)
    routes = tuple(Route(address(net), 24, 0, name) for net, name in (("10.10.0.0", "v10"), ("10.7.0.0", "v7")))
    host = Host("x", "host", (eth0, v10, s100, v7), routes)
    for peer, ifp in (("10.10.0.2", v10), ("10.7.0.2", v7)):
        host.neighbours.learn(address(peer), PEER_MAC, ifp, 0, create=True)
    return Desk(host)


def echo(dst: str, *tags: tuple[int, int], src: str = "", size: int = 8) -> bytes:
    """An echo request from the peer in ``dst``'s subnet, with tags (EtherType, VID), outermost first."""
    source = src or dst.rpartition(".")[0] + ".2"
    packet = ipv4.build(address(source), address(dst), ipv4.ICMP, icmp.echo_request(1, 1, bytes(size)))
    frame = ethernet.build(MAC, PEER_MAC, ethernet.IPV4, packet)
    for tpid, vid in reversed(tags):
        frame = vlan.push(frame, vid, tpid=tpid)
    return frame


def sent_tags(frame: bytes) -> list[tuple[int, int, int]]:
    return [(tpid, tag.vid, tag.pcp) for tpid, tag in vlan.tags(frame)]


def test_a_ping_in_a_vlan_is_answered_in_it_with_the_interfaces_priority() -> None:
    d = desk().receives(echo("10.10.0.1", (vlan.CTAG, 10)))
    [(interface, frame)] = d.takes_sent()
    assert interface == "eth0" and sent_tags(frame) == [(vlan.CTAG, 10, 5)]
    message = icmp.parse(frame, 18 + 20)
    assert message is not None and message.type == icmp.ECHO_REPLY
    assert d.host.interfaces["v10"].counters["ipackets"] == d.host.interfaces["v10"].counters["opackets"] == 1


@pytest.mark.parametrize(
    ("outer", "inner"),
    [(vlan.STAG, vlan.CTAG), (vlan.CTAG, vlan.STAG), (vlan.CTAG, vlan.CTAG), (vlan.OLD_STAG, vlan.CTAG)],
)
def test_tags_nest_in_any_order_and_come_back_as_they_went(outer: int, inner: int) -> None:
    d = desk(outer=outer, inner=inner).receives(echo("10.7.0.1", (outer, 100), (inner, 7)))
    [(_, frame)] = d.takes_sent()
    assert sent_tags(frame) == [(outer, 100, 0), (inner, 7, 0)]
    assert d.visited.count("vlan.input") == d.visited.count("vlan.output") == 2


def test_the_same_vid_under_another_kind_of_tag_is_another_vlan() -> None:
    d = desk().receives(echo("10.10.0.1", (vlan.STAG, 10)))
    assert d.drops == ["service VLAN 10 is not known on eth0"]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (((vlan.CTAG, 30),), "VLAN 30 is not known on eth0"),
        (((vlan.STAG, 100), (vlan.CTAG, 8)), "VLAN 8 is not known on s100"),
        (((vlan.CTAG, 7), (vlan.STAG, 100)), "VLAN 7 is not known on eth0"),
        (((vlan.CTAG, 4095),), "VLAN 4095 is not known on eth0"),
    ],
)
def test_what_is_in_an_unknown_vlan_is_dropped_by_name(tags: tuple[tuple[int, int], ...], reason: str) -> None:
    d = desk().receives(echo("10.10.0.1", *tags))
    assert (d.drops, d.sent) == ([reason], [])


def test_a_tag_that_is_cut_short_is_no_tag() -> None:
    d = desk().receives(MAC + PEER_MAC + b"\x81\x00\x00")
    assert d.drops == ["VLAN tag is cut short"]


def test_a_tag_with_a_priority_alone_leaves_the_frame_where_it_is() -> None:
    d = desk().receives(echo("10.0.1.1", (vlan.CTAG, 0)))
    assert (d.drops == [] and d.visited[-1] == "ip.output") or "icmp.input" in d.visited
    m = Mbuf(echo("10.0.1.1"))
    m.tags = ((vlan.CTAG, vlan.tci(0, 6)),)
    assert priority(m) == 6


def test_the_tags_are_kept_in_the_mbuf_outermost_first() -> None:
    d = desk()
    m = Mbuf(echo("10.7.0.1", (vlan.STAG, 100), (vlan.CTAG, 7)), rcvif=d.host.interfaces["eth0"])
    for _ in range(2):
        [(_, m, _)] = d.host.stages["vlan.input"].run(d.host, [m], 0)
    assert m.tags == ((vlan.STAG, 100), (vlan.CTAG, 7))
    assert m.rcvif is d.host.interfaces["v7"] and not vlan.is_tagged(m.data)
    assert m.copy().tags == m.tags


def test_arp_is_asked_and_answered_inside_of_the_vlan() -> None:
    d = desk()
    question = arp.request(PEER_MAC, address("10.10.0.9"), address("10.10.0.1"))
    d.receives(vlan.push(ethernet.build(b"\xff" * 6, PEER_MAC, ethernet.ARP, question), 10))
    [(_, frame)] = d.takes_sent()
    answer = arp.parse(frame, 18)
    assert sent_tags(frame) == [(vlan.CTAG, 10, 5)] and answer is not None and answer.op == arp.REPLY


def packet(d: Desk, size: int, name: str, dst: str) -> Hop:
    m = Mbuf(bytes(size), pkt=1)
    m.ifp, m.next_hop = d.host.interfaces[name], address(dst)
    return to("ether.output", m)


def test_one_tag_more_fits_and_a_second_takes_four_bytes_of_the_mtu() -> None:
    d = desk()
    d.does([packet(d, 1500, "v10", "10.10.0.2"), packet(d, 1496, "v7", "10.7.0.2")])
    assert [len(frame) for _, frame in d.takes_sent()] == [1518, 1518]
    d.does([packet(d, 1497, "v7", "10.7.0.2")])
    assert d.sent == []
    assert d.drops == ["frame with 1497 bytes and 2 VLAN tags is too long for eth0, whose MTU is 1500"]


def test_priorities_are_served_in_the_standards_order() -> None:
    """IEEE 802.1Q-2018 table 8-5: with eight queues 1 is below 0, and 2 to 7 are above in their order."""
    assert sorted(range(8), key=lambda pcp: traffic_class(pcp, 8)) == [1, 0, 2, 3, 4, 5, 6, 7]
    assert tuple(vlan.SERVICE_ORDER) == (1, 0, 2, 3, 4, 5, 6, 7)
    for queues in range(1, 9):
        classes = [traffic_class(pcp, queues) for pcp in vlan.SERVICE_ORDER]
        assert classes == sorted(classes) and set(classes) == set(range(queues))
    assert traffic_class(7, 64) == 7, "more queues than priorities are not used"
