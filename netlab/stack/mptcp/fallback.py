"""Back to plain TCP: when the peer does not speak MPTCP, or somebody on the way took it out (RFC 8684 §3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.mptcp.mapping import Mapping
from netlab.stack.tcp.congestion import CONTROLS
from netlab.wire.mptcp import MIDDLEBOX, MPTCP_ERROR, Fail

if TYPE_CHECKING:
    from netlab.stack.mptcp.connection import Mptcp
    from netlab.stack.mptcp.subflow import Subflow
    from netlab.stack.tcp.segment import Event


def fall_back(m: Mptcp, s: Subflow) -> None:
    """The first subflow is all there is, and its bytes are the stream."""
    if m.plain is not None:
        return
    m.plain, s.confirmed = s.c, True
    s.c.carrier = None
    s.c.nodelay = m.nodelay
    del m.sending.queue[: m.sending.nxt - m.sending.una]
    m.sending.una = m.sending.nxt = 0
    m.timers.clear()
    if m.settings.coupled and not s.c.board.segments:
        s.c.control = CONTROLS[m.knobs.congestion](s.c.send_mss, m.knobs.initial_window)


def waiting(m: Mptcp) -> int:
    """Bytes that were written before and that plain TCP had no room for yet."""
    return len(m.sending.queue)


def say_failure(m: Mptcp, s: Subflow) -> None:
    """MP_FAIL leaves; what follows it is the stream as it comes."""
    m.failing = None
    m.nudge(s)
    fall_back(m, s)
    m.tell("readable")


def go_on(m: Mptcp) -> None:
    """Hand on what is queued, and the end."""
    c, queue = m.plain, m.sending.queue
    assert c is not None
    if queue and c.room:
        del queue[: c.write(bytes(queue))]
        m.do_plain_push()
    if m.sending.fin_queued and not queue and not c.fin_queued:
        m.do(m.subflows[0], c.close(m.now) if m.orphan else c.shutdown(m.now))
    elif m.orphan and not c.orphan and not queue:
        m.do(m.subflows[0], c.close(m.now))


def event(m: Mptcp, s: Subflow, event: Event) -> None:
    """Plain TCP's events are the connection's."""
    if event.what == "connected":
        m.connected = True
    if event.what in ("closed", "reset", "refused", "timed out"):
        m.closed = True
        m.error = m.error or event.error
        m.timers.clear()
    m.out.append(event)


def unmapped(m: Mptcp, s: Subflow) -> None:
    """Bytes without a mapping: at the beginning somebody took it out, later it is an error (§3.7)."""
    if m.alone and s.taken == s.c.irs + 1:
        fall_back(m, s)
    else:
        s.refuse(MIDDLEBOX)


def infinite(m: Mptcp, s: Subflow) -> None:
    """A mapping of length 0: the peer sends without mappings from here on."""
    if m.alone:
        fall_back(m, s)
    else:
        s.refuse(MPTCP_ERROR)


def checksum_wrong(m: Mptcp, s: Subflow, mapping: Mapping) -> None:
    """With other subflows this one is reset, and the data come by another; alone it goes on as plain TCP."""
    said = Fail(mapping.dsn % (1 << 64)).pack()
    if not m.alone:
        s.words.append(said)
        s.refuse(MIDDLEBOX)
    elif m.failing is None:
        m.failing = s
        s.said.append(said)


def failed(m: Mptcp, s: Subflow, dsn: int) -> None:
    """The peer found a wrong checksum: without other subflows, plain TCP."""
    if m.alone:
        fall_back(m, s)
