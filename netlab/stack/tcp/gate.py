"""The gate between output and what lies below TCP, and how a segment is taken back that was refused there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from netlab.stack.pressure.account import Charge
    from netlab.stack.tcp.connection import Connection
    from netlab.stack.tcp.segment import Segment


class Gate(Protocol):
    """What output asks before data leave. Whoever says less than was wanted calls `Connection.push` later."""

    @property
    def waiting(self) -> bool:
        """Whether such a call is owed."""

    @property
    def closed(self) -> bool:
        """Whether nothing more may be written meanwhile."""

    def ask(self, wanted: int, piece: int) -> int:
        """How many of ``wanted`` bytes may leave, in segments of ``piece``: all, or whole pieces."""

    def charge(self, segment: Segment) -> Charge | None:
        """What the packet with a segment that has left carries; None for one without text."""

    def took(self, size: int, piece: int) -> None:
        """So many have left."""


def unsend(c: Connection, seq: int) -> bool:
    """What begins at ``seq`` never left the host; whether new data, and all behind, are unsent again.

    What was sent for the first time is no more in flight, nor what came behind it; a retransmission is lost again.
    """
    board, before = c.board, c.snd_nxt
    board.split_at(seq)
    if not any(segment.start == seq and segment.times > 1 for segment in board.segments):
        while board.segments and board.segments[-1].start >= seq and board.segments[-1].times == 1:
            last = board.withdraw()
            c.snd_nxt = last.start
            c.prr_out -= len(last) - last.fin
            c.fin_sent = c.fin_sent and not last.fin
    for segment in board.segments:
        if segment.start == seq:
            board.mark_lost(segment)
    if c.snd_max == before:
        c.snd_max = c.snd_nxt
    if not board.segments:
        for name in ("retransmit", "tail", "reorder"):
            c.timers.pop(name, None)
    return c.snd_nxt < before
