"""What programs and the kernel say, read and written: ping's lines, queueing disciplines, differences from a plan."""

from __future__ import annotations

import copy
import json
import socket
import struct
from typing import Any

import pytest

from netlab.backend.mininet import oneuser, ping, qdisc, rtnl, traffic
from netlab.backend.mininet.devices import FIRST_INDEX, added_routes, devices
from netlab.backend.mininet.qdisc import ROOT, Discipline, disciplines
from netlab.backend.mininet.verify import differences
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Limit, PlanLink, Topology
from netlab.units import MS, SEC
from netlab.workload.spec import Ping, Reply

# ---- ping ----------------------------------------------------------------------------------------


def told(seq: int, said: str) -> Reply:
    return Reply(seq, "error", 0, said)


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.045 ms", Reply(1, "answered", 45_000)),
        ("64 bytes from 10.0.0.2: icmp_seq=7 ttl=64 time=12.3 ms", Reply(7, "answered", 12_300_000)),
        ("64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=1003 ms", Reply(2, "silence")),
        ("8 bytes from 10.0.0.2: icmp_seq=3 ttl=64", Reply(3, "answered", 0)),
        ("[1700000000.1] 64 bytes from 10.0.0.2: icmp_seq=4 ttl=64 time=1 ms", Reply(4, "answered", MS)),
        ("From 10.0.1.254 icmp_seq=1 Time to live exceeded", told(1, "time exceeded from 10.0.1.254")),
        ("From 10.0.0.1 icmp_seq=9 Destination Host Unreachable", told(9, "host unreachable from 10.0.0.1")),
        ("From 10.0.1.254 icmp_seq=2 Destination Net Unreachable", told(2, "network unreachable from 10.0.1.254")),
        ("From 10.0.1.1 icmp_seq=5 Frag needed and DF set", told(5, "fragmentation needed from 10.0.1.1")),
        ("From 10.0.1.1 icmp_seq=5 Packet filtered", told(5, "packet filtered from 10.0.1.1")),
        ("PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.", None),
        ("rtt min/avg/max/mdev = 0.079/0.234/0.390/0.155 ms", None),
        ("", None),
    ],
)  # fmt: skip
def test_each_line_of_a_ping_is_understood(line: str, reply: Reply | None) -> None:
    assert ping.reply(line, timeout=SEC) == reply


def test_a_ping_is_asked_for_in_the_units_of_ping() -> None:
    words = ping.command(Ping("h1", "h2", count=3, interval=10 * MS, size=100, ttl=5, timeout=500 * MS), "10.0.0.2")
    assert " ".join(words) == "ping -n -c 3 -i 0.010000 -s 100 -M dont -t 5 -W 0.500000 10.0.0.2"


def test_a_ping_without_a_route_fails_for_every_request() -> None:
    said = ping.refused("ping: connect: Network is unreachable\n", 2)
    assert [reply.said for reply in said] == ["network unreachable from this host"] * 2
    assert not ping.refused("ping: something else", 2)


# ---- the UDP echo client's errors ----------------------------------------------------------------


def error(number: int, kind: int, code: int, sender: str = "") -> bytes:
    """struct sock_extended_err, and the sender's address."""
    address = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(sender)) if sender else b""
    return struct.pack("=IBBBxII", number, 2, kind, code, 0, 0) + address


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (error(111, 3, 3, "10.0.0.2"), "port unreachable from 10.0.0.2"),
        (error(113, 11, 0, "10.0.1.254"), "time exceeded from 10.0.1.254"),
        (error(113, 3, 1, "10.0.0.9"), "host unreachable from 10.0.0.9"),
        (error(5, 99, 7), "ICMP type 99 code 7 from this host"),
    ],
)
def test_icmp_errors_about_datagrams_name_their_sender(extra: bytes, said: str) -> None:
    assert traffic._explain(extra) == said


# ---- queueing disciplines ------------------------------------------------------------------------


def link(**fields: Any) -> PlanLink:
    return PlanLink("a", "b", **{"rate": 0, "delay": 0, "loss": 0.0, "queue": None, **fields})


def kinds(asked: PlanLink) -> list[str]:
    return [d.kind for d in disciplines(asked, mtu=1500)]


def test_a_bare_cable_has_no_discipline() -> None:
    assert kinds(link()) == []


