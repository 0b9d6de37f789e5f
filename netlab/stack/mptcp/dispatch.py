"""Which bytes go by which subflow: new ones, and those that another did not deliver (RFC 8684 §3.3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.mptcp import blocked
from netlab.stack.tcp import output

if TYPE_CHECKING:
    from netlab.stack.mptcp.connection import Mptcp
    from netlab.stack.mptcp.subflow import Subflow

LONGEST = 0xFFFF
"""Bytes in a mapping (§3.3.1)."""


def go_on(m: Mptcp) -> None:
    """Give subflows what their windows have room for."""
    for s in m.subflows:
        if s.stuck and not s.c.retries:
            s.stuck = False
        elif s.stuck:
            rescue(m, s)
    candidates = usable(m)
    while candidates and (piece := _next(m)) is not None:
        if not _place(m, candidates, *piece):
            break
    _probe(m, candidates)
    if m.settings.opportunistic:
        blocked.help_out(m, candidates)
    _say_fin(m, candidates)


def usable(m: Mptcp) -> list[Subflow]:
    """Subflows that new data may go by: backups only while there is nothing else (§3.3.8)."""
    found = [s for s in m.subflows if s.usable]
    return [s for s in found if not s.backup] or found


def rescue(m: Mptcp, s: Subflow) -> None:
    """What ``s`` has not delivered is to be carried by others: once it is gone in any case, before only if there are
    any."""
    una = m.sending.una
    if not s.gone and not any(other.usable for other in m.subflows if other is not s):
        return
    for mapping in s.outgoing.all:
        if not mapping.again and mapping.data_end > una:
            mapping.again = True
            m.sending.repeat(mapping.dsn, mapping.data_end)


def _next(m: Mptcp) -> tuple[int, int, bool] | None:
    """(first number, how many, whether they were sent before) of what is to go next."""
    sending = m.sending
    if sending.again:
        start, end = sending.again[0]
        return start, end - start, True
    size = min(sending.end, _edge(m)) - sending.nxt
    return (sending.nxt, size, False) if size > 0 else None


def _edge(m: Mptcp) -> int:
    """One behind what may be sent. Over several subflows a part of the window is left free.

    A peer may count buffers where it offers bytes: filled to the brim by what came early, Linux 6.18 does not take what
    is missing from the subflow that brings it, and the stream stands still.
    """
    sending = m.sending
    if len(m.subflows) == 1:
        return sending.edge
    return sending.una + (sending.edge - sending.una) * m.settings.fill // 100


def _probe(m: Mptcp, candidates: list[Subflow]) -> None:
    """The peer's window is closed: a subflow that holds a byte asks again and again (RFC 9293 §3.8.6.1)."""
    sending = m.sending
    if sending.end > sending.nxt == sending.una and candidates and not any(s.c.queue for s in m.subflows):
        m.give(min(candidates, key=lambda s: s.c.rto.srtt), sending.nxt, 1)


def _place(m: Mptcp, candidates: list[Subflow], start: int, size: int, again: bool) -> bool:
    """Give the beginning of a piece to a subflow; False when none has room, or a small piece had better wait."""
    ready = []
    for s in candidates:
        if s.space >= min(_enough(s), size) or s.narrow:
            ready.append(s)
        else:
            s.c.limited = True
    if not ready:
        return False
    s = m.schedule(ready)
    room = output.segment_room(s.c)
    if size < room and not again and _waits(m, size):
        return False
    longest = max(min(_longest(s), LONGEST, s.space) // room * room, room)
    size = min(size, longest, max(s.space, 1))
    m.give(s, start, size, again=again)
    return True


def _longest(s: Subflow) -> int:
    return s.c.knobs.longest_segment if s.c.longest is None else s.c.longest()


def _enough(s: Subflow) -> int:
    """Room worth giving something for: a segment; a part of the window where long segments are to be cut later, or
    each acknowledgement would lead to a short one."""
    c, room = s.c, output.segment_room(s.c)
    if not c.board.segments:
        return room
    return max(min(_longest(s), c.control.cwnd // 4) // room * room, room)


def _waits(m: Mptcp, size: int) -> bool:
    """Nagle's rule, for the stream as a whole (RFC 9293 §3.7.4): small pieces wait while anything is unacknowledged."""
    sending = m.sending
    if sending.nxt == sending.una:
        return False
    everything = sending.nxt + size == sending.end
    return not (everything and (m.nodelay or sending.fin_queued))


def _say_fin(m: Mptcp, candidates: list[Subflow]) -> None:
    """Everything was given away and the owner has no more: DATA_FIN (§3.3.3)."""
    sending = m.sending
    if sending.fin_queued and not sending.fin_sent and sending.nxt == sending.end and candidates:
        sending.fin_sent = True
        m.nudge(min(candidates, key=lambda s: s.c.rto.srtt))
