"""Whatever the routes are, and while they come and go, every structure gives the answer of the plain list."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.stack.fib import FIBS, Fib, LinearFib, RadixFib, RangesFib, Route, mask

TOP = (1 << 32) - 1


@st.composite
def prefixes(draw: st.DrawFn) -> tuple[int, int]:
    """Mostly near each other, so that they nest, touch and replace one another."""
    length = draw(st.sampled_from([0, 1, 8, 12, 19, 20, 21, 23, 24, 25, 30, 31, 32]) | st.integers(0, 32))
    address = draw(st.sampled_from([0, TOP, 0x0A000000, 0x0A0000FF, 0x0A000100, 0x0A000FFF]) | st.integers(0, TOP))
    return address & mask(length), length


TABLES = st.dictionaries(prefixes(), st.integers(0, 5), max_size=25)


def routes(table: dict[tuple[int, int], int]) -> tuple[Route, ...]:
    return tuple(Route(prefix, length, hop, f"eth{hop}") for (prefix, length), hop in table.items())


def edges(held: tuple[Route, ...]) -> list[int]:
    """The first and last address of every prefix, and their neighbours outside."""
    found = {0, TOP}
    for prefix, length, *_ in held:
        first, last = prefix, prefix | ~mask(length) & TOP
        found |= {first, last, max(0, first - 1), min(TOP, last + 1)}
    return sorted(found)


def agrees(fib: Fib, oracle: LinearFib, addresses: list[int]) -> None:
    for address in addresses:
        assert fib.lookup(address) == oracle.lookup(address), f"{address:#010x}"


OTHERS = [name for name in FIBS if name != "linear"]
SOME = settings(max_examples=60, deadline=None)  # DIR-24-8 makes 64 MiB for each example


@pytest.mark.parametrize("name", OTHERS)
@given(table=TABLES, addresses=st.lists(st.integers(0, TOP), max_size=30))
@SOME
def test_every_edge_and_any_address_has_the_oracle_s_answer(
    name: str, table: dict[tuple[int, int], int], addresses: list[int]
) -> None:
    held = routes(table)
    fib, oracle = FIBS[name](held), LinearFib(held)
    agrees(fib, oracle, [*edges(held), *addresses])
    assert fib.routes == oracle.routes


@pytest.mark.parametrize("name", OTHERS)
@given(table=TABLES, changes=st.lists(st.tuples(prefixes(), st.integers(0, 5)), max_size=12), data=st.data())
@SOME
def test_it_stays_so_while_routes_come_and_go(
    name: str, table: dict[tuple[int, int], int], changes: list[tuple[tuple[int, int], int]], data: st.DataObject
) -> None:
    fib, oracle = FIBS[name](routes(table)), LinearFib(routes(table))
    present = dict(table)
    probes = edges(routes({**table, **dict(changes)}))
    for prefix, hop in changes:
        if present and data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(sorted(present)))
            del present[gone]
            fib.remove(*gone)
            oracle.remove(*gone)
        present[prefix] = hop
        [route] = routes({prefix: hop})
        fib.add(route)
        oracle.add(route)
        agrees(fib, oracle, probes)
    for gone in list(present):
        fib.remove(*gone)
    assert fib.routes == () and all(fib.lookup(address) is None for address in probes)


@given(table=TABLES)
def test_ranges_are_in_order_and_no_border_is_there_for_nothing(table: dict[tuple[int, int], int]) -> None:
    fib = RangesFib(routes(table))
    cut = fib.ranges
    assert cut[0].start == 0 and len(cut) <= 2 * len(table) + 1
    assert all(a.start < b.start and a.route != b.route for a, b in pairwise(cut))
    for found, after in zip(cut, [*(r.start for r in cut[1:]), TOP + 1], strict=True):
        assert fib.lookup(found.start) == fib.lookup(after - 1) == found.route


@given(table=TABLES, data=st.data())
def test_ranges_that_were_spliced_are_those_that_are_cut_afresh(
    table: dict[tuple[int, int], int], data: st.DataObject
) -> None:
    fib = RangesFib()
    for route in data.draw(st.permutations(routes(table))):
        fib.add(route)
    assert fib.ranges == RangesFib(routes(table)).ranges


@given(table=TABLES)
def test_a_trie_has_no_node_without_a_purpose(table: dict[tuple[int, int], int]) -> None:
    fib = RadixFib(routes(table))
    nodes = fib.octets // 32
    assert nodes <= max(0, 2 * len(table) - 1)
    for prefix, length in table:
        fib.remove(prefix, length)
    assert fib.octets == 0


@pytest.mark.parametrize("name", FIBS)
def test_a_large_table_and_a_thousand_changes(name: str) -> None:
    random = Random(f"large {name}")
    lengths = [*range(8, 33), 24, 24, 24, 24]

    def prefix() -> tuple[int, int]:
        length = random.choice(lengths)
        return random.getrandbits(32) & mask(length), length

    present = {prefix(): n % 9 for n in range(3000)}
    fib, radix = FIBS[name](routes(present)), RadixFib(routes(present))
    for _ in range(1000 if name != "linear" else 50):
        if random.random() < 0.5:
            gone = random.choice(list(present))
            del present[gone]
            fib.remove(*gone)
            radix.remove(*gone)
        key = prefix()
        present[key] = 1
        [route] = routes({key: 1})
        fib.add(route)
        radix.add(route)
    probes = [random.getrandbits(32) for _ in range(2000)] + edges(routes(present))[::10]
    assert all(fib.lookup(address) == radix.lookup(address) for address in probes)
