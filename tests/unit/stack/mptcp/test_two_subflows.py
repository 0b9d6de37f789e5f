"""One stream over two cables."""

from __future__ import annotations

from twopaths import Transfer, pattern


def test_two_equal_paths_give_nearly_twice_what_one_gives() -> None:
    data = pattern(3_000_000)
    network = "two_paths,10 Mbit/s,10 Mbit/s,5 ms,5 ms"
    alone = Transfer(network, data, addresses=False).run()
    both = Transfer(network, data).run()
    assert alone.whole and both.whole
    assert both.rate > 1.8 * alone.rate
