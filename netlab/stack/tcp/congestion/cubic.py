"""CUBIC (RFC 9438), in integers: W(t) = C (t - K)^3 + Wmax, with t in ms and windows in bytes."""

from __future__ import annotations

from netlab.stack.tcp.congestion.control import Control
from netlab.units import MS

BETA_PERCENT = 70
"""β = 0.7 (§4.6)."""
C_TENTHS = 4
"""C = 0.4 (§5): segments per second cubed."""


def cube_root(number: int) -> int:
    """The largest int whose cube is at most ``number``."""
    if number <= 0:
        return 0
    guess = 1 << (number.bit_length() + 2) // 3
    while True:
        better = (2 * guess + number // (guess * guess)) // 3
        if better >= guess:
            return guess
        guess = better


class Cubic(Control):
    """Grows along a cubic of the time since the last loss, whatever the round trip; never slower than Reno would."""

    name = "cubic"

    def __init__(self, mss: int, initial: int) -> None:
        super().__init__(mss, initial)
        self._w_max = 0
        self._epoch = -1
        """When congestion avoidance began; -1: it has not."""
        self._k = 0
        """ms until the curve is back at the origin."""
        self._origin = 0
        self._reno = 0
        """What Reno's window would be by now (§4.3)."""
        self._credit = 0

    def avoid(self, octets: int, rtt: int, now: int) -> None:
        """Go towards where the curve will be a round trip from now (§4.2, §4.4, §4.5)."""
        if self._epoch < 0:
            self._begin(now)
        self._follow_reno(octets)
        target = self._curve((now + rtt - self._epoch) // MS)
        target = min(max(target, self.cwnd), self.cwnd * 3 // 2)
        if self._reno > self.cwnd and self._curve((now - self._epoch) // MS) < self._reno:
            self.cwnd = self._reno
            return
        # cwnd grows by (target - cwnd) / cwnd for each acknowledged segment; the fraction is kept.
        self._credit += (target - self.cwnd) * octets
        grown, self._credit = divmod(self._credit, self.cwnd)
        self.cwnd += grown

    def _begin(self, now: int) -> None:
        self._epoch, self._reno, self._credit = now, self.cwnd, 0
        if self.cwnd < self._w_max:
            # K = cube root of (Wmax - cwnd) / C segments, in seconds; here in ms (§4.2).
            self._k = cube_root((self._w_max - self.cwnd) * 10 * 1000**3 // (C_TENTHS * self.mss))
            self._origin = self._w_max
        else:
            self._k, self._origin = 0, self.cwnd

    def _curve(self, t: int) -> int:
        """W(t), t in ms since the epoch."""
        away = t - self._k
        return self._origin + C_TENTHS * self.mss * away**3 // (10 * 1000**3)

    def _follow_reno(self, octets: int) -> None:
        """α = 3 (1 - β) / (1 + β) segments a window, 9/17 for β = 0.7 (§4.3)."""
        alpha_n, alpha_d = (9, 17) if self._reno < self._w_max else (1, 1)
        self._reno += self.mss * octets * alpha_n // (alpha_d * max(self.cwnd, 1))

    def threshold(self, in_flight: int, now: int) -> int:
        """β of the window, with fast convergence (§4.6, §4.7)."""
        window = min(self.cwnd, max(in_flight, 1)) if in_flight else self.cwnd
        shrinking = window < self._w_max
        self._w_max = window * (100 + BETA_PERCENT) // 200 if shrinking else window
        self._epoch = -1
        return max(window * BETA_PERCENT // 100, 2 * self.mss)

    def idled(self) -> None:
        """A new epoch begins after a pause (§4.2: t is measured while data flow)."""
        self._epoch = -1
        super().idled()
