"""Linux beside our stack on one wire: each takes the other for one of its own kind, whatever the packet's size or age.

h1 - s1 - r1 - r2 - h2, and h3 at s1; the way between the routers is narrower than the rest. In every test some of the
nodes run our stack, the others the kernel's.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from netlab.backend.mininet import MininetBackend
from netlab.backend.mininet.checks import problems
from netlab.backend.mininet.session import MininetSession
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Interface, Plan, Topology
from netlab.trace.log import Log
from netlab.units import MS
from netlab.wire import ethernet, icmpv6, ipv6, pcap
from netlab.wire.address import link_local, multicast_mac6, parse_ipv6, parse_mac
from netlab.workload.spec import Frames, Outcome, Ping, UdpEcho

NARROW = 1400
COMPLAINTS = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || icmpv6.checksum.status == 0"
COMPLAINTS += " || icmp.checksum.status == 0 || ip.fragment.error || ipv6.fragment.error || ip.fragment.overlap"
CABLES = (("h1", "s1"), ("h3", "s1"), ("s1", "r1"), ("r1", "r2"), ("r2", "h2"))


def plan(*ours: str, narrow: int = 1500, ipv6: str = "static") -> Plan:
    """Our own stack on some nodes, the kernel's on the others; ``narrow`` is the MTU between the routers."""
    nodes = (*several("h", 3), *several("s", 1, "switch"), *several("r", 2, "router"))
    small = {"r1": "eth1", "r2": "eth0"}
    nodes = tuple(
        replace(
            node,
            stack="netlab" if node.name in ours else "kernel",
            interfaces=tuple(Interface(n, mtu=narrow if n == small[node.name] else 1500) for n in ("eth0", "eth1"))
            if node.name in small
            else (),
        )
        for node in nodes
    )
    return resolve(Topology("peers", nodes, tuple(cable(a, b) for a, b in CABLES), ipv6=ipv6))  # type: ignore[arg-type]


@contextmanager
def opened(wanted: Plan) -> Iterator[MininetSession]:
    for problem in problems(wanted):
        pytest.skip(str(problem))
    with MininetBackend().open(wanted) as session:
        assert session.verify() == ()
        yield session


def frames(log: Log, *nodes: str) -> list[bytes]:
    """What these nodes sent, in order."""
    return [record.data[4] for record in log if record.kind == "wire.tx" and record.node in nodes]


def said(outcome: Outcome) -> list[str]:
    return [reply.said or reply.result for reply in outcome.replies]


OURS = pytest.mark.parametrize("ours", [("h1",), ("h2", "r1"), ("r1", "r2")], ids="+".join)


@OURS
@pytest.mark.parametrize("family", [4, 6])
def test_pings_and_datagrams_of_any_size_go_both_ways(ours: tuple[str, ...], family: int) -> None:
    ways = (("h1", "h2"), ("h2", "h1"))
    with opened(plan(*ours)) as session:
        # The small ones first: no more than 16 fragments would wait until a neighbour is found.
        small = session.run(
            [*(Ping(a, b, family=family) for a, b in ways), *(UdpEcho(a, b, family=family) for a, b in ways)]
        )
        large = session.run(
            [
                *(Ping(a, b, family=family, size=20000) for a, b in ways),
                *(UdpEcho(a, b, family=family, size=60000) for a, b in ways),
            ]
        )
    assert [outcome.answered for outcome in (*small, *large)] == [1] * 8


@OURS
def test_neighbours_find_each_other_by_solicitation(ours: tuple[str, ...]) -> None:
    with opened(plan(*ours)) as session:
        outcomes = [session.run([Ping(a, b, family=6)])[0] for a, b in (("h3", "h1"), ("h1", "h2"))]
        shown = session.command("h3", ["ip", "-6", "neigh", "show"]).stdout
    assert [outcome.answered for outcome in outcomes] == [1, 1]
    [mac] = [i.mac for i in session.plan.node("h1").interfaces]
    assert re.search(rf"^fd00:1::1 .* lladdr {mac} ", shown, re.MULTILINE), shown
    sent = {frame[54] for frame in frames(session.log, *ours) if frame[12:14] == b"\x86\xdd" and frame[20] == 58}
    assert {135, 136} <= sent


@OURS
def test_a_path_that_narrows_is_told_of_and_learned(ours: tuple[str, ...]) -> None:
    """RFC 1191 and 8201: by our routers to Linux, by Linux to our hosts, and among themselves."""
    with opened(plan(*ours, narrow=NARROW)) as session:
        cut, whole, six = (
            session.run([workload])[0]
            for workload in (
                Ping("h1", "h2", size=1460),
                Ping("h1", "h2", size=1460, df=True),
                Ping("h1", "h2", size=1440, family=6, count=4, interval=50 * MS),
            )
        )
    assert said(cut) == ["answered"]
    assert said(whole) == ["fragmentation needed from 10.0.1.254"]
    assert said(six)[0] == "packet too big from fd00:1::254" and said(six)[-1] == "answered"


