"""How a multipath connection ends, and how it outlives its subflows (RFC 8684 §3.3.3, §3.5, §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.mptcp import dispatch
from netlab.stack.tcp.congestion.lia import Lia
from netlab.wire.mptcp import FastClose

if TYPE_CHECKING:
    from netlab.stack.mptcp.connection import Mptcp
    from netlab.stack.mptcp.subflow import Subflow
    from netlab.stack.tcp.segment import Event


def go_on(m: Mptcp) -> None:
    """Both directions have ended: the subflows close too."""
    if m.closed or not m.sending.fin_acked:
        return
    if not m.receiving.ended:
        if m.orphan:
            m.timers.setdefault("linger", m.now + m.settings.linger)
        return
    m.closed = True
    m.timers.clear()
    for s in list(m.subflows):
        # A subflow that hangs would send for minutes what the peer has long had.
        m.do(s, s.c.abort(m.now) if s.stuck or not s.confirmed else s.c.close(m.now))
    m.tell("closed")


def cut(m: Mptcp, error: str) -> None:
    """End it now; the peer hears of it on every subflow (§3.5)."""
    if m.closed:
        return
    m.closed = True
    m.timers.clear()
    for s in list(m.subflows):
        if m.peer_key is not None and m.plain is None:
            s.words.append(FastClose(m.peer_key).pack())
        m.do(s, s.c.abort(m.now))
    m.tell("reset" if error else "closed", error)


def was_cut(m: Mptcp) -> None:
    """The peer cut it: our subflows go too, and say no more than that."""
    m.closed = True
    m.timers.clear()
    for s in list(m.subflows):
        m.do(s, s.c.abort(m.now))
    m.tell("reset", m.cut)


def subflow_ended(m: Mptcp, s: Subflow) -> None:
    """The peer's FIN: this subflow goes, the connection does not (§3.3.3)."""
    if not m.closed and not s.gone:
        leave(m, s)
        m.do(s, s.c.close(m.now))


def leave(m: Mptcp, s: Subflow) -> None:
    """No new data go by it, and what it has not delivered others carry."""
    s.gone = True
    if isinstance(s.c.control, Lia):
        s.c.control.leave()
    dispatch.rescue(m, s)


def subflow_lost(m: Mptcp, s: Subflow, event: Event) -> None:
    """It is no more. The last one takes the connection with it, unless that had come to its end."""
    leave(m, s)
    if s not in m.subflows:
        return
    m.subflows.remove(s)
    m.paths.lost(s)
    if m.subflows or m.closed:
        return
    m.closed = True
    m.timers.clear()
    m.tell(event.what, event.error or "ECONNRESET")
