"""A host that speaks IPv6 on a desk: eth0 is fd00:1::1/64, eth1 fd00:2::1/64, with its link-local addresses."""

from __future__ import annotations

from desk import PEER_MAC, Desk, host

from netlab.stack.fib import Route
from netlab.wire import ethernet, icmpv6, ipv6
from netlab.wire.address import link_local, parse_ipv6

ME, PEER, FAR = parse_ipv6("fd00:1::1"), parse_ipv6("fd00:1::2"), parse_ipv6("fd00:2::9")
MY_MAC = bytes((2, 0, 0, 0, 1, 0))
MY_LINK, PEER_LINK = link_local(MY_MAC), link_local(PEER_MAC)


def desk6(kind: str = "host", *, routes: tuple[Route, ...] = (), neighbours: bool = True) -> Desk:
    """Its neighbours' link addresses are known, unless a test is about finding them."""
    made = Desk(host(kind))
    inet6 = made.host.inet6
    for n, ifp in enumerate(made.host.interfaces.values()):
        inet6.add(ifp, parse_ipv6(f"fd00:{n + 1}::1"), 64)
    for route in routes:
        inet6.fib.add(route)
    for n, neighbour in ((0, PEER), (1, FAR)) if neighbours else ():
        entry = inet6.neighbours.make(made.host.interfaces[f"eth{n}"], neighbour)
        entry.heard(PEER_MAC)
        entry.confirm(0)
    return made


def frame(packet: bytes, dst: bytes = MY_MAC) -> bytes:
    """A packet of the peer's, on the wire."""
    return ethernet.build(dst, PEER_MAC, ethernet.IPV6, packet)


def echo(dst: int = ME, *, src: int = PEER, hops: int = 64, size: int = 8, id: int = 7) -> bytes:
    """A ping."""
    payload = bytes(n & 0xFF for n in range(size))
    return ipv6.build(src, dst, icmpv6.PROTO, icmpv6.echo_request(id, 1, payload, src, dst), hops=hops)


def message(data: bytes) -> tuple[ipv6.Header, icmpv6.Header]:
    """The headers of a frame that was sent; its checksum must be right."""
    header, upper = ipv6.parse(data, 14), ipv6.upper(data, 14)
    assert header is not None and upper is not None and ipv6.fault(data, 14) == ""
    assert icmpv6.checksum_ok(data, upper.at, len(data), header.src, header.dst)
    found = icmpv6.parse(data, upper.at)
    assert found is not None
    return header, found
