"""DCTCP (RFC 8257): the window is cut by as much as was marked.

Alpha counts 1/1024, g = 1/16. The arithmetic is in integers, as in the kernels, which differ in one thing: FreeBSD's
alpha (sys/netinet/cc/cc_dctcp.c) stops at 15, of which 1/16 is nothing; Linux's (net/ipv4/tcp_dctcp.c) goes to 0.
"""

from __future__ import annotations

from netlab.stack.tcp.congestion.newreno import NewReno

SHIFT = 10
MAX_ALPHA = 1 << SHIFT
"""Alpha = 1: everything was marked."""
G_SHIFT = 4
"""g = 1/16 (RFC 8257 §4.2)."""


def next_alpha(alpha: int, marked: int, total: int) -> int:
    """Alpha after a window in which ``marked`` of ``total`` bytes were marked: α ← α - α/16 + F/16 (§3.3)."""
    alpha -= alpha >> G_SHIFT
    if marked:
        alpha += (marked << (SHIFT - G_SHIFT)) // max(total, 1)
    return min(alpha, MAX_ALPHA)


def next_alpha_linux(alpha: int, marked: int, total: int) -> int:
    """The same as Linux has it: what is less than a sixteenth goes at once."""
    return next_alpha(alpha if alpha >> G_SHIFT else 0, marked, total)


RECURSIONS = {"freebsd": next_alpha, "linux": next_alpha_linux}


class Dctcp(NewReno):
    """Reno that knows how much was marked, not only whether."""

    name = "dctcp"
    wants_ect = True

    def __init__(self, mss: int, initial: int) -> None:
        super().__init__(mss, initial)
        self.alpha = MAX_ALPHA
        """At first as careful as Reno (§4.2: alpha starts at 1)."""
        self._marked = self._total = 0
        self._window_end = -1

    def counted(self, octets: int, echoed: bool, snd_una: int, snd_nxt: int) -> None:
        """Count bytes, marked or not; at the end of a window alpha moves (§3.3)."""
        self._total += octets
        if echoed:
            self._marked += octets
        if snd_una <= self._window_end:
            return
        if self._window_end >= 0:
            self.alpha = RECURSIONS[self.system](self.alpha, self._marked, self._total)
            self._marked = self._total = 0
        self._window_end = snd_nxt

    def marked(self, in_flight: int, now: int) -> None:
        """cwnd ← cwnd (1 - α/2), once a window (§3.3, eqn 9)."""
        self.ssthresh = max(self.cwnd - (self.cwnd * self.alpha >> (SHIFT + 1)), 2 * self.mss)
        self.cwnd = self.ssthresh
