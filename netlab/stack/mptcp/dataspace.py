"""The data's own sequence space: what is to be sent, and what has come (RFC 8684 §3.3).

Sequence numbers are held without wrapping, as in `netlab.stack.tcp.sequence`; on the wire they have 64 bits or the
lower 32 of them.
"""

from __future__ import annotations

from heapq import heappop, heappush

from netlab.stack.tcp.sequence import unwrap

WRAP64 = 1 << 64
_HALF64 = 1 << 63


def unwrapped(near: int, number: int, *, wide: bool) -> int:
    """The int nearest to ``near`` that ``number`` stands for (§3.3.1: 32 bits are the lower half of 64)."""
    if not wide:
        return unwrap(near, number)
    return near + ((number - near + _HALF64) % WRAP64) - _HALF64


class SendSpace:
    """The stream on its way out, from ``una`` on. ``first`` is the number of its first byte."""

    def __init__(self, first: int) -> None:
        self.una = self.nxt = first
        """Not acknowledged from here on; not given to a subflow from here on."""
        self.edge = first
        """One behind the last byte that the peer takes."""
        self.queue = bytearray()
        self.again: list[tuple[int, int]] = []
        """From, to: what another subflow shall carry too."""
        self.fin_queued = self.fin_sent = False

    @property
    def end(self) -> int:
        """One behind the last byte that was written; the number of DATA_FIN."""
        return self.una + len(self.queue)

    @property
    def fin_acked(self) -> bool:
        """Whether the peer has acknowledged DATA_FIN."""
        return self._finished

    _finished = False

    @property
    def outstanding(self) -> bool:
        """Whether anything was given to a subflow, or a DATA_FIN said, that is not acknowledged."""
        return self.nxt > self.una or (self.fin_sent and not self._finished)

    def slice(self, start: int, size: int) -> bytes:
        """Bytes from ``start`` on."""
        at = start - self.una
        return bytes(self.queue[at : at + size])

    def acknowledged(self, ack: int) -> bool:
        """A data acknowledgement came; whether it is news. One beyond what was sent says nothing."""
        fin = self.fin_sent and ack == self.end + 1 and not self._finished
        if fin:
            self._finished = True
            ack -= 1
        if not self.una < ack <= self.nxt:
            return fin
        del self.queue[: ack - self.una]
        self.una = ack
        self.again = [(max(start, ack), end) for start, end in self.again if end > ack]
        return True

    def repeat(self, start: int, end: int) -> None:
        """Have ``start`` to ``end`` carried once more, as far as it is not acknowledged."""
        start = max(start, self.una)
        if start < end:
            self.again.append((start, end))
            self.again.sort()

    def repeated(self, size: int) -> None:
        """``size`` bytes of the first piece to be repeated were given to a subflow."""
        start, end = self.again[0]
        if start + size >= end:
            self.again.pop(0)
        else:
            self.again[0] = (start + size, end)


class ReceiveSpace:
    """The stream as it comes in: pieces in any order, some of them twice."""

    def __init__(self, buffer: int) -> None:
        self.nxt = 0
        """The number that is expected next: the data acknowledgement."""
        self.buffer = buffer
        self.inbox = bytearray()
        self._early: list[int] = []
        self._pieces: dict[int, bytes] = {}
        self.held = 0
        """Bytes that came before their turn."""
        self.fin_at: int | None = None
        self.ended = False
        """Whether DATA_FIN and everything before it has come."""

    @property
    def window(self) -> int:
        """Bytes from ``nxt`` on for which there is room (§3.3.4: one window for all subflows)."""
        return max(self.buffer - len(self.inbox), 0)

    def add(self, dsn: int, data: bytes) -> bool:
        """Bytes came; whether the stream has grown."""
        if dsn > self.nxt:
            self._keep(dsn, data)
            return False
        fresh = data[self.nxt - dsn :] if dsn < self.nxt else data
        if not fresh:
            return False
        self._append(fresh)
        while self._early and self._early[0] <= self.nxt:
            start = heappop(self._early)
            piece = self._pieces.pop(start)
            self.held -= len(piece)
            if start + len(piece) > self.nxt:
                self._append(piece[self.nxt - start :])
        self.finish()
        return True

    def _append(self, data: bytes) -> None:
        self.inbox += data
        self.nxt += len(data)

    def _keep(self, dsn: int, data: bytes) -> None:
        """Once for each place; what lies far beyond the window was never asked for."""
        if dsn + len(data) > self.nxt + 2 * self.buffer:
            return
        known = self._pieces.get(dsn)
        if known is None:
            heappush(self._early, dsn)
        elif len(known) >= len(data):
            return
        self._pieces[dsn] = data
        self.held += len(data) - len(known or b"")

    def finish(self) -> bool:
        """DATA_FIN is next: it is taken. Whether the stream has ended."""
        if self.fin_at is not None and self.nxt == self.fin_at and not self.ended:
            self.nxt += 1
            self.ended = True
        return self.ended
