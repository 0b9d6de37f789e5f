"""The forwarding slot: what a student writes in place of `ip.forward`.

``forward(packets, routes, addresses)`` is given plain data and gives one hop for each packet, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from netlab.stack.ip import error, leave
from netlab.stack.mbuf import Mbuf
from netlab.stack.slot import SlotCall, SlotFailure
from netlab.stack.stage import Hop, Stage, drop, whole
from netlab.wire import icmp, ipv4

if TYPE_CHECKING:
    from netlab.stack.host import Host

SEND, TIME_EXCEEDED, NO_ROUTE = "send", "time-exceeded", "no-route"


class Arrived(NamedTuple):
    """A packet that is to be forwarded: from its IP header on, and the interface it came in by."""

    packet: bytes
    interface: str


class SlotRoute(NamedTuple):
    """``prefix``/``length`` by way of ``interface``; ``gateway`` 0 means that the destination is a neighbour."""

    prefix: int
    length: int
    gateway: int
    interface: str


class Forward(Protocol):
    """The assignment.

    ``packets`` is a list of (packet bytes, arrival interface); ``routes`` a list of (prefix, length, gateway,
    interface) in no special order; ``addresses`` maps each interface to the router's own address on it. Addresses are
    ints. For each packet, in order, the result has one hop:

    - ``("send", interface, next_hop, packet)``: the packet as it is to leave, and the neighbour that it goes to;
    - ``("time-exceeded", source)``: answer with ICMP time exceeded, spoken by the address ``source``;
    - ``("no-route",)``: there is no way to the destination.
    """

    def __call__(
        self, packets: list[Arrived], routes: list[SlotRoute], addresses: dict[str, int]
    ) -> Sequence[tuple[Any, ...]]: ...


def slot_stage(call: SlotCall) -> Stage:
    """`ip.forward` with somebody else's function in it; what comes back is validated before it is believed."""

    @whole("ip.forward", to=("ether.output", "ip.fragment", "icmp.error"))
    def run(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
        """The forwarding slot: filled by an exercise."""
        try:
            answer = call(*_arguments(host, vector))
            given = zip(vector, _vector(answer, len(vector)), strict=True)
            return [hop for m, one in given for hop in _hops(host, m, one)]
        except SlotFailure as failure:
            host.slot_failures.append(failure)
            return [drop(f"forward: {failure.said}", m) for m in vector]

    return run


def _arguments(host: Host, vector: list[Mbuf]) -> tuple[list[Arrived], list[SlotRoute], dict[str, int]]:
    packets = [Arrived(m.data, m.rcvif.name if m.rcvif else "") for m in vector]
    routes = [SlotRoute(r.prefix, r.length, r.gateway, r.interface) for r in host.slot_routes]
    addresses = {name: ifp.addresses[0].address for name, ifp in host.interfaces.items() if ifp.addresses}
    return packets, routes, addresses


def _vector(answer: Any, n: int) -> Sequence[Any]:
    if not isinstance(answer, (list, tuple)):
        raise SlotFailure("invalid", f"forward returned {_kind(answer)}; a list with one hop for each packet was due")
    if len(answer) != n:
        raise SlotFailure("invalid", f"forward returned {len(answer)} hops for {n} packets; one for each was due")
    return answer


def _hops(host: Host, m: Mbuf, given: Any) -> list[Hop]:
    match given:
        case ("send", str(interface), int(next_hop), bytes(packet)):
            return _send(host, m, interface, next_hop, packet)
        case ("time-exceeded", int(source)):
            if source not in host.addresses:
                raise SlotFailure("invalid", "time-exceeded must be spoken by one of the router's own addresses")
            return error(host, m, icmp.TIME_EXCEEDED, icmp.TTL_EXCEEDED, "TTL exceeded", speaker=source)
        case ("no-route",):
            return error(host, m, icmp.UNREACHABLE, icmp.NET_UNREACHABLE, "no route")
    raise SlotFailure("invalid", f"forward returned the hop {_short(given)}; see the three forms of a hop")


def _send(host: Host, m: Mbuf, interface: str, next_hop: int, packet: bytes) -> list[Hop]:
    if interface not in host.interfaces:
        names = ", ".join(host.interfaces)
        raise SlotFailure("invalid", f"forward sends by '{interface}', which is no interface here; there are {names}")
    if not 0 <= next_hop <= 0xFFFFFFFF:
        raise SlotFailure("invalid", f"forward gave the next hop {next_hop}, which is no IPv4 address")
    header = ipv4.parse(packet)
    if header is None:
        raise SlotFailure("invalid", "forward sends bytes that do not begin with an IPv4 header")
    m.data, m.l3 = packet, header
    return leave(host, m, interface, next_hop)


def _kind(value: Any) -> str:
    return "nothing (None)" if value is None else f"a {type(value).__name__}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


SLOTS = {"forward": ("ip.forward", slot_stage)}
"""Slot name -> the stage that it stands in for, and what makes a stage of the function."""
