"""ARP and Ethernet: asking, answering, waiting, giving up (RFC 826, RFC 1122 §2.3.2)."""

from __future__ import annotations

from desk import PEER_MAC, Desk, address, host

from netlab.stack.mbuf import Mbuf
from netlab.stack.neighbours import LIFETIME, TRIES, WAITING
from netlab.stack.stage import Hop, to
from netlab.units import SEC
from netlab.wire import arp, ethernet, icmp, ipv4
from netlab.wire.address import BROADCAST

ME, PEER = address("10.0.1.1"), address("10.0.1.2")
MY_MAC = bytes((2, 0, 0, 0, 1, 0))


def packet(desk: Desk, dst: int = PEER, n: int = 0) -> Hop:
    m = Mbuf(ipv4.build(ME, dst, ipv4.UDP, bytes([n]) * 8), pkt=n + 1)
    m.ifp, m.next_hop = desk.host.interfaces["eth0"], dst
    return to("ether.output", m)


def reply_frame() -> bytes:
    asked = arp.parse(arp.request(MY_MAC, ME, PEER))
    assert asked is not None
    return ethernet.build(MY_MAC, PEER_MAC, ethernet.ARP, arp.reply(asked, PEER_MAC))


def test_it_asks_once_and_sends_what_waited_in_order() -> None:
    desk = Desk(host())
    desk.does([packet(desk, n=0), packet(desk, n=1)])
    [(interface, question)] = desk.takes_sent()
    header = arp.parse(question, ethernet.SIZE)
    assert interface == "eth0" and question[:6] == BROADCAST
    assert header is not None and (header.op, header.sender_ip, header.target_ip) == (arp.REQUEST, ME, PEER)

    desk.receives(reply_frame())
    frames = [frame for _, frame in desk.takes_sent()]
    assert [frame[:12] for frame in frames] == [PEER_MAC + MY_MAC] * 2
    assert [frame[34] for frame in frames] == [0, 1]


def test_a_known_neighbour_is_not_asked_for_until_the_answer_is_old() -> None:
    desk = Desk(host()).receives(reply_frame())
    desk.does([packet(desk)])
    assert desk.takes_sent()[0][1][:6] == PEER_MAC
    desk.waits(LIFETIME)
    desk.does([packet(desk)])
    assert desk.takes_sent()[0][1][:6] == BROADCAST


def test_it_asks_three_times_a_second_apart_then_gives_up() -> None:
    desk = Desk(host())
    desk.does([packet(desk)])
    for asked in range(1, TRIES + 1):
        assert len(desk.sent) == asked
        desk.waits(1 * SEC)
    assert desk.drops == ["no ARP answer from 10.0.1.2"]
    assert len(desk.sent) == TRIES


def test_the_oldest_waiting_packet_makes_room() -> None:
    desk = Desk(host())
    desk.does([packet(desk, n=n) for n in range(WAITING + 1)])
    assert desk.drops == ["too many packets wait for one ARP answer"]
    desk.takes_sent()
    desk.receives(reply_frame())
    assert [frame[34] for _, frame in desk.takes_sent()] == list(range(1, WAITING + 1))


def test_it_answers_for_its_own_address_and_learns_who_asked() -> None:
    desk = Desk(host())
    question = ethernet.build(BROADCAST, PEER_MAC, ethernet.ARP, arp.request(PEER_MAC, PEER, ME))
    desk.receives(question)
    [(_, frame)] = desk.takes_sent()
    answer = arp.parse(frame, ethernet.SIZE)
    assert answer is not None and (answer.op, answer.sender_mac, answer.sender_ip) == (arp.REPLY, MY_MAC, ME)
    assert frame[:6] == PEER_MAC
    desk.does([packet(desk)])
    assert desk.takes_sent()[0][1][:6] == PEER_MAC, "no question is needed: the asker told"


def test_questions_for_others_teach_nothing_new() -> None:
    desk = Desk(host())
    other = ethernet.build(BROADCAST, PEER_MAC, ethernet.ARP, arp.request(PEER_MAC, PEER, address("10.0.1.77")))
    desk.receives(other)
    assert desk.sent == [] and desk.host.neighbours.table() == {}


def test_frames_for_other_stations_and_unknown_protocols_are_dropped_by_name() -> None:
    desk = Desk(host())
    desk.receives(ethernet.build(PEER_MAC, PEER_MAC, ethernet.IPV4, bytes(40)))
    desk.receives(ethernet.build(MY_MAC, PEER_MAC, 0x9999, bytes(40)))
    desk.receives(b"short")
    assert desk.drops == [
        "frame is for another station",
        "EtherType 0x9999 is not spoken here",
        "frame is shorter than an Ethernet header",
    ]


def test_a_router_tells_the_sender_when_the_next_hop_never_answers() -> None:
    desk = Desk(host("router"))
    sender = address("10.0.1.9")
    desk.host.neighbours.learn(sender, PEER_MAC, desk.host.interfaces["eth0"], 0, create=True)
    lost = ipv4.build(sender, address("10.0.2.9"), ipv4.UDP, bytes(16), ttl=9)
    desk.receives(ethernet.build(MY_MAC, PEER_MAC, ethernet.IPV4, lost))
    desk.waits(TRIES * SEC)
    message = icmp.parse(desk.sent[-1][1], ethernet.SIZE + 20)
    assert message is not None and (message.type, message.code) == (icmp.UNREACHABLE, icmp.HOST_UNREACHABLE)


def test_forged_senders_fill_no_memory() -> None:
    d = Desk(host())
    for n in range(3000):
        d.host.neighbours.learn(address("10.0.1.2") + n, PEER_MAC, d.host.interfaces["eth0"], 0, create=True)
    assert len(d.host.neighbours.table()) == 1024
