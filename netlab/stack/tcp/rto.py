"""The retransmission timeout (RFC 6298)."""

from __future__ import annotations

from netlab.stack.tcp.knobs import Knobs
from netlab.units import MS

GRANULARITY = 1 * MS
"""G of RFC 6298 §2: the clock of the timers ticks in ms."""


class RtoEstimator:
    """SRTT and RTTVAR in ns, and how often the timer was doubled."""

    __slots__ = ("backoff", "knobs", "minimum_rtt", "srtt", "variance")

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self.srtt = 0
        """0 until the first sample."""
        self.variance = 0
        self.minimum_rtt = 0
        self.backoff = 0

    def sample(self, rtt: int) -> None:
        """A round trip was measured on a segment that was sent once (Karn, RFC 6298 §3)."""
        rtt = max(rtt, 1)
        self.backoff = 0
        if not self.minimum_rtt or rtt < self.minimum_rtt:
            self.minimum_rtt = rtt
        if not self.srtt:
            self.srtt, self.variance = rtt, rtt // 2
        else:
            self.variance += (abs(self.srtt - rtt) - self.variance) // 4
            self.srtt += (rtt - self.srtt) // 8

    @property
    def base(self) -> int:
        """The timeout before doubling (§2.2, §2.3)."""
        knobs = self.knobs
        if not self.srtt:
            return knobs.rto_initial
        if knobs.rto_slop:
            return max(self.srtt + max(GRANULARITY, 4 * self.variance), knobs.rto_minimum)
        # Linux bounds the variance from below, not the sum.
        return self.srtt + max(knobs.rto_minimum, 4 * self.variance)

    @property
    def timeout(self) -> int:
        """What the timer is set to: doubled as often as it ran out (§5.5), within bounds."""
        knobs = self.knobs
        slop = knobs.rto_slop if self.srtt or self.backoff else 0
        return min((self.base << min(self.backoff, 16)) + slop, knobs.rto_maximum)

    def ran_out(self) -> None:
        """The timer ran out (§5.5)."""
        self.backoff += 1
