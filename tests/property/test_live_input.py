"""Whatever frame comes in: no stage raises, nothing goes round for ever, and what a host remembers stays bounded."""

from __future__ import annotations

import os
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.stack.fib import Route
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.ip6 import router
from netlab.stack.mbuf import Mbuf
from netlab.stack.sockets import EchoSocket, UdpSocket
from netlab.stack.stage import Hop, to
from netlab.units import MS, SEC
from netlab.wire import arp, ethernet, icmp, icmpv6, ipv4, ipv6, udp
from netlab.wire.address import link_local, multicast_mac6, parse_ipv4, parse_ipv6, solicited_node

MAC, PEER_MAC = bytes((2, 0, 0, 0, 1, 0)), bytes((2, 0, 0, 0, 0, 0x99))
ME, PEER, FAR = (parse_ipv4(f"10.0.{net}.{host}") for net, host in ((1, 1), (1, 2), (2, 9)))
ME6, PEER6, FAR6 = (parse_ipv6(text) for text in ("fd00:1::1", "fd00:1::2", "fd00:2::9"))
SECONDS = int(os.environ.get("NETLAB_FUZZ_SECONDS", "600")) // 4
STEPS = 2000
"""More stages than any one frame may pass."""


def live_host(kind: str) -> Host:
    """Two interfaces, both versions of IP, a socket of each sort, and ears for routers."""
    interfaces = tuple(Ifnet(f"eth{n}", bytes((2, 0, 0, 0, 1, n)), _addresses(kind, n), mtu=1500 - n) for n in range(2))
    routes = tuple(Route(parse_ipv4(f"10.0.{n + 1}.0"), 24, 0, f"eth{n}") for n in range(2))
    host = Host("x", kind, interfaces, routes if kind != "switch" else ())
    if kind != "switch":
        for n, ifp in enumerate(interfaces):
            host.inet6.add(ifp, parse_ipv6(f"fd00:{n + 1}::1"), 64)
        host.inet6.autoconfigured.add("eth0")
        host.inet6.advertised["eth1"] = router.advertisement(interfaces[1])
        UdpSocket(host, 7, lambda message, pkt, now: [])
        EchoSocket(host, 7, lambda message, pkt, now: [])
    return host


def _addresses(kind: str, n: int) -> tuple[Address, ...]:
    return () if kind == "switch" else (Address(parse_ipv4(f"10.0.{n + 1}.1"), 24),)


def seeds() -> list[bytes]:
    """One frame of each kind that the host has something to do with."""
    group, all_nodes = solicited_node(ME6), parse_ipv6("ff02::1")
    link = link_local(PEER_MAC)
    echo4, echo6 = icmp.echo_request(7, 1, bytes(64)), icmpv6.echo_request(7, 1, bytes(64), PEER6, ME6)
    mine4, mine6 = ipv4.build(ME, PEER, 1, echo4), ipv6.build(ME6, PEER6, 58, echo6)
    said = icmpv6.Advertisement(64, 0, 1800, 0, 0, PEER_MAC, 1400, (icmpv6.Prefix(parse_ipv6("fd00:5::"), 64),))
    four = [
        ipv4.build(PEER, ME, 1, echo4),
        ipv4.build(PEER, FAR, 1, echo4, ttl=2, options=b"\x82\x04\0\0"),
        ipv4.build(PEER, ME, 17, udp.build(5, 7, b"hello", PEER, ME)),
        ipv4.build(PEER, ME, 1, echo4, id=3, fragment=ipv4.MORE_FRAGMENTS),
        ipv4.build(PEER, ME, 1, bytes(64), id=3, fragment=9),
        ipv4.build(PEER, ME, 1, icmp.unreachable(icmp.FRAGMENTATION_NEEDED, mine4, mtu=600)),
    ]
    six = [
        ipv6.build(PEER6, ME6, 58, echo6),
        ipv6.build(PEER6, FAR6, 58, echo6, hops=2),
        ipv6.build(PEER6, ME6, 17, udp.build(5, 7, b"hello", PEER6, ME6)),
        ipv6.build(PEER6, ME6, 0, ipv6.extension(60, b"\x05\x02\0\0", ipv6.extension(58, b"\x1e\x01\0", echo6))),
        ipv6.build(PEER6, ME6, 43, ipv6.extension(44, bytes(6), ipv6.fragment(58, 0, True, 9, echo6))),
        ipv6.build(PEER6, ME6, 44, ipv6.fragment(58, 72, False, 9, bytes(30))),
        ipv6.build(PEER6, ME6, 58, icmpv6.packet_too_big(1280, mine6, PEER6, ME6)),
        ipv6.build(PEER6, group, 58, icmpv6.neighbor_solicitation(ME6, PEER_MAC, PEER6, group), hops=255),
        ipv6.build(PEER6, ME6, 58, icmpv6.neighbor_advertisement(PEER6, PEER_MAC, PEER6, ME6), hops=255),
        ipv6.build(link, all_nodes, 58, icmpv6.router_advertisement(said, link, all_nodes), hops=255),
        ipv6.build(link, ME6, 58, icmpv6.router_solicitation(PEER_MAC, link, ME6), hops=255),
    ]
    frames = [ethernet.build(MAC, PEER_MAC, ethernet.IPV4, packet) for packet in four]
    frames += [ethernet.build(multicast_mac6(group), PEER_MAC, ethernet.IPV6, packet) for packet in six]
    large = ethernet.build(MAC, PEER_MAC, ethernet.IPV4, ipv4.build(PEER, FAR, 17, bytes(1480)))
    return [*frames, large, ethernet.build(MAC, PEER_MAC, ethernet.ARP, arp.request(PEER_MAC, PEER, ME))]


