"""Random streams: named, independent, the same in every process."""

from __future__ import annotations

from collections import Counter

import pytest

from netlab.sim.rng import Stream, Streams


def test_splitmix64_gives_its_published_first_numbers() -> None:
    """The reference generator's output for state 0 (prng.di.unimi.it/splitmix64.c, run once by hand)."""
    stream = Stream(0)
    assert [stream.bits64() for _ in range(3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_a_new_consumer_shifts_nobody_elses_numbers() -> None:
    alone = Streams(7).stream("link", "h1-eth0", "loss")
    before = [alone.random() for _ in range(5)]
    streams = Streams(7)
    streams.stream("link", "h2-eth0", "loss").random()
    shared = streams.stream("link", "h1-eth0", "loss")
    assert [shared.random() for _ in range(5)] == before


def test_seeds_and_names_matter() -> None:
    names = [("a",), ("b",), ("a", "b")]
    numbers = {Streams(seed).stream(*name).bits64() for seed in (1, 2) for name in names}
    assert len(numbers) == 6


def test_below_covers_its_range_evenly() -> None:
    stream = Streams(1).stream("dice")
    counts = Counter(stream.below(6) for _ in range(6000))
    assert set(counts) == set(range(6))
    assert all(800 < n < 1200 for n in counts.values())


def test_between_includes_both_ends_and_below_nothing_is_refused() -> None:
    stream = Streams(1).stream("ends")
    assert {stream.between(3, 5) for _ in range(100)} == {3, 4, 5}
    with pytest.raises(ValueError, match="no such number"):
        stream.below(0)


def test_shuffle_keeps_every_item() -> None:
    items = list(range(50))
    Streams(3).stream("cards").shuffle(items)
    assert items != list(range(50)) and sorted(items) == list(range(50))