def test_the_queue_s_unit_chooses_its_fifo_and_a_rate_brings_one() -> None:
    assert kinds(link(queue=Limit(5, "packets"))) == ["pfifo"]
    assert kinds(link(rate=10**6, queue=Limit(5000, "bytes"))) == ["tbf", "bfifo"]
    assert kinds(link(rate=10**6)) == ["tbf", "pfifo"]
    assert kinds(link(rate=10**6, delay=MS, queue=Limit(5, "packets"))) == ["netem", "tbf", "pfifo"]


def test_a_chain_hangs_together() -> None:
    chain = disciplines(link(rate=10**6, delay=MS, loss=0.1, mark=Limit(20, "packets")), mtu=1500)
    assert [d.kind for d in chain] == ["netem", "tbf", "red", "pfifo"]
    assert [d.parent for d in chain] == [ROOT, *(d.handle + 1 for d in chain[:-1])]


def test_marking_counts_bytes_and_has_a_fifo_behind_it() -> None:
    red, fifo = disciplines(link(mark=Limit(20, "packets"), queue=Limit(600, "packets")), mtu=1500)
    assert (red.kind, red.mark) == ("red", 20 * 1514)
    assert (fifo.kind, fifo.limit) == ("pfifo", 600)
    assert disciplines(link(mark=Limit(30_000, "bytes")), mtu=1500)[0].mark == 30_000


def test_a_red_that_is_in_force_is_read_back_and_one_that_drops_is_not_taken_for_it() -> None:
    for flags, mark in ((1, 30_000), (0, 0)):
        parameters = struct.pack("=IIIBBBB", 10**8, 30_000, 30_000, 0, 0, 0, flags)
        kind, options = rtnl.attr(1, b"red\0"), rtnl.nested(2, rtnl.attr(1, parameters), rtnl.attr(3, bytes(4)))
        index, found = qdisc.parse(struct.pack("=BxxxiIII", 0, 7, 0x40000, 0x20001, 1) + kind + options)
        assert (index, found.kind, found.mark) == (7, "red", mark)


def test_the_request_for_a_red_names_one_threshold_and_marks_without_dropping() -> None:
    (red, _) = disciplines(link(mark=Limit(30_000, "bytes")), mtu=1500)
    options = rtnl.attributes(rtnl.attributes(qdisc.create(7, red)[16 + 20 :])[2])
    assert struct.unpack("=IIIBBBB", options[1])[1:] == (30_000, 30_000, 0, 0, 0, 0)
    assert len(options[2]) == 256 and struct.unpack("=II", options[4]) == (9, 9)


def test_a_bucket_holds_one_frame_or_a_quarter_of_a_millisecond() -> None:
    slow, fast = (disciplines(link(rate=rate), mtu=9000)[0] for rate in (10**6, 10**10))
    assert slow.burst == 9000 + 14 + 8
    assert fast.burst == 10**10 // 8 // 4000


def dumped(d: Discipline) -> bytes:
    """The kernel's answer to a dump, for those kinds whose answer has the form of the request."""
    return qdisc.create(7, d)[16:]


@pytest.mark.parametrize(
    "d",
    [
        Discipline("pfifo", 0x30000, ROOT, limit=20),
        Discipline("bfifo", 0x30000, 0x20001, limit=30_000),
        Discipline("netem", 0x10000, ROOT, limit=1_000_000, delay=2 * MS, loss=0.0),
    ],
)
def test_disciplines_survive_the_way_there_and_back(d: Discipline) -> None:
    assert qdisc.parse(dumped(d)) == (7, d)


def test_loss_is_kept_to_a_part_in_four_billion() -> None:
    _index, back = qdisc.parse(dumped(Discipline("netem", 0x10000, ROOT, limit=1, loss=0.015)))
    assert back.loss == pytest.approx(0.015, abs=1e-9)


def test_a_rate_beyond_32_bits_of_bytes_is_asked_in_64() -> None:
    body = dumped(Discipline("tbf", 0x20000, ROOT, rate=80 * 10**9, burst=10_000))
    options = rtnl.attributes(rtnl.attributes(body, 20)[2])
    assert rtnl.number(options[4]) == 10**10


# ---- devices -------------------------------------------------------------------------------------

STAR = resolve(
    Topology(
        "star",
        (*several("h", 2), *several("s", 1, "switch"), *several("r", 1, "router"), *several("h", 1, first=3)),
        (
            cable("h1", "s1", rate="10 Mbit/s", queue="20 packets"),
            cable("h2", "s1"),
            cable("s1", "r1"),
            cable("r1", "h3"),
        ),
    )
)


