"""Real packets of a real kernel become journeys: with the tracer, and with captures alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from netlab.probe.source import KernelProbe
from netlab.topology.spec import Node
from netlab.trace.journey import Journey, journeys
from netlab.trace.log import Header, Log
from netlab.wire import checksum

LINE = (Node("h1"), Node("s1", kind="switch"), Node("h2")), "h1-s1", "s1-h2"
ROUTED = (Node("h1"), Node("r1", kind="router"), Node("h2")), "h1-r1", "r1-h2"
STAR = (Node("s1", kind="switch"), *(Node(f"h{n}") for n in (1, 2, 3))), "h1-s1", "h2-s1", "h3-s1"

MakeNetwork = Callable[..., Any]
TRACED = pytest.param(True, id="traced")
CAPTURED = pytest.param(False, id="captured")


@contextmanager
def watched(network: Any, *, tracing: bool, **how: Any) -> Iterator[Log]:
    log = Log(Header("mininet", 0, {}))
    names, base = network.names, time.monotonic_ns()
    probe = KernelProbe(network.plan, names, network.packet_socket, log, base, tracing=tracing, **how)
    probe.start()
    try:
        yield log
    finally:
        probe.stop()


def said(log: Log, word: str) -> list[Journey]:
    return [one for one in journeys(log).values() if one.said.startswith(word)]


def wire_path(one: Journey) -> list[str]:
    return [hop.place for hop in one.hops if hop.kind.startswith("wire")]


def numbers(log: Log, one: Journey) -> set[bytes]:
    """The echo identifier and number in every frame of the journey."""
    frames = [log.rows[hop.record][6][-1] for hop in one.hops if hop.kind.startswith("wire")]
    return {frame[38:42] for frame in frames}


@pytest.mark.usefixtures("traced")
def test_a_ping_s_path_goes_through_the_kernel_s_stages_and_over_the_wires(network: MakeNetwork) -> None:
    net = network(*LINE)
    with watched(net, tracing=True) as log:
        net.run("h1", "ping", "-c1", net.address("h2"))
    [request], [reply] = said(log, "ICMP echo request"), said(log, "ICMP echo reply")
    assert request.path == (
        ("h1", "ifq"),
        ("h1", "h1-eth0"),
        ("s1", "s1-eth1"),
        ("s1", "ether.input"),
        ("s1", "ifq"),
        ("s1", "s1-eth2"),
        ("h2", "h2-eth0"),
        ("h2", "ether.input"),
        ("h2", "icmp.input"),
    )
    assert reply.parent == request.pkt and reply.nodes == ("h2", "s1", "h1") and not reply.ended
    assert [one.nodes for one in said(log, "ARP who has")] == [("h1", "s1", "h2")]
    assert log.lost == 0 and log.header.fidelity["wire.tx"] == "exact"
    assert [row[0] for row in log.rows] == sorted(row[0] for row in log.rows)


def test_captures_alone_give_the_same_path_over_the_wires_and_say_what_they_lack(network: MakeNetwork) -> None:
    net = network(*LINE)
    with watched(net, tracing=False) as log:
        net.run("h1", "ping", "-c1", net.address("h2"))
    [request], [reply] = said(log, "ICMP echo request"), said(log, "ICMP echo reply")
    assert wire_path(request) == ["h1-eth0", "s1-eth1", "s1-eth2", "h2-eth0"]
    assert wire_path(reply) == ["h2-eth0", "s1-eth2", "s1-eth1", "h1-eth0"]
    assert reply.parent == request.pkt
    assert log.header.fidelity["stage"] == "none" and log.header.stages["h1"] == ()
    assert any("captures only" in note for note in log.header.notes)


@pytest.mark.parametrize("tracing", [TRACED, CAPTURED])
def test_a_thousand_pings_from_both_ends_at_once_are_as_many_journeys_and_none_mixed(
    network: MakeNetwork, tracing: bool, request: pytest.FixtureRequest
) -> None:
    if tracing:
        request.getfixturevalue("traced")
    net = network(*LINE)
    with watched(net, tracing=tracing) as log:
        pings = [
            net.start(src, "ping", "-q", "-f", "-c500", net.address(dst)) for src, dst in (("h1", "h2"), ("h2", "h1"))
        ]
        assert [ping.wait(30) for ping in pings] == [0, 0]
    asked, answered = said(log, "ICMP echo request"), said(log, "ICMP echo reply")
    assert Counter(one.nodes for one in asked) == {("h1", "s1", "h2"): 500, ("h2", "s1", "h1"): 500}
    assert Counter(len(wire_path(one)) for one in (*asked, *answered)) == {4: 2000}
    by_pkt = {one.pkt: numbers(log, one) for one in asked}
    assert all(len(found) == 1 for found in by_pkt.values())
    assert len({(one.nodes, *by_pkt[one.pkt]) for one in asked}) == 1000
    assert all(by_pkt[one.parent] == numbers(log, one) for one in answered)
    assert log.lost == 0


@pytest.mark.usefixtures("traced")
def test_a_reply_is_queued_by_the_core_that_received_its_request_whatever_the_bytes_say(network: MakeNetwork) -> None:
    """The kernel answers a ping inside the work on it: so cores and times alone tell the parent, and the bytes must
    have been joined to the right packets for both to agree."""
    net = network(*LINE)
    net.run("h1", "ping", "-c1", net.address("h2"))
    with watched(net, tracing=True) as log:
        pings = [net.start("h1", "ping", "-q", "-f", "-c300", net.address("h2")) for _ in range(2)]
        assert [ping.wait(30) for ping in pings] == [0, 0]
    every = journeys(log)
    received: dict[int, int] = {}
    agreed = 0
    for _, kind, node, obj, cpu, pkt, _ in log.rows:
        if kind == "stage" and obj == "ether.input":
            received[cpu] = pkt
        if kind == "stage" and obj == "ifq" and node == "h2":
            assert every[pkt].parent == received[cpu]
            agreed += 1
    assert agreed == 600


@pytest.mark.usefixtures("traced")
def test_a_packet_whose_time_runs_out_is_dropped_and_its_error_is_its_child(network: MakeNetwork) -> None:
    net = network(*ROUTED)
    with watched(net, tracing=True) as log:
        net.run("h1", "ping", "-c1", "-t1", net.address("h2"), fails=True)
    [request], [error] = said(log, "ICMP echo request"), said(log, "ICMP time exceeded")
    assert request.path[-1] == ("r1", "ip.forward") and "time to live ran out" in request.ended
    assert error.parent == request.pkt and error.nodes == ("r1", "h1")


@pytest.mark.parametrize("tracing", [TRACED, CAPTURED])
def test_a_router_changes_the_bytes_and_not_the_journey(
    network: MakeNetwork, tracing: bool, request: pytest.FixtureRequest
) -> None:
    if tracing:
        request.getfixturevalue("traced")
    net = network(*ROUTED)
    with watched(net, tracing=tracing) as log:
        net.run("h1", "ping", "-c1", net.address("h2"))
    [one] = [one for one in said(log, "ICMP echo request") if one.nodes == ("h1", "r1", "h2")]
    frames = [log.rows[hop.record][6][-1] for hop in one.hops if hop.kind == "wire.tx"]
    assert [frame[22] for frame in frames] == [64, 63]  # the TTL
    assert all(checksum.correct(frame[14:34]) for frame in frames)


@pytest.mark.parametrize("tracing", [TRACED, CAPTURED])
def test_datagrams_have_their_checksums_and_the_one_for_nobody_is_told(
    network: MakeNetwork, tracing: bool, request: pytest.FixtureRequest
) -> None:
    if tracing:
        request.getfixturevalue("traced")
    net = network(*LINE)
    here, there = net.address("h1"), net.address("h2")
    with (
        net.udp("h1", here, 4000) as client,
        net.udp("h2", there, 5000) as server,
        watched(net, tracing=tracing) as log,
    ):
        client.sendto(b"hello", (there, 5000))
        assert server.recv(99) == b"hello"
        client.sendto(b"anybody?", (there, 5001))
        with pytest.raises(ConnectionRefusedError):
            client.connect((there, 5001))
            client.send(b"anybody there?")
            client.recv(99)
    datagrams = [one for one in journeys(log).values() if one.said.startswith("UDP")]
    assert len(datagrams) == 3
    for one in datagrams:
        for hop in one.hops:
            if hop.kind.startswith("wire"):
                frame = log.rows[hop.record][6][-1]
                assert checksum.correct(frame[26:34] + bytes((0, 17)) + frame[38:40] + frame[34:])
    if tracing:
        seen = ["udp.input" in log.header.stages["h2"], True, True]  # before Linux 6.3 nobody tells of the first
        assert [one.hops[-1].place == "udp.input" for one in datagrams] == seen
        assert ["no socket" in one.ended for one in datagrams] == [False, True, True]
    errors = [one for one in journeys(log).values() if one.said.startswith("ICMP port unreachable")]
    assert [one.parent for one in errors] == [one.pkt for one in datagrams[1:]]


@pytest.mark.usefixtures("traced")
def test_a_flooded_question_is_one_journey_with_a_branch_to_each_host(network: MakeNetwork) -> None:
    net = network(*STAR)
    with watched(net, tracing=True) as log:
        net.run("h1", "ping", "-c1", net.address("h2"))
    question = said(log, "ARP who has")[0]
    assert sorted(wire_path(question)) == ["h1-eth0", "h2-eth0", "h3-eth0", "s1-eth1", "s1-eth2", "s1-eth3"]
    assert sorted(hop.node for hop in question.hops if hop.place == "arp.input") == ["h2", "h3"]
    assert not question.ended


@pytest.mark.usefixtures("traced")
def test_a_full_queue_s_drops_are_told_where_they_happen(network: MakeNetwork) -> None:
    net = network(*LINE)
    net.run("h1", "ping", "-c1", net.address("h2"))
    net.run(
        "h1",
        "tc",
        "qdisc",
        "add",
        "dev",
        net.names["h1-eth0"],
        "root",
        "tbf",
        "rate",
        "1mbit",
        "burst",
        "2000",
        "limit",
        "3000",
    )
    here, there = net.address("h1"), net.address("h2")
    with net.udp("h1", here, 4000) as client, net.udp("h2", there, 5000), watched(net, tracing=True) as log:
        for n in range(10):
            client.sendto(bytes((n,)) * 1000, (there, 5000))
    sent = [one for one in journeys(log).values() if one.hops[0].node == "h1"]
    dropped = [one for one in sent if one.ended]
    assert len(sent) == 10 and 3 <= len(dropped) <= 8
    for one in dropped:
        assert one.path == (("h1", "ifq"), ("h1", "ifq")) and "queue is full" in one.ended


@pytest.mark.usefixtures("traced")
def test_two_networks_with_the_same_names_are_watched_apart(network: MakeNetwork) -> None:
    one, other = network(*LINE), network(*LINE)
    with watched(one, tracing=True) as ours, watched(other, tracing=True) as theirs:
        one.run("h1", "ping", "-c2", "-i0.01", one.address("h2"))
        other.run("h2", "ping", "-c1", other.address("h1"))
    assert [len(said(log, "ICMP echo request")) for log in (ours, theirs)] == [2, 1]
    assert said(theirs, "ICMP echo request")[0].nodes == ("h2", "s1", "h1")


@pytest.mark.usefixtures("traced")
def test_a_program_s_record_goes_in_at_its_time(network: MakeNetwork) -> None:
    net = network(*LINE)
    log = Log(Header("mininet", 0, {}))
    probe = KernelProbe(net.plan, net.names, net.packet_socket, log, time.monotonic_ns(), threaded=False)
    probe.start()
    net.run("h1", "ping", "-c1", net.address("h2"))
    probe.add((time.monotonic_ns(), "app", "h1", "ping", -1, 0, ("between", 0)))
    net.run("h1", "ping", "-c1", net.address("h2"))
    probe.stop()
    order = [row[1] if row[1] == "app" else row[6][1] for row in log.rows if row[1] in ("app", "packet")]
    requests = [i for i, word in enumerate(order) if "echo request" in word]
    assert requests[0] < order.index("app") < requests[1]


@pytest.mark.parametrize("tracing", [TRACED, CAPTURED])
def test_the_log_is_never_far_behind(network: MakeNetwork, tracing: bool, request: pytest.FixtureRequest) -> None:
    """The bench says how far; this only says that rows come while packets fly, and not at the end."""
    if tracing:
        request.getfixturevalue("traced")
    net = network(*LINE)
    with watched(net, tracing=tracing) as log:
        ping = net.start("h1", "ping", "-q", "-i0.002", "-c", "1000000", net.address("h2"))
        until = time.monotonic() + 10
        while len(said(log, "ICMP echo reply")) < 20:
            assert time.monotonic() < until and ping.poll() is None
        ping.terminate()
        ping.wait(10)
