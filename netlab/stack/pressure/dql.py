"""The dynamic queue limit: how many bytes a driver's ring should hold so that the wire never waits for the interrupt.

The driver says what it queued and, at each interrupt, what was completed. The limit grows when the device ran dry
although more would have been there, and shrinks by what was left over in every interval of the hold time. (The
algorithm under Linux's byte queue limits; Herbert, 2011, as lib/dynamic_queue_limits describes it.)
"""

from __future__ import annotations

from netlab.units import SEC

HOLD_TIME = 1 * SEC
LARGEST = (1 << 30) - 1


class DynamicQueueLimit:
    """Counts bytes (any unit would do). Times are ns, handed in."""

    __slots__ = (
        "_before_last",
        "_hold",
        "_last",
        "_lowest_slack",
        "_over",
        "_queued_before",
        "_slack_since",
        "_until",
        "limit",
        "maximum",
        "minimum",
        "num_completed",
        "num_queued",
    )

    def __init__(self, *, minimum: int = 0, maximum: int = LARGEST, hold_time: int = HOLD_TIME, now: int = 0) -> None:
        self.minimum, self.maximum = minimum, maximum
        self.limit = minimum
        self.num_queued = self.num_completed = 0
        """Since the start; they never fall."""
        self._until = minimum
        """Up to which count of queued bytes more may be queued: what was completed, and the limit."""
        self._last = self._before_last = 0
        """The size of what was queued last; and that, as of the last completion."""
        self._over = 0
        """By how much the queue stood above the limit at the last completion."""
        self._queued_before = 0
        """`num_queued` at the last completion."""
        self._hold, self._slack_since = hold_time, now
        self._lowest_slack: int | None = None

    @property
    def available(self) -> int:
        """More may be queued while this is not negative: the last may pass the limit, so that no size is stuck."""
        return self._until - self.num_queued

    @property
    def in_progress(self) -> int:
        """What the device holds."""
        return self.num_queued - self.num_completed

    def queued(self, count: int) -> None:
        """So much was handed to the device."""
        self.num_queued += count
        self._last = count

    def completed(self, count: int, now: int) -> None:
        """So much was found done, in one interrupt. ValueError for more than was ever queued."""
        if count > self.in_progress:
            raise ValueError(f"{count} completed, and only {self.in_progress} queued")
        done = self.num_completed + count
        over = max(self.in_progress - self.limit, 0)
        limit = self._adapted(done, over, now)
        limit = min(max(limit, self.minimum), self.maximum)
        if limit != self.limit:
            self.limit, over = limit, 0
        self._until = limit + done
        self._over, self._before_last = over, self._last
        self.num_completed, self._queued_before = done, self.num_queued

    def _adapted(self, done: int, over: int, now: int) -> int:
        """The new limit, within no bounds yet."""
        left = self.num_queued - done
        left_before = self._queued_before - self.num_completed
        all_old_done = done >= self._queued_before
        if (over and not left) or (self._over and all_old_done):
            # The device ran dry while the limit held something back: what it did beyond the old stock was missing.
            self._begin_slack(now)
            return self.limit + max(done - self._queued_before, 0) + self._over
        if left and left_before and not all_old_done:
            # It was busy all the time: what it did not need in the interval is slack.
            slack = max(self.limit + self._over - 2 * (done - self.num_completed), 0)
            slack = max(slack, max(self._before_last - self._over, 0))
            if self._lowest_slack is None or slack < self._lowest_slack:
                self._lowest_slack = slack
            if now > self._slack_since + self._hold:
                lower = max(self.limit - self._lowest_slack, 0)
                self._begin_slack(now)
                return lower
        return self.limit

    def _begin_slack(self, now: int) -> None:
        self._slack_since, self._lowest_slack = now, None
