"""One direction of a cable: serialisation at a rate, propagation delay, loss.

What waits for the wire waits in its sender's queue, so a link holds only what is on it.
"""

from __future__ import annotations

from netlab.sim.rng import Stream

FRAME_OVERHEAD = 24
"""Bytes a frame occupies beside its own: preamble and start 8, frame check sequence 4, gap 12 (IEEE 802.3)."""


class LinkDirection:
    """``rate`` in bit/s, ``delay`` in ns, ``loss`` a probability for each frame on its own."""

    __slots__ = ("delay", "loss", "rate", "stream")

    def __init__(self, rate: int, delay: int, loss: float, stream: Stream) -> None:
        self.rate, self.delay, self.loss, self.stream = rate, delay, loss, stream

    def serialisation(self, length: int) -> int:
        """ns from the first bit of a frame of ``length`` bytes (no FCS) to when the next may start."""
        return -(-(max(length, 60) + FRAME_OVERHEAD) * 8 * 1_000_000_000 // self.rate)

    def loses(self) -> bool:
        """Whether the next frame is lost on the way."""
        return self.loss > 0.0 and self.stream.chance(self.loss)
