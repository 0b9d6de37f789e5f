"""NewReno (RFC 5681, RFC 6582): one segment more each round trip, half of what is in flight after a loss."""

from __future__ import annotations

from netlab.stack.tcp.congestion.control import Control


class NewReno(Control):
    """Additive increase, multiplicative decrease."""

    name = "newreno"

    def __init__(self, mss: int, initial: int) -> None:
        super().__init__(mss, initial)
        self._credit = 0

    def avoid(self, octets: int, rtt: int, now: int) -> None:
        """One MSS for each window that was acknowledged (RFC 5681 §3.1, counting bytes as RFC 3465 does)."""
        self._credit += octets
        if self._credit >= self.cwnd:
            self._credit -= self.cwnd
            self.cwnd += self.mss