@OURS
@pytest.mark.parametrize(
    ("family", "way"), [("-4", ["10.0.1.254", "10.0.2.253"]), ("-6", ["fd00:1::254", "fd00:2::253"])]
)
@pytest.mark.parametrize("method", ["", "-I"], ids=["udp", "icmp"])
def test_traceroute_sees_the_same_way(ours: tuple[str, ...], family: str, way: list[str], method: str) -> None:
    if shutil.which("traceroute") is None:
        pytest.skip("needs the traceroute command; install the Debian package traceroute")
    source, target = ("h3", "h2") if "h3" not in ours else ("h2", "h3")
    with opened(plan(*ours)) as session:
        address = next(a for a in session.plan.node(target).addresses if (":" in a) == (family == "-6"))
        words = ["traceroute", family, "-n", "-q", "1", "-w", "2", "-N", "1", *([method] if method else []), address]
        text = session.command(source, words).stdout
    found = [match[1] for line in text.splitlines()[1:] if (match := re.match(r"\s*\d+\s+(\S+)", line))]
    assert found == [*way, address], text


@pytest.mark.parametrize("ours", [("r1", "r2"), ("r1", "r2", "h1")], ids="+".join)
def test_hosts_make_their_addresses_of_what_our_routers_advertise(ours: tuple[str, ...]) -> None:
    with opened(plan(*ours, ipv6="slaac")) as session:
        outcomes = session.run([Ping(a, b, family=6, start=300 * MS) for a, b in (("h1", "h2"), ("h3", "h1"))])
        shown = session.command("h2", ["ip", "-6", "-o", "addr", "show", "scope", "global"]).stdout
    assert [outcome.answered for outcome in outcomes] == [1, 1]
    mine = parse_ipv6(next(a for a in session.plan.node("h2").addresses if ":" in a))
    assert [parse_ipv6(found) for found in re.findall(r"inet6 (\S+)/64", shown)] == [mine]


def test_our_host_takes_a_prefix_that_linux_tells_it() -> None:
    """An advertisement that a kernel host puts on the wire; the address that comes of it answers that host."""
    with opened(plan("h1", "r1", "r2", ipv6="slaac")) as session:
        mac, all_nodes = parse_mac(session.plan.interface("h3-eth0").mac), parse_ipv6("ff02::1")
        prefix = icmpv6.Prefix(parse_ipv6("fd00:77::"), 64)
        told = icmpv6.Advertisement(64, 0, 0, 0, 0, mac, 0, (prefix,))
        packet = icmpv6.router_advertisement(told, link_local(mac), all_nodes)
        packet = ipv6.build(link_local(mac), all_nodes, icmpv6.PROTO, packet, hops=icmpv6.ND_HOPS)
        frame = ethernet.build(multicast_mac6(all_nodes), mac, ethernet.IPV6, packet)
        session.run([Frames("h3", "h3-eth0", (frame,))])
        session.command("h3", ["ip", "-6", "addr", "add", "fd00:77::3/64", "dev", "h3-eth0", "nodad"])
        [outcome] = session.run([Ping("h3", "fd00:77::ff:fe00:100")])
    assert session.plan.interface("h1-eth0").mac == "02:00:00:00:01:00" and outcome.answered == 1


def test_tshark_finds_nothing_wrong_with_what_we_write(tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("needs the tshark command; install the Debian package tshark")
    with opened(plan("h1", "r1", "h3", narrow=NARROW)) as session:
        session.run(
            [
                *(Ping("h1", "h2", family=f, size=s) for f in (4, 6) for s in (56, 4000)),
                *(Ping("h1", "h2", family=f, ttl=1) for f in (4, 6)),
                *(UdpEcho("h1", "h2", family=f, size=3000) for f in (4, 6)),
                *(UdpEcho("h2", "h1", family=f, size=3000) for f in (4, 6)),
                Ping("h1", "h2", size=1460, df=True),
            ]
        )
        sent = {node: frames(session.log, node) for node in ("h1", "r1")}
    for node, each in sent.items():
        assert len(each) > 20 and complaints(each, tmp_path / f"{node}.pcap") == []
    whole = next(frame for frame in sent["h1"] if frame[12:14] == b"\x86\xdd" and frame[20] == 58)
    spoilt = whole[:-1] + bytes((whole[-1] ^ 1,))
    assert len(complaints([spoilt], tmp_path / "spoilt.pcap")) == 1, "so that this test can fail"


def complaints(sent: list[bytes], path: Path) -> list[str]:
    with path.open("wb") as file:
        writer = pcap.Writer(file)
        for number, frame in enumerate(sent):
            writer.packet(number, frame)
    checks = [word for name in ("ip", "udp") for word in ("-o", f"{name}.check_checksum:TRUE")]
    words = ["tshark", "-nr", str(path), *checks, "-Y", COMPLAINTS]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()
