"""The acknowledgement of a segment (RFC 9293 §3.10.7.4, fifth check), and what it says of losses.

RFC 5681 and 6582 (fast retransmit and recovery), 6675 (SACK), 8985 (RACK), 6937 (proportional rate reduction), 3168
(the echo of marks).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.tcp import losses, output
from netlab.stack.tcp.negotiation import remember_window
from netlab.stack.tcp.scoreboard import Scoreboard, Sent
from netlab.stack.tcp.segment import Segment
from netlab.stack.tcp.sequence import unwrap
from netlab.stack.tcp.state import (
    CLOSED,
    CLOSING,
    FIN_WAIT_1,
    LAST_ACK,
    SYN_RECEIVED,
)
from netlab.stack.tcp.text import enter_time_wait, take_text
from netlab.units import MS
from netlab.wire.tcp import ECE, FIN

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection


def take_ack(c: Connection, segment: Segment, seq: int) -> bool:
    """Look at the acknowledgement; False when the segment is to be dropped."""
    ack = unwrap(c.snd_una, segment.ack)
    if ack > c.snd_max:
        # RFC 5961 §5.2 and RFC 9293: it acknowledges what was never sent.
        c.ack_now = True
        output.push(c)
        return False
    if ack < c.snd_una - max(c.max_window, 1) and c.state != SYN_RECEIVED:
        output.challenge(c)
        return False
    if c.state == SYN_RECEIVED:
        _synchronise(c, segment, seq, ack)
    delivered = _delivered(c, segment, ack)
    _update_window(c, segment, seq, ack)
    if c.ecn:
        _hear_marks(c, segment, delivered)
    if c.board.segments or c.recovery:
        recovering = c.recovery
        losses.look(c, delivered)
        if recovering and not c.recovery:  # now a probe may guard what is left
            output.rearm(c)
    _finished(c)
    return c.state != CLOSED


def _synchronise(c: Connection, segment: Segment, seq: int, ack: int) -> None:
    """SYN-RECEIVED: the handshake is complete."""
    c.step("receive ACK of SYN")
    c.scaled = c.scaling
    _measure_handshake(c, segment)
    if c.retries and not c.simultaneous:
        c.control.cwnd = c.send_mss  # RFC 5681 §3.1
    c.retries = c.rto.backoff = 0
    c.snd_una = c.iss + 1
    if not c.board.segments:
        c.snd_nxt = c.iss + 1
    c.timers.pop("retransmit", None)
    c.timers.pop("connect", None)
    remember_window(c, segment, seq, ack)
    if c.keep_alive:
        c.timers["keepalive"] = c.now + c.keep_idle
    c.tell("connected")
    if c.held is not None:
        held, c.held = c.held, None
        take_text(c, held, c.rcv_nxt)
        c.ack_now = True


def _measure_handshake(c: Connection, segment: Segment) -> None:
    """How long the SYN ACK took. BSD's SYN cache times nothing: only a timestamp tells, as where it was sent twice."""
    if (not c.bsd or c.simultaneous) and not c.retries:
        c.rto.sample(c.now - c.last_sent)
    elif not c.simultaneous:
        measure_by_timestamp(c, segment)


def measure_by_timestamp(c: Connection, segment: Segment) -> None:
    """A round trip by the echo of our clock (RFC 7323 §4.1). That counts ms: less than one is taken for one."""
    stamps = segment.options.timestamps
    if c.timestamping and stamps is not None and stamps[1]:
        elapsed = (c.clock() - stamps[1]) % (1 << 32)
        if elapsed < 1 << 31:
            c.rto.sample(max(elapsed, 1) * MS)


def _newer_window(c: Connection, seq: int, ack: int, window: int) -> bool:
    """Whether a segment's window counts (RFC 9293 §3.10.7.4). Of two that say the same the larger one does.

    Linux lets it close again, too.
    """
    if c.snd_wl1 != seq or c.snd_wl2 != ack:
        return c.snd_wl1 < seq or (c.snd_wl1 == seq and c.snd_wl2 < ack)
    return window > c.snd_wnd or (window == 0 and not c.bsd)


def _update_window(c: Connection, segment: Segment, seq: int, ack: int) -> None:
    """SND.WND, unless the segment is older than the one that set it."""
    window = segment.window << c.snd_scale
    if _newer_window(c, seq, ack, window):
        opened = window > c.snd_wnd
        c.snd_wnd, c.snd_wl1, c.snd_wl2 = window, seq, ack
        c.max_window = max(c.max_window, window)
        if opened:
            c.timers.pop("persist", None)
            _take_probe_back(c)
            c.probes = 0


def _take_probe_back(c: Connection) -> None:
    """The peer had no room for a probe's byte, and now it has: the byte goes again with what follows it."""
    segments = c.board.segments
    if c.probes and len(segments) == 1 and len(segments[0]) == 1:
        c.snd_nxt = segments[0].start
        c.fin_sent = c.fin_sent and not segments[0].fin
        c.board = Scoreboard()
        c.timers.pop("retransmit", None)


