"""The deadlines of the connection as a whole; each subflow has its own besides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from netlab.stack.mptcp import closing
from netlab.stack.tcp.state import ESTABLISHED

if TYPE_CHECKING:
    from netlab.stack.mptcp.connection import Mptcp


def run(m: Mptcp) -> None:
    """Do everything whose time has come, the earliest first."""
    while m.timers:
        name = min(m.timers, key=m.timers.__getitem__)
        if m.timers[name] > m.now:
            return
        del m.timers[name]
        HANDLERS[name](m)


def arm(m: Mptcp) -> None:
    """Data that were given away are watched, beside what their subflow does itself (RFC 8684 §3.3.6)."""
    if not m.sending.outstanding or m.closed:
        m.timers.pop("data", None)
    elif "data" not in m.timers:
        slowest = max((s.c.rto.base for s in m.subflows if s.confirmed and not s.gone), default=m.knobs.rto_initial)
        m.timers["data"] = m.now + min(2 * slowest << min(m.retries, 8), m.knobs.rto_maximum)


def _data(m: Mptcp) -> None:
    """Nothing was acknowledged for long: what is missing goes once more, by another way if there is one."""
    m.retries += 1
    sending = m.sending
    if sending.una == sending.nxt:
        for s in m.subflows:
            if s.usable:
                m.nudge(s)
        return
    if not sending.again:
        _repeat_first(m)


def _repeat_first(m: Mptcp) -> None:
    una = m.sending.una
    for s in m.subflows:
        for mapping in s.outgoing.all:
            if mapping.dsn <= una < mapping.data_end:
                others = any(other.usable for other in m.subflows if other is not s)
                if others or s.c.snd_una >= mapping.end:
                    m.sending.repeat(una, mapping.data_end)
                return
    m.sending.repeat(una, m.sending.nxt)


def _join(m: Mptcp) -> None:
    """The third ACK of a join was not acknowledged (§3.2)."""
    waiting = [s for s in m.subflows if not s.confirmed and s.c.state == ESTABLISHED]
    for s in waiting:
        m.nudge(s)
    if waiting:
        m.timers["join"] = m.now + max(s.c.rto.timeout for s in waiting)


def _linger(m: Mptcp) -> None:
    closing.cut(m, "")


def _announce(m: Mptcp) -> None:
    m.paths.announce_again()


HANDLERS: dict[str, Callable[[Mptcp], None]] = {
    "data": _data,
    "join": _join,
    "linger": _linger,
    "announce": _announce,
}
