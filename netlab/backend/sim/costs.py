"""What each stage costs on a virtual core: the one table of assumed time.

Only sums are anchored. FreeBSD forwards an IPv4 packet through driver, Ethernet, IP and driver again in 1,226 ns
on one 2.2 GHz core (816 kpps; ocochard/netbenches); how the stages share that sum is assumed here. Batching
figures put the part that is paid per call, not per packet, near a fifth (ixy-languages: 82 + 294/b cycles for a
driver in C); that share is assumed for every stage.

TCP has one anchor of its own: a segment that nothing is offloaded of takes its sender 4,200 cycles in all (5,499 Mbit/s
at 2.00 GHz over IPv4, receiver with LRO; stefano-garzarella/freebsd-gso). What its other stages, its acknowledgements
and its copy leave of that is tcp.output's. The other rows of that table were in sight while the costs were
chosen, but none of them has set one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from netlab.errors import BadInput


class Cost(NamedTuple):
    """ns for each call of the stage, and for each packet of its vector."""

    call: int
    packet: int


FORWARDING_NS = 1226
"""nic.rx, ether.input, ip.input, ip.forward, ether.output, ifq for one packet: the anchored sum."""

COSTS: dict[str, Cost] = {
    "nic.rx": Cost(100, 236),
    "ether.input": Cost(20, 110),
    "bridge.forward": Cost(25, 120),
    "vlan.input": Cost(15, 60),
    "vlan.output": Cost(15, 60),
    "vxlan.input": Cost(25, 150),
    "vxlan.output": Cost(25, 200),
    "arp.input": Cost(20, 200),
    "arp.output": Cost(20, 150),
    "ip.input": Cost(30, 160),
    "ip.forward": Cost(30, 200),
    "ip.output": Cost(30, 200),
    "icmp.input": Cost(20, 150),
    "icmp.output": Cost(20, 150),
    "icmp.error": Cost(20, 250),
    "ip.fragment": Cost(30, 250),
    "ip.reassemble": Cost(30, 250),
    "ip6.input": Cost(30, 160),
    "ip6.forward": Cost(30, 200),
    "ip6.output": Cost(30, 200),
    "ip6.fragment": Cost(30, 250),
    "ip6.reassemble": Cost(30, 250),
    "nd.input": Cost(20, 200),
    "nd.output": Cost(25, 100),
    "icmp6.input": Cost(20, 150),
    "icmp6.output": Cost(20, 150),
    "icmp6.error": Cost(20, 250),
    "udp.input": Cost(25, 180),
    "udp.output": Cost(25, 180),
    "socket.deliver": Cost(200, 300),
    "tcp.input": Cost(30, 250),
    "tcp.output": Cost(40, 1000),
    "gso": Cost(40, 60),
    "gro": Cost(30, 45),
    "ether.output": Cost(25, 135),
    "ifq": Cost(30, 150),
}
"""All assumed, but for the sum above; a stage not named costs `OTHER`. What bytes cost is in `sizes`."""

OTHER = Cost(25, 150)
"""Assumed."""

REFERENCE_GHZ = 2.2
"""The clock of the core that all of these hold for; they are taken to change in proportion to another's cycles."""

LINE_RATE = 10_000_000_000
"""bit/s of a link whose rate is not given. Assumed."""

QUEUE_LIMIT = 1000
"""Packets an interface's queue holds when the topology does not say (Linux txqueuelen)."""

RX_RING = 256
"""Frames a receive ring holds (FreeBSD and Linux drivers commonly start at 256 to 1,024 descriptors)."""

RX_BUDGET = 64
"""Frames taken from the ring in one go (Linux NAPI weight)."""


class CostTable(NamedTuple):
    """The costs on a core of some clock."""

    stages: Mapping[str, Cost]
    other: Cost
    slower: float
    """How many times as long as at `REFERENCE_GHZ` everything takes."""


REFERENCE = CostTable(COSTS, OTHER, 1.0)


def costs_at(ghz: float) -> CostTable:
    """The table of a core with that clock; BadInput for one that is not above 0."""
    if ghz <= 0:
        raise BadInput(f"a core cannot have a clock of {ghz} GHz", right="more than 0")
    slower = REFERENCE_GHZ / ghz
    stages = {name: _slower(cost, slower) for name, cost in COSTS.items()}
    return CostTable(stages, _slower(OTHER, slower), slower) if ghz != REFERENCE_GHZ else REFERENCE


def _slower(cost: Cost, times: float) -> Cost:
    return Cost(round(cost.call * times), round(cost.packet * times))
