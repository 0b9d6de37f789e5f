"""Bytes are charged to their connection until they have left the host; a connection at its limit waits for its own."""

from __future__ import annotations

from netlab.stack.pressure.account import Account
from netlab.stack.pressure.rollback import Rollback
from netlab.stack.stage import Hop
from netlab.units import MS

LIMIT = 131072
"""Bytes a connection may have below TCP at most (tcp_limit_output_bytes of Linux when it came)."""


class Accounted(Rollback):
    """TCP small queues (Linux 46d3ceab): below TCP no more than its rate sends in a millisecond, or two segments.

    ``span`` is that millisecond, in ns, and ``limit`` the most in bytes. A refusal is rolled back: the completion of
    what it has in the queue, or the short timer, brings it back.
    """

    def __init__(self, limit: int = LIMIT, span: int = 1 * MS) -> None:
        self.limit, self.span = limit, span
        self._waiting: set[Account] = set()

    def allowance(self, account: Account, piece: int) -> int:
        """Bytes that the connection may have below TCP."""
        connection = account.connection
        srtt = connection.rto.srtt
        if not srtt:
            return self.limit
        # What Linux would pace at: twice the rate in slow start, a fifth above it else.
        tenths = 20 if connection.control.slow_start else 12
        rated = connection.control.cwnd * self.span * tenths // (10 * srtt)
        return max(2 * piece, min(rated, self.limit))

    def may(self, account: Account, wanted: int, piece: int) -> int:
        """What is left of its allowance; all pieces of one segment count at once."""
        free = self.allowance(account, piece) - account.charged
        if free >= min(wanted, piece):
            return free
        self._waiting.add(account)
        return self.boundary.wait(account)

    def released(self, account: Account, now: int) -> list[Hop]:
        """Go on as soon as one more segment fits."""
        if account not in self._waiting:
            return []
        if account.since is None:  # an acknowledgement was quicker
            self._waiting.discard(account)
            return []
        piece = account.connection.send_mss
        if account.charged and self.allowance(account, piece) - account.charged < piece:
            return []
        self._waiting.discard(account)
        return self.wake(account)
