"""Which ring a packet goes to: the published hashes, the table and its balance, filters, spraying."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.stack.steering import (
    SYMMETRIC_KEY,
    Filter,
    FilterTable,
    ReorderBuffer,
    Spray,
    Steering,
    Toeplitz,
    default_table,
    rebalance,
    reordering,
    ring_loads,
    rss_input,
    weighted_table,
)
from netlab.stack.steering.txring import aligned, by_core, by_hash
from netlab.wire import ethernet, ipv4, udp
from netlab.wire.address import parse_ipv4 as ip
from netlab.wire.flow import FiveTuple

PUBLISHED = [
    ("66.9.149.187", 2794, "161.142.100.80", 1766, 0x323E8FC2, 0x51CCC178),
    ("199.92.111.2", 14230, "65.69.140.83", 4739, 0xD718262A, 0xC626B0EA),
    ("24.19.198.95", 12898, "12.22.207.184", 38024, 0xD2D0A5DE, 0x5C2B394A),
    ("38.27.205.30", 48228, "209.142.163.6", 2217, 0x82989176, 0xAFC7327F),
    ("153.39.163.191", 44251, "202.188.127.2", 1303, 0x5D1809C5, 0x10E828A2),
    ("3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766, 0x2CC18CD5, 0x40207D3D),
    ("3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739, 0x0F0C461C, 0xDDE51BBF),
    ("3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024, 0x4B61E985, 0x02D1FEEF),
]
"""Microsoft, "Verifying the RSS hash calculation": source, destination, hash of addresses, hash with ports."""


def frame(src: str, dst: str, sport: int = 1000, dport: int = 9, *, fragment: int = 0) -> bytes:
    packet = ipv4.build(ip(src), ip(dst), ipv4.UDP, udp.build(sport, dport, b"hello", ip(src), ip(dst)))
    if fragment:
        packet = packet[:6] + fragment.to_bytes(2, "big") + packet[8:]
    return ethernet.build(bytes(6), bytes(6), ethernet.IPV4, packet)


@pytest.mark.parametrize(("src", "sport", "dst", "dport", "addresses", "ports"), PUBLISHED)
def test_the_hash_is_the_published_one(src: str, sport: int, dst: str, dport: int, addresses: int, ports: int) -> None:
    said = ip_address(src).packed + ip_address(dst).packed
    toeplitz = Toeplitz()
    assert toeplitz(said) == addresses
    assert toeplitz(said + sport.to_bytes(2, "big") + dport.to_bytes(2, "big")) == ports


def test_the_hash_of_a_frame_takes_ports_only_from_whole_packets() -> None:
    src, sport, dst, dport, addresses, ports = PUBLISHED[0]
    toeplitz = Toeplitz()
    assert toeplitz(rss_input(frame(src, dst, sport, dport))) == ports
    for fragment in (0x2000, 0x0010):
        assert toeplitz(rss_input(frame(src, dst, sport, dport, fragment=fragment))) == addresses
    assert toeplitz(rss_input(ethernet.build(bytes(6), bytes(6), 0x88B5, b"x"))) == 0


@given(st.binary(min_size=36, max_size=36), st.binary(min_size=36, max_size=36))
def test_the_hash_is_linear(a: bytes, b: bytes) -> None:
    toeplitz = Toeplitz()
    both = bytes(x ^ y for x, y in zip(a, b, strict=True))
    assert toeplitz(both) == toeplitz(a) ^ toeplitz(b)


def test_the_symmetric_key_sends_both_directions_to_one_ring() -> None:
    there, back = frame("10.0.0.1", "10.0.0.2", 7, 9), frame("10.0.0.2", "10.0.0.1", 9, 7)
    assert Toeplitz(SYMMETRIC_KEY)(rss_input(there)) == Toeplitz(SYMMETRIC_KEY)(rss_input(back))
    assert Toeplitz()(rss_input(there)) != Toeplitz()(rss_input(back))
    with pytest.raises(ValueError, match="40 bytes"):
        Toeplitz(b"short")


def test_many_flows_spread_evenly_and_a_flow_stays_on_its_ring() -> None:
    steering, random = Steering(8), Random(1)
    for _ in range(400):
        source = f"10.0.{random.randrange(256)}.{random.randrange(1, 255)}"
        flow = frame(source, "10.9.9.9", random.randrange(1024, 65536))
        assert len({steering.ring(flow) for _ in range(5)}) == 1
    expected = 2000 / 8
    chi_square = sum((count - expected) ** 2 / expected for count in steering.by_ring) / 5
    assert chi_square < 24.3, "7 degrees of freedom, 0.1 %"


def test_one_elephant_is_one_ring() -> None:
    steering = Steering(4)
    for _ in range(1000):
        steering.ring(frame("10.0.0.1", "10.0.0.2"))
    assert sorted(steering.by_ring) == [0, 0, 0, 1000]


def test_a_few_moves_make_the_table_even() -> None:
    random = Random(2)
    table, loads = default_table(4), [random.randrange(50, 150) for _ in range(128)]
    loads[0:128:4] = [load * 3 for load in loads[0:128:4]]
    before = ring_loads(table, loads, 4)
    new = rebalance(table, loads, 4)
    after = ring_loads(new.table, loads, 4)
    assert max(before) > 1.5 * sum(loads) / 4 and max(after) <= 1.1 * sum(loads) / 4
    assert len(new.moved) <= 24 and sum(after) == sum(before)
    assert [e for e in range(128) if new.table[e] != table[e]] == sorted(new.moved)


def test_balance_that_cannot_be_is_left_alone() -> None:
    elephant = [1000] + [0] * 127
    assert rebalance(default_table(4), elephant, 4).moved == ()
    assert rebalance(default_table(4), [0] * 128, 4).moved == ()


@given(st.lists(st.integers(0, 1000), min_size=32, max_size=32), st.integers(1, 8))
def test_rebalancing_never_makes_it_worse_and_comes_to_an_end(loads: list[int], rings: int) -> None:
    table = default_table(rings, 32)
    new = rebalance(table, loads, rings)
    assert max(ring_loads(new.table, loads, rings)) <= max(ring_loads(table, loads, rings))


def test_weights_lay_the_table() -> None:
    assert Counter(weighted_table([1, 0, 3])) == {0: 32, 2: 96}


def test_a_table_that_cannot_be_is_refused() -> None:
    steering = Steering(2)
    with pytest.raises(ValueError, match="power of two"):
        steering.set_table([0, 1, 0])
    with pytest.raises(ValueError, match="not one of 0 to 1"):
        steering.set_table([0, 2])
    with pytest.raises(ValueError, match="ring 5"):
        steering.direct(Filter(5))


def test_a_filter_goes_before_the_hash_and_the_lowest_priority_first() -> None:
    steering = Steering(8)
    web = steering.direct(Filter(7, 10, proto=ipv4.UDP, dst_port=80))
    steering.direct(Filter(6, 5, src=ip("10.0.0.66")))
    assert steering.ring(frame("10.0.0.1", "10.0.0.2", dport=80)) == 7
    assert steering.ring(frame("10.0.0.66", "10.0.0.2", dport=80)) == 6, "priority 5 goes before 10"
    assert "Filter 1: src 10.0.0.66, ring 6, priority 5" in steering.text("eth0")
    by_hash = Steering(8).ring(frame("10.0.0.1", "10.0.0.2", dport=80))
    steering.filters.remove(web)
    assert steering.ring(frame("10.0.0.1", "10.0.0.2", dport=80)) == by_hash
    assert steering.by_filter == 2


FLOWS = st.builds(FiveTuple, *[st.integers(0, 2)] * 5)
FILTERS = st.builds(Filter, st.integers(0, 7), st.integers(0, 3), *[st.none() | st.integers(0, 2)] * 5)


@given(st.lists(FILTERS, max_size=12), st.data())
def test_filters_agree_with_trying_them_one_by_one(filters: list[Filter], data: st.DataObject) -> None:
    table = FilterTable()
    numbers = [table.add(each) for each in filters]
    kept = dict(zip(numbers, filters, strict=True))
    for number in data.draw(st.lists(st.sampled_from(numbers), unique=True)) if numbers else []:
        table.remove(number)
        del kept[number]
    for flow in data.draw(st.lists(FLOWS, max_size=10)):
        fits = [
            (each.priority, number, each.ring)
            for number, each in kept.items()
            if all(want is None or want == got for want, got in zip(each.wanted, flow, strict=True))
        ]
        assert table.ring(flow) == (min(fits)[2] if fits else None)


def test_spraying_is_even_and_out_of_order() -> None:
    steering = Steering(4)
    steering.spray = Spray(4)
    rings = [steering.ring(frame("10.0.0.1", "10.0.0.2")) for _ in range(400)]
    assert steering.by_ring == [100] * 4
    slow = sorted(range(400), key=lambda n: (n // 4 + (6 if rings[n] == 0 else 0), n))  # ring 0 is six rounds behind
    seen = reordering(slow)
    assert seen.late == 100 and seen.extent >= 18 and seen.false_losses == 100
    assert reordering(range(400)) == (400, 0, 0, 0)


def test_reordering_counts_what_is_late_and_by_how_much() -> None:
    assert reordering([0, 2, 3, 1, 4]) == (5, 1, 2, 0), "packet 1 is late by two places"
    assert reordering([1, 2, 3, 0]) == (4, 1, 3, 1), "three overtook it: a false loss"
    assert reordering([2, 1, 0]).late == 2


def test_a_reorder_buffer_hands_on_in_order_and_gives_up_at_its_limit() -> None:
    buffer: ReorderBuffer[str] = ReorderBuffer(limit=2)
    assert buffer.put(0, "a") == ["a"]
    assert buffer.put(2, "c") == []
    assert buffer.put(1, "b") == ["b", "c"]
    assert [buffer.put(n, str(n)) for n in (5, 4, 6)] == [[], [], ["4", "5", "6"]], "3 never came"
    assert buffer.put(3, "late") == ["late"]


def test_transmit_rings_fit_receive_rings_where_they_divide_the_table() -> None:
    """What makes a forwarder's curve over the number of queues a saw."""
    assert [n for n in range(1, 25) if aligned(n) == 1.0] == [1, 2, 4, 8, 16]
    assert [round(aligned(n), 2) for n in (3, 6, 12, 24)] == [0.33] * 4
    assert [round(aligned(n), 2) for n in (5, 10, 20)] == [0.2] * 3
    assert max(aligned(n) for n in (7, 9, 11, 13, 14, 15)) < 0.15
    assert (by_hash(10, 4), by_core(5, 4)) == (2, 1)