# ---- what arrived --------------------------------------------------------------------------------


def _delivered(c: Connection, segment: Segment, ack: int) -> int:
    """Account for what the acknowledgement and its SACK blocks say; how many bytes are newly known to have arrived."""
    highest = c.rack_fack
    sacked = _take_sacks(c, segment, ack)
    if ack > c.snd_una:
        return _advance(c, segment, ack, highest) + sacked
    if _is_duplicate(c, segment, ack, sacked):
        c.duplicates += 1
        return sacked if c.sack_ok else c.send_mss
    return sacked


def _take_sacks(c: Connection, segment: Segment, ack: int) -> int:
    if not c.sack_ok or not segment.options.sack:
        return 0
    found: list[Sent] = []
    for left, right in segment.options.sack:
        left, right = unwrap(c.snd_una, left), unwrap(c.snd_una, right)
        if max(ack, c.snd_una) < right <= c.snd_max and left < right and left >= ack:
            found += c.board.mark_sacked(left, right, cut=c.was_cut)
    losses.note_delivered(c, sorted(found, key=_start), c.rack_fack)
    return sum(map(len, found))


def _start(segment: Sent) -> int:
    return segment.start


def _is_duplicate(c: Connection, segment: Segment, ack: int, sacked: int) -> bool:
    """RFC 5681 §2: nothing new, no data, no FIN, the same window; with SACK: something new is sacked (RFC 6675 §2)."""
    if not c.board.segments or ack != c.snd_una or segment.flags & FIN:
        return False
    if c.sack_ok:
        return sacked > 0
    same_window = segment.window << c.snd_scale == c.snd_wnd
    return not segment.payload and same_window


def _advance(c: Connection, segment: Segment, ack: int, highest: int) -> int:
    """New data, or our FIN, are acknowledged."""
    in_use = c.board.outstanding
    before_sacked = c.board.sacked
    done = c.board.acknowledged(ack)
    octets = ack - c.snd_una
    newly = octets - (before_sacked - c.board.sacked)
    losses.note_delivered(c, [sent for sent in done if not sent.sacked], highest)
    _measure(c, segment, done)
    c.snd_una = ack
    c.snd_nxt = max(c.snd_nxt, ack)
    had_room = c.room > 0
    removed = min(ack - c.queue_start, len(c.queue))
    del c.queue[:removed]
    c.queue_start += removed
    c.retries = 0
    c.rto.backoff = 0
    if not c.recovery:
        c.duplicates = 0
        _grow(c, octets, in_use)
    if c.snd_up <= ack:
        c.snd_up = 0
    output.rearm(c)
    if c.room > 0 and (not had_room or not c.queue) and octets and c.state <= 5:
        c.tell("writable")
    return max(newly, 0)


def _measure(c: Connection, segment: Segment, done: list[Sent]) -> None:
    """A round trip: of a segment that was sent once (Karn), else by its timestamp (RFC 7323 §4.1)."""
    for sent in reversed(done):
        if sent.times == 1 and not sent.sacked:
            c.rto.sample(c.now - sent.sent)
            return
    if done:
        measure_by_timestamp(c, segment)


def _grow(c: Connection, octets: int, in_use: int) -> None:
    """The window grows only while it is what limits (RFC 7661 §4.3 in spirit): else it would grow untested."""
    control = c.control
    used = 2 * in_use > control.cwnd if control.slow_start else c.limited or in_use + c.send_mss > control.cwnd
    if used:
        control.acknowledged(octets, c.rto.srtt, c.now)


# ---- marks ---------------------------------------------------------------------------------------


def _hear_marks(c: Connection, segment: Segment, delivered: int) -> None:
    """The peer echoes marks: one reduction each window of data (RFC 3168 §6.1.2)."""
    echoed = segment.flags & ECE != 0
    c.control.counted(delivered, echoed, c.snd_una, c.snd_nxt)
    if echoed and not c.recovery and c.snd_una > c.recover:
        c.control.marked(c.in_flight + delivered, c.now)
        c.recover = c.snd_max
        c.cwr_due = True


# ---- our FIN -------------------------------------------------------------------------------------


def _finished(c: Connection) -> None:
    """Our FIN is acknowledged."""
    if not c.fin_sent or c.snd_una < c.snd_max or c.board.segments:
        return
    if c.state == FIN_WAIT_1:
        c.step("receive ACK of FIN")
        for name in ("retransmit", "persist", "tail", "reorder"):
            c.timers.pop(name, None)
        if c.orphan:
            c.timers["fin wait 2"] = c.now + c.patience
    elif c.state == CLOSING:
        c.step("receive ACK of FIN")
        enter_time_wait(c)
    elif c.state == LAST_ACK:
        c.step("receive ACK of FIN")
        c.forget()
        c.tell("closed")
