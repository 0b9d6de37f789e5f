"""A mark on a fragment is one on the packet (RFC 3168 §5.3)."""

from __future__ import annotations

import pytest
from desk import address, host

from netlab.stack.fragment import cut, ip_reassemble
from netlab.stack.ip6.fragment import cut6, ip6_reassemble
from netlab.stack.mbuf import Mbuf
from netlab.stack.reassembly import MARKED_IN_PART
from netlab.stack.stage import Hop
from netlab.wire import ipv4, ipv6

NOT, ECT, CE = ipv4.NOT_ECT, ipv4.ECT0, ipv4.CE
MIXES = [((ECT, ECT, ECT), ECT), ((ECT, CE, ECT), CE), ((CE, ECT, ECT), CE), ((NOT, NOT, NOT), NOT)]
ME, PEER = address("10.0.1.1"), address("10.0.1.2")


def with_tos(packet: bytes, tos: int) -> bytes:
    header = ipv4.parse(packet)
    assert header is not None
    return ipv4.build(PEER, ME, 17, packet[20:], id=header.id, fragment=header.fragment, tos=tos)


def fragments(tos: tuple[int, ...]) -> list[bytes]:
    parts = cut(ipv4.build(PEER, ME, 17, bytes(4000), id=9), 1500)
    return [with_tos(part, own) for part, own in zip(parts, tos, strict=True)]


def put_together(packets: list[bytes]) -> Hop:
    """What the last fragment leads to."""
    made = host()
    for data in packets:
        m = Mbuf(data, pkt=1, rcvif=made.interfaces["eth0"])
        m.l3 = ipv4.parse(data)
        hops = ip_reassemble.run(made, [m], 0)
    return hops[-1]


@pytest.mark.parametrize(("tos", "whole"), MIXES)
@pytest.mark.parametrize("order", [1, -1])
def test_one_marked_fragment_marks_the_packet(tos: tuple[int, ...], whole: int, order: int) -> None:
    _, m, _ = put_together(fragments(tos)[::order])
    assert m.l3.ecn == whole
    assert ipv4.fault(m.data) == "", "its checksum is right"


def test_a_mark_beside_a_fragment_that_cannot_be_marked_is_refused() -> None:
    assert put_together(fragments((NOT, CE, NOT)))[2] == MARKED_IN_PART


@pytest.mark.parametrize(("tos", "whole"), MIXES)
def test_ipv6_does_the_same(tos: tuple[int, ...], whole: int) -> None:
    made = host()
    for data, own in zip(cut6(ipv6.build(2, 1, 17, bytes(4000)), 1500, 77), tos, strict=True):
        m = Mbuf(data[:1] + bytes((data[1] | own << 4,)) + data[2:], pkt=1, rcvif=made.interfaces["eth0"])
        m.l3, m.l4, m.tag = ipv6.parse(m.data), ipv6.SIZE, 6
        hops = ip6_reassemble.run(made, [m], 0)
    _, m, _ = hops[-1]
    assert m.l3.ecn == whole and len(m.data) == 4040
