"""How fast the codec is, beside scapy and dpkt in the same run: ``nlab bench codec``.

All contestants read the same 160-byte frame of eight headers, and build it to the same bytes, checksums included.
The clock is handed in: nothing in `netlab.wire` reads one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from netlab.wire import checksum, ethernet, ipv4, udp, vlan, vxlan
from netlab.wire.decode import layers
from netlab.wire.samples import IP1, IP2, MAC1, MAC2, vxlan_in_vlan

Clock = Callable[[], float]
"""Seconds, from any start."""

FRAME = vxlan_in_vlan()
PAYLOAD = bytes(range(64))


class Row(NamedTuple):
    """What one contestant did in its best round; ``ratio`` is to the first contestant of its task."""

    task: str
    contestant: str
    per_second: float
    ratio: float


# ---- contestants ---------------------------------------------------------------------------------


def parse_layers() -> object:
    """Any frame: the table-driven walk, all headers as named tuples."""
    return layers(FRAME)


def parse_known() -> object:
    """A frame whose kind is known: the eight parsers one after another."""
    return (
        ethernet.parse(FRAME),
        vlan.parse(FRAME, 14),
        ipv4.parse(FRAME, 18),
        udp.parse(FRAME, 38),
        vxlan.parse(FRAME, 46),
        ethernet.parse(FRAME, 54),
        ipv4.parse(FRAME, 68),
        udp.parse(FRAME, 88),
    )


def build() -> bytes:
    """The frame from the inside out."""
    datagram = udp.build(40000, 9000, PAYLOAD, IP1, IP2)
    inner = ethernet.build(MAC2, MAC1, ethernet.IPV4, ipv4.build(IP1, IP2, ipv4.UDP, datagram, id=2))
    tunnel = udp.build(50000, vxlan.PORT, vxlan.build(100, inner), IP1, IP2)
    tagged = vlan.build(200, ethernet.IPV4, ipv4.build(IP1, IP2, ipv4.UDP, tunnel, id=1), pcp=3)
    return ethernet.build(MAC2, MAC1, vlan.CTAG, tagged)


def _scapy() -> dict[str, Callable[..., Any]]:
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Dot1Q, Ether
    from scapy.layers.vxlan import VXLAN
    from scapy.utils import checksum as in_cksum

    link: dict[str, Any] = {"dst": "02:00:00:00:00:02", "src": "02:00:00:00:00:01"}
    ends: dict[str, Any] = {"src": "10.0.1.10", "dst": "10.0.2.10"}

    def build_scapy() -> bytes:
        inner = Ether(**link) / IP(**ends, id=2) / UDP(sport=40000, dport=9000) / PAYLOAD
        outer = Ether(**link) / Dot1Q(vlan=200, prio=3) / IP(**ends, id=1) / UDP(sport=50000, dport=4789)
        return bytes(outer / VXLAN(vni=100, flags=8) / inner)

    return {"parse": lambda: Ether(FRAME), "build": build_scapy, "checksum": in_cksum}


def _dpkt() -> dict[str, Callable[..., Any]]:
    """Dpkt knows no VXLAN, so that header is done by hand; it leaves UDP's checksums to a method of IP."""
    from dpkt.dpkt import in_cksum
    from dpkt.ethernet import Ethernet, VLANtag8021Q
    from dpkt.ip import IP
    from dpkt.udp import UDP

    src, dst = IP1.to_bytes(4, "big"), IP2.to_bytes(4, "big")

    def packet(sport: int, dport: int, payload: bytes, id: int) -> Any:
        datagram = UDP(sport=sport, dport=dport, ulen=8 + len(payload), data=payload)
        return IP(src=src, dst=dst, id=id, p=17, len=28 + len(payload), ttl=64, data=datagram)

    def build_dpkt() -> bytes:
        inner = Ethernet(dst=MAC2, src=MAC1, type=0x0800, data=packet(40000, 9000, PAYLOAD, 2))
        outer = packet(50000, 4789, b"\x08\0\0\0\0\0\x64\0" + bytes(inner), 1)
        frame = Ethernet(dst=MAC2, src=MAC1, type=0x0800, data=outer)
        tag = VLANtag8021Q(id=200, pri=3, cfi=0, type=0x0800)
        frame.vlan_tags = [tag]
        return bytes(frame)

    def parse_dpkt() -> object:
        outer = Ethernet(FRAME)
        return outer, Ethernet(outer.data.data.data[8:])

    return {"parse": parse_dpkt, "build": build_dpkt, "checksum": in_cksum}


# ---- the race ------------------------------------------------------------------------------------


def _race(clock: Clock, contestants: dict[str, Callable[[], Any]], rounds: int, seconds: float) -> dict[str, float]:
    """Calls a second of each in its best round; rounds are interleaved, so that a busy machine is fair to all."""
    repeats = {name: _repeats(clock, work, seconds) for name, work in contestants.items()}
    best = dict.fromkeys(contestants, 0.0)
    for _ in range(rounds):
        for name, work in contestants.items():
            best[name] = max(best[name], repeats[name] / _time(clock, work, repeats[name]))
    return best


def _time(clock: Clock, work: Callable[[], Any], repeats: int) -> float:
    start = clock()
    for _ in range(repeats):
        work()
    return clock() - start


def _repeats(clock: Clock, work: Callable[[], Any], seconds: float) -> int:
    """How many calls take about ``seconds``."""
    repeats = 1
    while (took := _time(clock, work, repeats)) < seconds / 10:
        repeats *= 4
    return max(1, round(repeats * seconds / took))


def tasks() -> dict[str, dict[str, Callable[[], Any]]]:
    """What is raced: contestants by task; the first of each is what the others are compared with."""
    scapy, dpkt = _scapy(), _dpkt()
    races: dict[str, dict[str, Callable[[], Any]]] = {
        "parse, 8 headers": {
            "scapy": scapy["parse"],
            "dpkt": dpkt["parse"],
            "netlab, any frame": parse_layers,
            "netlab, known kind": parse_known,
        },
        "build, 8 headers": {"scapy": scapy["build"], "dpkt": dpkt["build"], "netlab": build},
    }
    for size in (20, 64, 1460, 9000, 65535):
        data = bytes(i * 7 & 0xFF for i in range(size))
        races[f"checksum, {size} B"] = {
            "scapy": partial(scapy["checksum"], data),
            "dpkt": partial(dpkt["checksum"], data),
            "netlab": partial(checksum.internet, data),
        }
    return races


def bench_codec(clock: Clock, *, rounds: int = 5, seconds: float = 0.2) -> list[Row]:
    """Race all tasks, print a table, and give its rows. Needs scapy and dpkt."""
    rows: list[Row] = []
    for task, contestants in tasks().items():
        speeds = _race(clock, contestants, rounds, seconds)
        first = next(iter(speeds.values()))
        rows += [Row(task, name, speed, speed / first) for name, speed in speeds.items()]
    print(f"{'task':<20} {'contestant':<20} {'per second':>12} {'x scapy':>9}")
    for row in rows:
        print(f"{row.task:<20} {row.contestant:<20} {row.per_second:>12,.0f} {row.ratio:>9.1f}")
    return rows
