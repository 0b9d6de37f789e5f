"""The steering of a planned interface."""

from __future__ import annotations

from netlab.stack.steering.filters import Filter
from netlab.stack.steering.interface import Steering
from netlab.stack.steering.reta import weighted_table
from netlab.stack.steering.spray import Spray
from netlab.stack.steering.toeplitz import KEY, SYMMETRIC_KEY
from netlab.topology.spec import PlanInterface, RingFilter, Steer
from netlab.wire import ipv4
from netlab.wire.address import parse_ipv4

PROTOCOLS = {"tcp": ipv4.TCP, "udp": ipv4.UDP, "icmp": ipv4.ICMP}
KEYS = {"microsoft": KEY, "symmetric": SYMMETRIC_KEY}


def steering_of(interface: PlanInterface) -> Steering | None:
    """As the plan says; None for an interface with one ring, where there is nothing to choose."""
    if interface.queues == 1:
        return None
    said = interface.steering or Steer()
    table = weighted_table(said.weights) if said.weights else None
    steering = Steering(interface.queues, key=KEYS[said.key], table=table)
    if said.spread == "spray":
        steering.spray = Spray(interface.queues)
    for each in said.filters:
        steering.direct(_filter(each))
    return steering


def _filter(said: RingFilter) -> Filter:
    return Filter(
        said.ring,
        said.priority,
        parse_ipv4(said.src) if said.src else None,
        parse_ipv4(said.dst) if said.dst else None,
        PROTOCOLS.get(said.proto),
        said.src_port or None,
        said.dst_port or None,
    )
