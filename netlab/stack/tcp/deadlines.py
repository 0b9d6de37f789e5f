"""What happens when a deadline passes. Each has a name; a connection holds a dict of those that are set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from netlab.stack.tcp import losses, output
from netlab.stack.tcp.scoreboard import Scoreboard
from netlab.stack.tcp.state import CLOSING, FIN_WAIT_2, SYN_RECEIVED, SYN_SENT

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection


def run(c: Connection) -> None:
    """Do everything whose time has come, the earliest first."""
    while c.timers:
        name = min(c.timers, key=c.timers.__getitem__)
        if c.timers[name] > c.now:
            return
        del c.timers[name]
        HANDLERS[name](c)


def _retransmit(c: Connection) -> None:
    """RFC 6298 §5.4 to §5.6."""
    if c.state in (SYN_SENT, SYN_RECEIVED):
        _retransmit_syn(c)
        return
    if not c.board.segments:
        return
    c.retries += 1
    if c.retries > c.knobs.retries or _given_up(c):
        _give_up(c)
        return
    if c.knobs.blackhole_detection:
        _suspect_black_hole(c)
    c.control.timed_out(c.board.outstanding, c.now, first=c.retries == 1)
    c.rto.ran_out()
    c.cwr_due = c.ecn
    if c.carrier is not None:
        c.carrier.stalled(c)
    c.board.lose_all()
    c.recovery, c.recover = "loss", c.snd_max
    c.duplicates = c.tail_probe = 0
    c.force = True
    output.push(c)


def _suspect_black_hole(c: Connection) -> None:
    """Every second timeout tries smaller segments; when that does not help, all was well with the larger ones."""
    knobs = c.knobs
    small, smallest = (
        (knobs.blackhole_mss, knobs.default_mss) if c.version == 4 else (knobs.blackhole_mss_v6, knobs.default_mss_v6)
    )
    if c.retries in (2, 4):
        c.saved_mss = c.saved_mss or c.send_mss
        c.send_mss = small if c.send_mss > small else min(c.send_mss, smallest)
    elif c.retries == 6 and c.saved_mss:
        c.send_mss, c.saved_mss = c.saved_mss, 0
    c.control.set_mss(c.send_mss)


def _given_up(c: Connection) -> bool:
    """TCP_USER_TIMEOUT (RFC 5482)."""
    return bool(c.user_timeout) and c.now - c.board.segments[0].sent >= c.user_timeout


def _give_up(c: Connection) -> None:
    """What ICMP said is the better reason (RFC 1122 §4.2.3.9). BSD tells the peer, in case it is there after all."""
    if c.bsd and (c.state > SYN_RECEIVED or c.simultaneous or c.fast_opened):
        output.send_reset(c)
    c.die("nobody answers", "timed out", c.soft_error or "ETIMEDOUT")


def _retransmit_syn(c: Connection) -> None:
    c.retries += 1
    limit = c.knobs.syn_retries if c.state == SYN_SENT or c.simultaneous else c.knobs.synack_retries
    if c.retries > limit:
        _give_up(c)
        return
    c.rto.ran_out()
    if c.fast_opened:
        c.board = Scoreboard()  # what rode on the SYN ACK follows when that is acknowledged
    output.send_syn(c)


def _delayed_ack(c: Connection) -> None:
    c.ack_now = True
    output.push(c)


def _persist(c: Connection) -> None:
    """RFC 9293 §3.8.6.1: probe a closed window for as long as the peer answers."""
    c.probes += 1
    c.unanswered += 1
    if c.unanswered > c.knobs.retries:
        _give_up(c)
        return
    output.send_probe(c)
    c.timers["persist"] = c.now + output.persist_interval(c)


def _keepalive(c: Connection) -> None:
    """RFC 9293 §3.8.4."""
    if c.bsd and c.state > CLOSING:
        c.timers["keepalive"] = c.now + c.keep_idle
        return
    c.unanswered += 1
    if c.unanswered > c.keep_count:
        if not c.bsd:
            output.send_reset(c)
        _give_up(c)
        return
    output.keepalive_probe(c)
    c.timers["keepalive"] = c.now + c.keep_interval


def _tail(c: Connection) -> None:
    """RFC 8985 §7.3: new data if there are any, else the last segment again; then the ordinary timer."""
    c.tail_probe = c.snd_nxt
    if not output.send_beyond(c) and c.board.segments:
        last = c.board.segments[-1]
        if not last.sacked:
            output.send_again(c, last)
    output.rearm(c)


def _reorder(c: Connection) -> None:
    losses.find_by_time(c)
    if not c.recovery and c.board.lost > c.board.resent:
        losses.enter_recovery(c, 0)
    output.push(c)


def _closed(c: Connection) -> None:
    if c.state == FIN_WAIT_2 and c.bsd and not c.knobs.fast_fin_wait_2 and c.now - c.heard <= c.patience:
        c.timers["fin wait 2"] = c.now + c.keep_interval
        return
    c.step("nobody is left to read" if c.state == FIN_WAIT_2 else "2 MSL have passed")
    c.forget()
    c.tell("closed")


HANDLERS: dict[str, Callable[[Connection], None]] = {
    "retransmit": _retransmit,
    "delayed ack": _delayed_ack,
    "persist": _persist,
    "keepalive": _keepalive,
    "tail": _tail,
    "reorder": _reorder,
    "connect": _give_up,
    "2 MSL": _closed,
    "fin wait 2": _closed,
}
