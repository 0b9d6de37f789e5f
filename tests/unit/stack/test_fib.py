"""Structures of routes: their own shapes, and what they refuse."""

from __future__ import annotations

import pytest

from netlab.stack.fib import FIBS, Dir24_8Fib, DxrFib, LinearFib, RadixFib, RangesFib, Route, Way, multipath
from netlab.wire.address import parse_ipv4 as ip

DEFAULT = Route(0, 0, ip("192.0.2.1"), "nh1")
NET = Route(ip("10.0.0.0"), 24, ip("192.0.2.2"), "nh2")
HOST = Route(ip("10.0.0.1"), 32, ip("192.0.2.3"), "nh3")


def test_three_prefixes_are_five_ranges() -> None:
    """The example in the comment at the head of FreeBSD's bsearch4."""
    fib = RangesFib((HOST, DEFAULT, NET))
    assert [(r.start, r.route.interface if r.route else "") for r in fib.ranges] == [
        (ip("0.0.0.0"), "nh1"),
        (ip("10.0.0.0"), "nh2"),
        (ip("10.0.0.1"), "nh3"),
        (ip("10.0.0.2"), "nh2"),
        (ip("10.0.1.0"), "nh1"),
    ]


@pytest.mark.parametrize("name", FIBS)
def test_the_longest_match_wins_in_whatever_order_they_came(name: str) -> None:
    fib = FIBS[name]((HOST,))
    for route in (NET, DEFAULT):
        fib.add(route)
    assert [fib.lookup(ip(a)) for a in ("10.0.0.1", "10.0.0.2", "10.0.1.0")] == [HOST, NET, DEFAULT]


@pytest.mark.parametrize("name", FIBS)
def test_no_route_is_no_route(name: str) -> None:
    fib = FIBS[name]((NET,))
    assert fib.lookup(ip("10.0.1.0")) is None
    fib.remove(NET.prefix, 24)
    assert fib.lookup(ip("10.0.0.1")) is None


@pytest.mark.parametrize("name", FIBS)
def test_a_route_for_the_same_prefix_replaces_the_first(name: str) -> None:
    fib = FIBS[name]((NET, HOST))
    other = NET._replace(interface="nh9")
    fib.add(other)
    assert fib.lookup(ip("10.0.0.77")) == other and len(fib.routes) == 2


@pytest.mark.parametrize("name", FIBS)
def test_what_is_no_prefix_and_what_is_not_there_are_refused(name: str) -> None:
    fib = FIBS[name]((NET,))
    with pytest.raises(ValueError, match="bits behind"):
        fib.add(Route(1, 24, 0, "eth0"))
    with pytest.raises(ValueError, match="no prefix"):
        fib.add(Route(0, 33, 0, "eth0"))
    for prefix, length in ((ip("10.0.0.0"), 25), (ip("10.0.0.0"), 23), (0, 0)):
        with pytest.raises(KeyError):
            fib.remove(prefix, length)
    assert fib.routes == (NET,)


def test_a_trie_s_way_is_as_long_as_there_are_branchings() -> None:
    fib = RadixFib(tuple(Route(n << 24, 8, 0, f"eth{n}") for n in range(256)))
    assert fib.depth(ip("10.1.2.3")) == 9, "256 equal prefixes branch eight times"
    assert RadixFib((HOST,)).depth(HOST.prefix) == 1, "what nobody shares is one step"


def test_ipv6_fits_in_the_structures_that_know_no_width() -> None:
    wide = (Route(0x2001_0DB8 << 96, 32, 0, "eth0"), Route(0x2001_0DB8 << 96 | 1, 128, 0, "eth1"))
    for fib in (LinearFib(wide, width=128), RadixFib(wide, width=128), RangesFib(wide, width=128)):
        assert fib.lookup(0x2001_0DB8 << 96 | 1) == wide[1]
        assert fib.lookup(0x2001_0DB8 << 96 | 2) == wide[0]
        assert fib.lookup(1) is None


def test_memory_tells_the_structures_apart() -> None:
    routes = tuple(Route(n << 8, 24, n % 7, "eth0") for n in range(5000))
    size = {name: FIBS[name](routes).octets for name in FIBS}
    assert size["ranges"] < size["radix"] < size["dxr"] < size["dir-24-8"]
    assert size["dir-24-8"] >= 64 << 20


def test_a_slot_that_is_whole_again_gives_its_chunk_back() -> None:
    for fib in (Dir24_8Fib((NET, HOST)), DxrFib((NET, HOST))):
        fib.remove(HOST.prefix, 32)
        empty = fib.octets
        for n in range(1, 200):
            fib.add(Route(NET.prefix + n, 32, 0, "eth0"))
            fib.remove(NET.prefix + n, 32)
        assert fib.octets - empty <= 4 * 256 + 16, "the same chunk and the same number are used again and again"


def test_flows_spread_over_equal_ways_by_weight_and_stay_where_they_are() -> None:
    route = multipath(0, 0, (Way(1, "eth0", 1), Way(2, "eth1", 3)))
    flows = [n * 0x9E3779B1 & 0xFFFFFFFF for n in range(4000)]
    taken = [route.chosen(flow).interface for flow in flows]
    assert abs(taken.count("eth1") / 4000 - 0.75) < 0.02
    assert taken == [route.chosen(flow).interface for flow in flows]
    assert route.chosen(flows[0]).ways == ()
    with pytest.raises(ValueError, match="weight"):
        multipath(0, 0, (Way(1, "eth0", 0),))
