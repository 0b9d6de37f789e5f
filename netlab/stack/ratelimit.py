"""How many errors a host may send: RFC 1812 §4.3.2.8 and RFC 4443 §2.4(f) ask for a limit.

Without one, two hosts that cannot make sense of each other's errors answer each other for ever.
"""

from __future__ import annotations

from netlab.units import SEC

ERRORS_A_SECOND = 200
"""FreeBSD net.inet.icmp.icmplim."""
TOO_MANY_ERRORS = f"no more than {ERRORS_A_SECOND} ICMP errors a second are sent"
"""Why one more is dropped."""


class TokenBucket:
    """``rate`` tokens a second, at most ``burst`` saved up. Time is handed in."""

    __slots__ = ("_burst", "_full_at", "_gap")

    def __init__(self, rate: int = ERRORS_A_SECOND, burst: int = ERRORS_A_SECOND) -> None:
        self._gap = SEC // rate
        self._burst = burst * self._gap
        self._full_at = 0
        """When the bucket will be full again: the further ahead, the emptier it is."""

    def take(self, now: int) -> bool:
        """Take a token, if there is one."""
        full_at = max(self._full_at, now) + self._gap
        if full_at - now > self._burst:
            return False
        self._full_at = full_at
        return True
