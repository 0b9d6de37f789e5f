"""The receive window holds a fast subflow back, because a slow one has not delivered what comes first.

Opportunistic retransmission and penalisation (Raiciu et al., "How hard can it be?", NSDI 2012, §4.2): the fast subflow
carries the first missing piece too, and the slow one's window is halved, at most once in a round trip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.mptcp.scheduler import expected_rtt
from netlab.stack.tcp import output

if TYPE_CHECKING:
    from netlab.stack.mptcp.connection import Mptcp
    from netlab.stack.mptcp.mapping import Mapping
    from netlab.stack.mptcp.subflow import Subflow


def help_out(m: Mptcp, candidates: list[Subflow]) -> None:
    """Repeat the first missing piece by a faster subflow that has room, once."""
    if not _blocked(m):
        return
    found = _holder(m)
    if found is None:
        return
    slow, mapping = found
    faster = [s for s in candidates if s is not slow and expected_rtt(s) < expected_rtt(slow) and s.space >= _room(s)]
    if mapping.again or not faster:
        return
    _repeat(m, min(faster, key=expected_rtt), mapping)
    _penalise(m, slow)


def _blocked(m: Mptcp) -> bool:
    """Whether data wait, and the peer's window has no room for a segment of them."""
    sending = m.sending
    return (
        not sending.again
        and sending.una < sending.nxt < sending.end
        and sending.edge - sending.nxt < m.subflows[0].c.send_mss
    )


def _holder(m: Mptcp) -> tuple[Subflow, Mapping] | None:
    """The subflow that has what is to be acknowledged next."""
    una = m.sending.una
    for s in m.subflows:
        first = next((mapping for mapping in s.outgoing.all if mapping.data_end > una), None)
        if first is not None and first.dsn <= una and s.c.snd_una < first.end:
            return s, first
    return None


def _room(s: Subflow) -> int:
    return output.segment_room(s.c)


def _repeat(m: Mptcp, s: Subflow, mapping: Mapping) -> None:
    mapping.again = True
    sending = m.sending
    size = min(mapping.data_end - sending.una, _room(s))
    sending.repeat(sending.una, sending.una + size)
    m.give(s, sending.una, size, again=True)


def _penalise(m: Mptcp, s: Subflow) -> None:
    if m.now - s.penalised < s.c.rto.srtt:
        return
    s.penalised = m.now
    control = s.c.control
    control.cwnd = control.ssthresh = max(control.cwnd // 2, 2 * control.mss)
