"""What a congestion control is told and what it decides: a window and a threshold, in bytes."""

from __future__ import annotations

UNBOUNDED = 1 << 40
"""The slow start threshold before the first loss (RFC 5681 §3.1: arbitrarily high)."""


class Control:
    """Slow start, and what every control shares. Subclasses say how the window grows and shrinks."""

    name = ""
    wants_ect = False
    """Whether every segment is to be ECN-capable and the peer's marks are to be counted (DCTCP)."""

    system = "freebsd"
    """Whose integers, where two kernels round in two ways (`Knobs.system`)."""

    def __init__(self, mss: int, initial: int) -> None:
        self.mss = mss
        self.initial = initial
        self.cwnd = self.initial_window()
        self.ssthresh = UNBOUNDED

    def initial_window(self) -> int:
        """min(n MSS, max(2 MSS, n 1460)) (RFC 6928)."""
        return min(self.initial * self.mss, max(2 * self.mss, self.initial * 1460))

    def set_mss(self, mss: int) -> None:
        """The path's MSS became known or smaller; before anything was sent the window follows it."""
        untouched = self.cwnd == self.initial_window()
        self.mss = mss
        if untouched:
            self.cwnd = self.initial_window()

    @property
    def slow_start(self) -> bool:
        """Whether the window is below the threshold."""
        return self.cwnd < self.ssthresh

    def acknowledged(self, octets: int, rtt: int, now: int) -> None:
        """New data were acknowledged while the window was in use; ``rtt`` is the smoothed round trip in ns."""
        if self.slow_start:
            # RFC 3465 with L = 2 segments for each acknowledgement (RFC 5681 §3.1).
            self.cwnd += min(octets, 2 * self.mss)
        else:
            self.avoid(octets, rtt, now)

    def avoid(self, octets: int, rtt: int, now: int) -> None:
        """Congestion avoidance: grow by what ``octets`` of acknowledged data allow."""
        raise NotImplementedError

    def threshold(self, in_flight: int, now: int) -> int:
        """The new threshold after a loss or a mark; called once for each window of data."""
        return max(in_flight // 2, 2 * self.mss)

    def congested(self, in_flight: int, now: int) -> None:
        """A loss was found, or the peer echoed a mark (RFC 5681 §3.2, RFC 3168 §6.1.2)."""
        self.ssthresh = self.threshold(in_flight, now)
        self.cwnd = self.ssthresh

    def marked(self, in_flight: int, now: int) -> None:
        """The peer echoed congestion marks in this window (RFC 3168 §6.1.2: as after a loss)."""
        self.congested(in_flight, now)

    def counted(self, octets: int, echoed: bool, snd_una: int, snd_nxt: int) -> None:
        """An acknowledgement came, with or without ECE. Only DCTCP counts them."""

    def timed_out(self, in_flight: int, now: int, *, first: bool) -> None:
        """The retransmission timer ran out: one segment (RFC 5681 §3.1, eqn 4 on the first time only)."""
        if first:
            self.ssthresh = self.threshold(in_flight, now)
        self.cwnd = self.mss

    def idled(self) -> None:
        """Nothing was sent for longer than an RTO: the window restarts (RFC 5681 §4.1)."""
        self.cwnd = min(self.cwnd, self.initial_window())
