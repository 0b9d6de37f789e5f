"""What is in flight: every segment that was sent and not yet acknowledged, and what is known of it.

Bytes are counted as Linux counts packets: in flight = outstanding - sacked - lost + retransmitted. For a peer without
SACK, duplicate acknowledgements stand for segments that arrived (RFC 5681 §3.2, RFC 6582).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class Sent:
    """A segment in flight, from ``start`` to ``end`` in sequence space (SYN and FIN count)."""

    __slots__ = ("end", "fin", "lost", "retransmitted", "sacked", "sent", "start", "times")

    def __init__(self, start: int, end: int, sent: int, fin: bool = False) -> None:
        self.start, self.end = start, end
        self.sent = sent
        """When it was sent last."""
        self.times = 1
        """How often it was sent: a round trip is measured on what was sent once (Karn)."""
        self.fin = fin
        self.sacked = self.lost = self.retransmitted = False

    def __len__(self) -> int:
        return self.end - self.start


class Scoreboard:
    """Segments in order of sequence."""

    __slots__ = ("high_sacked", "lost", "outstanding", "resent", "sacked", "segments")

    def __init__(self) -> None:
        self.segments: deque[Sent] = deque()
        self.outstanding = self.sacked = self.lost = self.resent = 0
        self.high_sacked = 0
        """The highest end that was ever sacked, 0 for none."""

    @property
    def in_flight(self) -> int:
        """Bytes that are thought to be in the network: "pipe" of RFC 6675."""
        return self.outstanding - self.sacked - self.lost + self.resent

    def sent(self, segment: Sent) -> None:
        """A segment with new data left."""
        self.segments.append(segment)
        self.outstanding += len(segment)

    def withdraw(self) -> Sent:
        """The last segment never left: it is no more in flight."""
        segment = self.segments.pop()
        self._count(segment, -1)
        return segment

    def sent_again(self, segment: Sent, now: int) -> None:
        """A segment left once more; it counts as lost and sent again, also where it was only probed with."""
        self.mark_lost(segment)
        segment.retransmitted = True
        self.resent += len(segment)
        segment.sent = now
        segment.times += 1

    def acknowledged(self, ack: int) -> list[Sent]:
        """Everything below ``ack`` arrived; the segments that are thereby done with."""
        done: list[Sent] = []
        segments = self.segments
        while segments and segments[0].end <= ack:
            segment = segments.popleft()
            self._count(segment, -1)
            done.append(segment)
        if segments and segments[0].start < ack:
            self._cut(segments[0], ack)
        return done

    def _count(self, segment: Sent, sign: int) -> None:
        size = sign * len(segment)
        self.outstanding += size
        if segment.sacked:
            self.sacked += size
        elif segment.lost:
            self.lost += size
            if segment.retransmitted:
                self.resent += size

    def _cut(self, segment: Sent, at: int) -> None:
        """The front of a segment is acknowledged."""
        self._count(segment, -1)
        segment.start = at
        self._count(segment, 1)

    def mark_sacked(self, left: int, right: int, *, cut: bool = False) -> list[Sent]:
        """The peer holds ``left`` to ``right``; segments of which it is new.

        ``cut``: segments were cut on their way out, so that the peer may hold a part of one.
        """
        fresh: list[Sent] = []
        if cut:
            self.split_at(left)
            self.split_at(right)
        for segment in self.segments:
            if segment.start >= right:
                break
            if segment.sacked or segment.start < left or segment.end > right:
                continue
            self._count(segment, -1)
            segment.sacked = True
            self._count(segment, 1)
            self.high_sacked = max(self.high_sacked, segment.end)
            fresh.append(segment)
        return fresh

    def split_at(self, at: int) -> None:
        """Have no segment begin before ``at`` and end behind it (but what is sacked)."""
        for segment in self.segments:
            if segment.end > at:
                if segment.start < at and not segment.sacked:
                    self.split(segment, at - segment.start)
                return

    def mark_lost(self, segment: Sent) -> None:
        """Take it for lost; what was sent of it again counts as lost too."""
        if segment.sacked:
            return
        self._count(segment, -1)
        segment.lost, segment.retransmitted = True, False
        self._count(segment, 1)

    def lose_all(self) -> None:
        """A timeout: nothing that is not sacked is in the network any more (RFC 5681 §3.1, RFC 6675 §5.1)."""
        for segment in self.segments:
            self.mark_lost(segment)

    def forget_sacks(self) -> None:
        """The peer may have dropped what it sacked (RFC 2018 §8): after a timeout nothing counts."""
        for segment in self.segments:
            if segment.sacked:
                self._count(segment, -1)
                segment.sacked = False
                self._count(segment, 1)
        self.high_sacked = 0

    def next_lost(self) -> Sent | None:
        """The first segment that is lost and not yet sent again."""
        if self.lost <= self.resent:
            return None
        for segment in self.segments:
            if segment.lost and not segment.retransmitted and not segment.sacked:
                return segment
        return None

    def unsacked(self) -> Iterable[Sent]:
        """Segments of which the peer has said nothing."""
        return (segment for segment in self.segments if not segment.sacked)

    def merge_next(self, segment: Sent, limit: int) -> None:
        """Make one of a lost segment and lost ones behind it, while they fit into ``limit`` bytes."""
        at = self.segments.index(segment) + 1
        while at < len(self.segments):
            other = self.segments[at]
            mergeable = other.lost and not other.retransmitted and not other.sacked and not segment.fin
            if not mergeable or other.end - segment.start - other.fin > limit:
                return
            segment.end, segment.fin = other.end, other.fin
            del self.segments[at]

    def split(self, segment: Sent, size: int) -> None:
        """Cut a lost segment, so that its first part has ``size`` bytes."""
        if len(segment) - segment.fin <= size:
            return
        rest = Sent(segment.start + size, segment.end, segment.sent, segment.fin)
        rest.times = segment.times
        rest.lost, rest.sacked, rest.retransmitted = segment.lost, segment.sacked, segment.retransmitted
        segment.end, segment.fin = rest.start, False
        self.segments.insert(self.segments.index(segment) + 1, rest)
