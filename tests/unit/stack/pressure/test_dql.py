"""The dynamic queue limit against sequences that were worked out by hand."""

from __future__ import annotations

import pytest

from netlab.stack.pressure import DynamicQueueLimit
from netlab.units import SEC


def test_a_device_that_ran_dry_gets_a_higher_limit() -> None:
    """At a limit of 0 one frame may go. When it is done nothing is left, and the limit had held more back."""
    dql = DynamicQueueLimit()
    assert dql.available == 0, "0 is not negative: the first frame goes"
    dql.queued(1500)
    assert dql.available == -1500
    dql.completed(1500, 0)
    # 1500 above the limit, nothing in progress: + (1500 completed - 0 queued before) + 0 above before = 1500.
    assert dql.limit == 1500 and dql.available == 1500
    dql.queued(1500)
    assert dql.available == 0
    dql.queued(1500)
    assert dql.available == -1500, "the last may pass the limit"
    dql.completed(3000, 0)
    # 3000 were in progress, 1500 above the limit, none left: + (4500 - 1500 queued before) + 0 = 4500.
    assert dql.limit == 4500 and dql.available == 4500


def test_what_stood_above_the_limit_counts_when_the_device_runs_dry_one_interrupt_later() -> None:
    dql = DynamicQueueLimit(minimum=1000)
    dql.queued(1000)
    dql.queued(1500)
    dql.completed(1000, 0)
    # 1500 above the limit, but 1500 still in progress: busy. Nothing was queued before the last time: no slack yet.
    assert dql.limit == 1000 and dql.available == -500
    dql.completed(1500, 0)
    # All that was queued then is done, and 1500 had stood above: + (2500 - 2500) + 1500.
    assert dql.limit == 2500 and dql.available == 2500


def test_a_limit_that_is_too_high_sinks_by_its_slack_after_the_hold_time() -> None:
    dql = DynamicQueueLimit(minimum=0)
    for _ in range(2):
        dql.queued(10_000)
        dql.completed(10_000, 0)
    assert dql.limit == 10_000, "one interval grew it; the second did not run dry, for all fitted"
    dql.queued(4000)
    dql.completed(1000, 1)
    for step in range(1, 5):
        dql.queued(1000)
        dql.completed(1000, step * SEC // 4)
    # Each interval was busy, with 2 * 1000 used of 10,000: slack 8,000 (the last object of 1000 is less than that).
    assert dql.limit == 10_000
    dql.queued(1000)
    dql.completed(1000, 1 * SEC + 1)
    assert dql.limit == 2000


def test_bounds_hold() -> None:
    dql = DynamicQueueLimit(minimum=500, maximum=2000)
    assert dql.limit == 500
    dql.queued(9000)
    dql.completed(9000, 0)
    assert dql.limit == 2000


def test_more_completed_than_queued_is_refused() -> None:
    dql = DynamicQueueLimit()
    dql.queued(100)
    with pytest.raises(ValueError, match="200 completed, and only 100 queued"):
        dql.completed(200, 0)


def test_completion_packet_by_packet_settles_at_two_frames() -> None:
    """A device that reports each frame as it leaves never needs more than two: one on the wire, one behind it."""
    dql, waiting = DynamicQueueLimit(), 0
    deepest = 0
    for tick in range(5000):
        while dql.available >= 0:
            dql.queued(1500)
            waiting += 1
        deepest = max(deepest, waiting) if tick > 2000 else 0
        dql.completed(1500, tick * 1_000_000)
        waiting -= 1
    assert dql.limit <= 3000 and deepest <= 3