def test_every_device_has_a_name_and_a_number_of_its_own() -> None:
    made = devices(STAR, "ab")
    assert {d.name for d in made.values()} == {"s1", *(i.name for i in STAR.interfaces())}
    assert all(d.kernel == f"{d.name}~ab" and len(d.kernel) <= 15 for d in made.values())
    assert sorted(d.index for d in made.values()) == list(range(FIRST_INDEX, FIRST_INDEX + len(made)))
    assert (made["s1"].bridge, made["s1-eth1"].room, made["h1-eth0"].room) == (True, "", "h1")


def test_connected_routes_come_with_addresses_the_others_are_added() -> None:
    assert [route.prefix for route in added_routes(STAR.node("h1"))] == ["0.0.0.0/0"]
    assert added_routes(STAR.node("r1")) == []


# ---- differences ---------------------------------------------------------------------------------


def in_force() -> dict[str, Any]:
    """What the kernel would say of STAR, were all of it in force."""
    interfaces = {}
    for i in STAR.interfaces():
        chain = disciplines(STAR.links[i.link], i.mtu)
        interfaces[i.name] = {
            "up": True,
            "mac": i.mac,
            "mtu": i.mtu,
            "tx_queues": i.queues,
            "rx_queues": i.queues,
            "port_state": 3 if STAR.node(i.node).kind == "switch" else -1,
            "addresses": list(i.addresses),
            "qdiscs": [d.__dict__.copy() for d in chain],
        }
    nodes = {
        node.name: {
            "forwarding": node.kind == "router",
            "routes": [{"prefix": r.prefix, "via": r.via} for r in node.routes],
        }
        for node in STAR.nodes
        if node.kind != "switch"
    }
    return json.loads(json.dumps({"interfaces": interfaces, "nodes": nodes}))  # type: ignore[no-any-return]


def test_where_all_is_in_force_nothing_is_said() -> None:
    assert differences(STAR, in_force()) == ()


@pytest.mark.parametrize(
    ("interface", "field", "value", "sentence"),
    [
        ("h1-eth0", "mtu", 1400, "its MTU is 1400, asked for was 1500"),
        ("h1-eth0", "tx_queues", 4, "its number of transmit queues is 4, asked for was 1"),
        ("h1-eth0", "up", False, "it is down; 'ip link set h1-eth0 up' in h1 mends it"),
        ("h1-eth0", "addresses", [], "its address 10.0.1.1/24 is missing"),
        ("s1-eth1", "port_state", 0, "its bridge port is disabled"),
        ("s1-eth1", "port_state", -1, "its bridge port is no part of a bridge"),
        ("h1-eth0", "qdiscs", [], "a rate of 10 Mbit/s (bursts of 1522 B) was asked for and is not in force"),
    ],
)
def test_each_property_that_differs_is_one_refusal(interface: str, field: str, value: Any, sentence: str) -> None:
    state = in_force()
    state["interfaces"][interface][field] = value
    first = differences(STAR, state)[0]
    assert (first.severity, first.where) == ("refuse", interface)
    assert first.said.startswith(sentence)


def test_a_bucket_read_back_with_the_kernel_s_rounding_is_the_same_bucket() -> None:
    state = in_force()
    bucket = state["interfaces"]["h1-eth0"]["qdiscs"][0]
    bucket["burst"] -= 1
    assert differences(STAR, state) == ()
    bucket["rate"] = 9_000_000
    assert "it has a rate of 9 Mbit/s" in differences(STAR, state)[0].said


def test_an_interface_that_is_not_there_is_told() -> None:
    state = copy.deepcopy(in_force())
    del state["interfaces"]["h2-eth0"]
    assert [str(p) for p in differences(STAR, state)] == ["h2-eth0: there is no such interface; open the network again"]


# ---- the filter for programs that want a user of their own ---------------------------------------


def answers(program: bytes, arch: int, call: int) -> int:
    """Run a classic BPF program of loads, comparisons and returns on a system call; its verdict."""
    steps = list(struct.iter_unpack("=HBBI", program))
    memory = {0: call, 4: arch}
    at, loaded = 0, 0
    while True:
        code, yes, no, k = steps[at]
        at += 1
        if code == 0x06:
            return k
        if code == 0x20:
            loaded = memory[k]
        else:
            at += yes if loaded == k else no


def test_the_filter_answers_done_to_changes_of_user_and_allows_the_rest() -> None:
    for arch, calls in oneuser._CALLS.values():
        program = oneuser.program(arch, calls)
        assert {answers(program, arch, call) for call in calls} == {0x00050000}
        assert {answers(program, arch, call) for call in range(1000) if call not in calls} == {0x7FFF0000}
        assert {answers(program, arch + 1, call) for call in calls} == {0x7FFF0000}
