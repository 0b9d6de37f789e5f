"""Which subflow carries the next piece of the stream. A function of the subflows that have room for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netlab.stack.mptcp.subflow import Subflow

Scheduler = Callable[["Sequence[Subflow]"], "Subflow"]
"""Subflows with room in their congestion window, at least one -> one of them."""


def expected_rtt(s: Subflow) -> int:
    """The round trip that a segment may expect which leaves now, in ns.

    What was measured grows old while a subflow is not used: its queue has drained since. So the time counts that its
    path needs by itself, and the time that what is in flight needs to drain at the rate of cwnd a round trip.
    """
    c = s.c
    return c.rto.minimum_rtt + c.in_flight * c.rto.srtt // c.control.cwnd


def minrtt(ready: Sequence[Subflow]) -> Subflow:
    """The shortest round trip: what Linux's first scheduler did."""
    return min(ready, key=expected_rtt)


def smoothed(ready: Sequence[Subflow]) -> Subflow:
    """The shortest round trip as measured last, however long ago: it leaves a path alone that was slow once."""
    return min(ready, key=lambda s: s.c.rto.srtt)


def round_robin(ready: Sequence[Subflow]) -> Subflow:
    """The one that has waited longest: as many pieces for each while the windows have room."""
    return min(ready, key=lambda s: s.served)


SCHEDULERS: dict[str, Scheduler] = {"minrtt": minrtt, "smoothed": smoothed, "round robin": round_robin}
