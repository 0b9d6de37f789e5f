"""LIA: the windows of one connection's subflows grow together, so that they take no more than one TCP (RFC 6356)."""

from __future__ import annotations

from netlab.stack.tcp.congestion.newreno import NewReno

FRACTION = 20
"""Bits behind the point of what is kept between acknowledgements."""
RATIO = 10
"""Bits behind the point of a quotient of round trips."""


class Group:
    """The controls of one connection's subflows."""

    def __init__(self) -> None:
        self.members: list[Lia] = []

    @property
    def window(self) -> int:
        """cwnd_total, in bytes."""
        return sum(member.cwnd for member in self.members)

    def alpha(self) -> tuple[int, int]:
        """RFC 6356 §3: cwnd_total max(cwnd_i / rtt_i²) / (Σ cwnd_i / rtt_i)², as (numerator, denominator)."""
        known = [member for member in self.members if member.rtt]
        if not known:
            return 1, 1
        longest = max(member.rtt for member in known)
        rates = [(member.cwnd, (longest << RATIO) // member.rtt) for member in known]
        best = max(window * weight * weight for window, weight in rates)
        total = sum(window for window, _ in rates)
        return total * best, sum(window * weight for window, weight in rates) ** 2


class Lia(NewReno):
    """Reno whose increase is bounded twice: by the group's, and by what Reno itself would do."""

    name = "lia"

    def __init__(self, mss: int, initial: int, group: Group | None = None) -> None:
        super().__init__(mss, initial)
        self.rtt = 0
        """Smoothed, in ns; 0 until it is known."""
        self.group = group or Group()
        self.group.members.append(self)
        self._share = 0

    def acknowledged(self, octets: int, rtt: int, now: int) -> None:
        """As every control; the round trip is what the group weighs by."""
        self.rtt = rtt
        super().acknowledged(octets, rtt, now)

    def avoid(self, octets: int, rtt: int, now: int) -> None:
        """min(α b MSS / cwnd_total, b MSS / cwnd_i) for b acknowledged bytes (§3)."""
        above, below = self.group.alpha()
        gain = octets * self.mss << FRACTION
        coupled = gain * above // (below * self.group.window)
        self._share += min(coupled, gain // self.cwnd)
        self.cwnd += self._share >> FRACTION
        self._share &= (1 << FRACTION) - 1

    def leave(self) -> None:
        """Its subflow is gone."""
        if self in self.group.members:
            self.group.members.remove(self)