SEEDS = seeds()


def mended(frame: bytes) -> bytes:
    """The frame with its checksums right again, so that what was changed behind them is looked at."""
    if frame[12:14] == b"\x08\x00" and len(frame) >= 34:
        size = (frame[14] & 15) << 2
        head = bytearray(frame[14 : 14 + max(size, 20)])
        head[10:12] = b"\0\0"
        head[10:12] = _internet(bytes(head))
        frame = frame[:14] + bytes(head) + frame[14 + len(head) :]
        at = 14 + len(head)
        if frame[23] == 1 and len(frame) >= at + 8:
            frame = frame[: at + 2] + b"\0\0" + frame[at + 4 :]
            frame = frame[: at + 2] + _internet(frame[at:]) + frame[at + 4 :]
    elif frame[12:14] == b"\x86\xdd":
        found = ipv6.upper(frame, 14)
        if found is not None and found.proto == 58 and found.fragment is None and len(frame) >= found.at + 8:
            at = found.at
            frame = frame[: at + 2] + b"\0\0" + frame[at + 4 :]
            pseudo = frame[22:54] + (len(frame) - at).to_bytes(4, "big") + b"\0\0\0\x3a"
            frame = frame[: at + 2] + _internet(pseudo + frame[at:]) + frame[at + 4 :]
    return frame


def _internet(data: bytes) -> bytes:
    total = sum(int.from_bytes(data[n : n + 2].ljust(2, b"\0"), "big") for n in range(0, len(data), 2))
    return (-total % 0xFFFF).to_bytes(2, "big")


class Runner:
    """Runs a host's stages to their ends, and its timers, and counts."""

    def __init__(self, kind: str) -> None:
        self.host = live_host(kind)
        self.now = 0
        self.visited: set[str] = set()

    def receives(self, frame: bytes, interface: str = "eth0") -> None:
        """A frame comes in; then half a second passes."""
        self.follow([to("nic.rx", Mbuf(frame, pkt=1, rcvif=self.host.interfaces[interface]))])
        self.now += 500 * MS
        self.follow(self.host.timers.run(self.now))

    def follow(self, hops: list[Hop]) -> None:
        """To the ends of all ways; AssertionError when there are too many."""
        steps = 0
        while hops:
            target, m, _ = hops.pop()
            if target and target != "nic.tx":
                steps += 1
                assert steps < STEPS, "a packet goes round and round"
                self.visited.add(target)
                hops += self.host.stages[target].run(self.host, [m], self.now)

    def check(self) -> None:
        """Nothing that a stranger can fill is without a bound."""
        host = self.host
        for held in (host.fragments, host.fragments6):
            assert len(held) <= held.limits.packets and held.octets <= held.limits.octets
        assert len(host.paths) <= 4096 and len(host.inet6.neighbours.table()) <= 1024
        assert len(host.neighbours.table()) <= 1024 and all(len(a) <= 16 for a in host.inet6.held.values())


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A seed with some bytes changed, cut or lengthened; mostly with right checksums."""
    frame = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        frame[draw(st.integers(12, len(frame) - 1))] = draw(st.integers(0, 255))
    whole = bytes(frame[: draw(st.integers(14, len(frame)))] if draw(st.integers(0, 3)) == 0 else frame)
    whole += draw(st.binary(max_size=20))
    return mended(whole) if draw(st.integers(0, 3)) else whole


@given(st.sampled_from(["host", "router", "switch"]), st.lists(spoilt(), min_size=1, max_size=8))
def test_no_frame_makes_a_stage_raise(kind: str, frames: list[bytes]) -> None:
    runner = Runner(kind)
    for frame in frames:
        runner.receives(frame)
    runner.check()


def test_the_seeds_reach_the_stages_that_are_to_be_tried() -> None:
    runner = Runner("router")
    for frame in SEEDS:
        runner.receives(frame)
    runner.now += 100 * SEC
    runner.follow(runner.host.timers.run(runner.now))
    wanted = {name for name in runner.host.stages if name.startswith(("ip6.", "icmp", "nd.", "ip.", "udp.input"))}
    assert wanted - runner.visited <= {"ip6.fragment", "icmp.output"}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["host", "router"])
def test_minutes_of_spoilt_frames_at_one_host(kind: str) -> None:
    """One host all the time: what it remembers of one frame meets the next."""
    chance, runner = random.Random(5), Runner(kind)
    until = time.monotonic() + SECONDS
    count = 0
    while time.monotonic() < until:
        frame = bytearray(chance.choice(SEEDS))
        for _ in range(chance.randrange(5)):
            frame[chance.randrange(12, len(frame))] = chance.choice((0, 1, 255, chance.randrange(256)))
        whole = bytes(frame[: chance.randrange(14, len(frame) + 1)] if chance.random() < 0.1 else frame)
        runner.receives(mended(whole) if chance.random() < 0.8 else whole, chance.choice(("eth0", "eth1")))
        count += 1
        if count % 1000 == 0:
            runner.check()
    assert count > 1000
