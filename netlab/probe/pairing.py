"""Which captured bytes belong to which transmission, where all that both show is interface, length and time.

Best is a capture that also tells the core: then nothing is left to guess. It takes a socket for each core, which a
large network cannot have. Without: the kernel shows a frame to the tap after it was queued and before the driver gets
it, on one core and without a pause, so its time lies between those two, and at a nearly constant distance from each
(0.4 and 0.7 µs here, with a spread of 0.1). Two frames of one length that leave one interface from two cores at once
are told apart by that distance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from netlab.probe.capture import Captured

SLACK = 2_000
"""ns by which a capture's time may be outside its bounds: two clocks are read."""
STALE = 20_000_000
"""ns after which a captured frame that no transmission claimed is given up."""
STRAIGHT = 50_000
"""ns: a frame that is sent this soon after it was queued did not wait in a queue."""
TELLING = 100
"""ns: two candidates that fit equally well to this are not told apart."""
LEARNING = 16
"""One pair in so many moves the expected distances all the way."""


class Pairing:
    """Captured frames by interface, and by core where the capture has ``shares`` sockets, each to be taken once."""

    def __init__(self, interfaces: Iterable[str], shares: int = 1) -> None:
        self._shares = shares
        self._interfaces = frozenset(interfaces)
        self._frames = {(name, share): deque[Captured]() for name in self._interfaces for share in range(shares)}
        self._after_queue, self._before_xmit = 400, 700
        self.ambiguous = 0
        """Frames that fitted two transmissions equally well."""

    def __contains__(self, interface: object) -> bool:
        return interface in self._interfaces

    def feed(self, frames: Iterable[Captured]) -> None:
        """More frames."""
        for frame in sorted(frames, key=_captured_at):
            waiting = self._frames.get((frame.interface, frame.share))
            if waiting is not None:
                waiting.append(frame)

    def take(self, interface: str, cpu: int, length: int, queued: int, sent: int) -> bytes | None:
        """The bytes of the frame of ``length`` that ``cpu`` sent at ``sent``; None when the tap missed it."""
        waiting = self._frames[interface, cpu % self._shares]
        while waiting and waiting[0].t < sent - STALE:
            waiting.popleft()
        found = [
            (self._misfit(frame.t, queued, sent), i)
            for i, frame in _between(waiting, queued - SLACK, sent + SLACK)
            if frame.seen == length
        ]
        if not found:
            return None
        if len(found) > 1:
            found.sort()
            self.ambiguous += found[1][0] - found[0][0] < TELLING
        else:
            self._learn(waiting[found[0][1]].t, queued, sent)
        place = found[0][1]
        frame = waiting[place].frame
        del waiting[place]
        return frame

    def _misfit(self, seen: int, queued: int, sent: int) -> int:
        misfit = abs(sent - seen - self._before_xmit)
        return misfit + abs(seen - queued - self._after_queue) if sent - queued < STRAIGHT else misfit

    def _learn(self, seen: int, queued: int, sent: int) -> None:
        if 0 < sent - queued < STRAIGHT:
            self._before_xmit += (sent - seen - self._before_xmit) // LEARNING
            self._after_queue += (seen - queued - self._after_queue) // LEARNING


def _between(frames: deque[Captured], first: int, last: int) -> Iterable[tuple[int, Captured]]:
    for i, frame in enumerate(frames):
        if frame.t > last:
            return
        if frame.t >= first:
            yield i, frame


def _captured_at(frame: Captured) -> int:
    return frame.t
