"""What leaves: SYNs, data under two windows, acknowledgements, probes (RFC 9293 §3.8.6, RFC 5681, RFC 3168)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.tcp.options import ordinary, size, synchronising
from netlab.stack.tcp.scoreboard import Sent
from netlab.stack.tcp.segment import ECT0, NOT_ECT, Segment
from netlab.stack.tcp.sequence import WRAP
from netlab.stack.tcp.state import (
    CLOSING,
    FIN_WAIT_1,
    LAST_ACK,
    RECEIVING,
    SENDING,
    SYN_RECEIVED,
    SYN_SENT,
)
from netlab.wire.tcp import ACK, CWR, ECE, FIN, NONE, PSH, RST, SYN, URG, Options

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection

MAXIMUM_WINDOW = 0xFFFF
STAMPS = 12
"""Bytes that timestamps take with their padding (RFC 7323 appendix A)."""


# ---- the window that is offered ------------------------------------------------------------------


def _room_offered(c: Connection) -> int:
    """What a segment that leaves now may offer: silly windows are not worth it (RFC 9293 §3.8.6.2.2)."""
    limit = MAXIMUM_WINDOW << c.rcv_scale if c.scaled else MAXIMUM_WINDOW
    if c.carrier is not None:
        return min(c.carrier.window(), limit)
    buffer = c.receive_buffer
    space = buffer - len(c.inbox)
    if space < buffer // 4 and space < c.send_mss:
        space = 0
    return max(min(space, limit), c.rcv_adv - c.rcv_nxt)


def receive_window(c: Connection) -> int:
    """RCV.WND: bytes from RCV.NXT on that are taken. What was offered is never taken back (RFC 9293 §3.8.6.2.2).

    BSD takes what fits into the buffer, even if the header had no way to offer so much.
    """
    offered = max(c.rcv_adv - c.rcv_nxt, 0)
    if c.knobs.system != "freebsd" or (c.state == SYN_RECEIVED and not c.simultaneous):
        return offered
    return max(offered, c.receive_buffer - len(c.inbox))


def _offer(c: Connection) -> int:
    """The window field of a segment that leaves now. What it says is offered, also where the scale rounds it up."""
    scale = c.rcv_scale if c.scaled else 0
    field = min(-(-_room_offered(c) >> scale), MAXIMUM_WINDOW)
    c.rcv_adv = max(c.rcv_adv, c.rcv_nxt + (field << scale))
    return field


def window_update_due(c: Connection) -> bool:
    """Whether so much was read that the peer should hear of it (RFC 9293 §3.8.6.2.2, RFC 1122 §4.2.3.3)."""
    window = _room_offered(c)
    news = c.rcv_nxt + window - c.rcv_adv
    buffer = c.receive_buffer
    if news < 2 * c.send_mss and news * 2 < buffer:
        return False
    return news >= buffer // 4 or window <= buffer // 8 or buffer <= 8 * c.send_mss or news * 2 >= buffer


# ---- single segments -----------------------------------------------------------------------------


def send_syn(c: Connection) -> None:
    """A SYN, or in SYN-RECEIVED a SYN ACK; set the timer. Sent again it asks no more for ECN (RFC 3168 §6.1.1.1)."""
    answering = c.state == SYN_RECEIVED
    flags = SYN | ACK if answering else SYN
    if c.retries <= c.knobs.ecn_syn_retries:
        flags |= (ECE if c.ecn else 0) if answering else (ECE | CWR if c.ecn_asked else 0)
    options = synchronising(c, answering=answering)
    data = _synack_data(c) if answering else _syn_data(c)
    window = min(_room_offered(c), MAXIMUM_WINDOW)
    ack = c.rcv_nxt % WRAP if answering else 0
    c.out.append(Segment(c.iss % WRAP, ack, flags, window, data, options))
    c.rcv_adv = max(c.rcv_adv, c.rcv_nxt + window)
    c.last_ack_sent = c.rcv_nxt
    c.ack_now = False
    c.timers.pop("delayed ack", None)
    c.snd_nxt = c.iss + 1 + (len(data) if answering else 0)
    c.snd_max = max(c.snd_max, c.iss + 1 + len(data))
    c.timers["retransmit"] = c.now + c.rto.timeout
    if c.retries == 0:
        c.last_sent = c.now


def _synack_data(c: Connection) -> bytes:
    """What a fast-opened server has to say already rides on its first SYN ACK (RFC 7413 §4.2.2)."""
    first, c.synack_due = c.synack_due, False
    if not first or not c.queue:
        return b""
    room = c.send_mss - size(synchronising(c, answering=True), c.knobs.layout)
    data = bytes(c.queue[: max(min(room, c.snd_wnd), 0)])
    if data:
        c.board.sent(Sent(c.queue_start, c.queue_start + len(data), c.now, False))
    return data


def _syn_data(c: Connection) -> bytes:
    """Data ride on a first SYN that has a cookie (RFC 7413 §4.2.1)."""
    if not c.cookie or c.retries:
        return b""
    room = c.send_mss - size(synchronising(c, answering=False), c.knobs.layout)
    c.syn_data = min(len(c.queue), max(room, 0))
    return bytes(c.queue[: c.syn_data])


def acknowledge(c: Connection) -> None:
    """An acknowledgement without data. In SYN-RECEIVED after a simultaneous open it is the SYN ACK again."""
    if c.state == SYN_RECEIVED and (c.simultaneous or c.synack_due):
        send_syn(c)
        return
    if c.state == SYN_SENT:
        return
    flags, seq = ACK, c.snd_nxt
    if c.fin_sent and c.knobs.system == "freebsd" and c.state in (FIN_WAIT_1, CLOSING, LAST_ACK):
        # BSD says its FIN with every segment until it is acknowledged.
        flags, seq = ACK | FIN, c.snd_max - 1
    _emit(c, seq, flags, b"")


def challenge(c: Connection) -> None:
    """A challenge ACK, as often as the limit allows (RFC 5961 §3.2, §7)."""
    knobs = c.knobs
    if c.challenges == 0 or c.now - c.challenge_since >= knobs.challenge_period:
        c.challenge_since, c.challenges = c.now, 0
    c.challenges += 1
    if c.challenges <= knobs.challenge_limit:
        respond(c)


def respond(c: Connection, seq: int | None = None) -> None:
    """An acknowledgement beside the stream. BSD says in it what room there is, not what was promised."""
    seq = c.snd_nxt if seq is None else seq
    if not c.bsd or c.state == SYN_RECEIVED or c.carrier is not None:
        _emit(c, seq, ACK, b"")
        return
    scale = c.rcv_scale if c.scaled else 0
    window = min(max(c.receive_buffer - len(c.inbox), 0), MAXIMUM_WINDOW << scale) >> scale
    flags = ACK | (ECE if c.ece else 0)
    c.out.append(Segment(seq % WRAP, c.rcv_nxt % WRAP, flags, window, b"", _stamped(c)))
    c.last_ack_sent = c.rcv_nxt


def _stamped(c: Connection) -> Options:
    """Timestamps, where they were agreed on (RFC 7323 §3.2), and nothing else."""
    return Options(timestamps=(c.clock(), c.ts_recent)) if c.timestamping and c.state != SYN_SENT else NONE


def send_reset(c: Connection) -> None:
    """Tell the peer that the connection is gone."""
    said = _stamped(c) if c.carrier is None else Options(mptcp=c.carrier.last_words(c))
    c.out.append(Segment(c.snd_max % WRAP, c.rcv_nxt % WRAP, RST | ACK, options=said))


def keepalive_probe(c: Connection) -> None:
    """A segment that the peer must answer: one before what it expects (RFC 9293 §3.8.4)."""
    respond(c, c.snd_una - 1)


def _emit(c: Connection, seq: int, flags: int, payload: bytes, ecn: int = NOT_ECT) -> None:
    if c.ece:
        flags |= ECE
    urgent = 0
    if c.snd_up > seq and payload:
        flags, urgent = flags | URG, min(c.snd_up - seq, 0xFFFF)
    room = segment_room(c)  # before the options are made: a duplicate is told of once
    segsz = room if len(payload) > room else 0
    c.was_cut = c.was_cut or segsz > 0
    if payload and c.gate is not None:
        c.gate.took(len(payload), room)
    options = ordinary(c)
    if c.carrier is not None:
        options = c.carrier.dress(c, options, seq, len(payload))
    c.out.append(Segment(seq % WRAP, c.rcv_nxt % WRAP, flags, _offer(c), payload, options, urgent, ecn, segsz))
    c.last_ack_sent = c.rcv_nxt
    c.ack_now = c.was_read = False
    c.timers.pop("delayed ack", None)


# ---- data ----------------------------------------------------------------------------------------


def push(c: Connection) -> None:
    """Send what may be sent; then an acknowledgement if one is owed and no segment carried it; set timers."""
    sent = False
    if c.synack_due and (c.queue or c.ack_now):
        send_syn(c)
    if c.state in SENDING or (c.fast_opened and c.state == SYN_RECEIVED and not c.synack_due):
        _restart_after_idle(c)
        while _retransmit(c) or _send_new(c):
            sent = True
    if not sent and (c.ack_now or (c.was_read and c.state in RECEIVING and window_update_due(c))):
        acknowledge(c)
    if c.short and (c.gate is not None or c.unsent_limit is not None) and c.room > 0:
        c.short = False
        c.tell("writable")
    _guard(c)
    if sent:
        _schedule_probe(c)


def _restart_after_idle(c: Connection) -> None:
    """RFC 5681 §4.1."""
    if not c.board.segments and c.last_sent and c.now - c.last_sent > c.rto.timeout:
        c.control.idled()


def segment_room(c: Connection) -> int:
    """How much data a segment holds: the MSS less what options take (RFC 6691, RFC 9293 §3.7.1)."""
    if c.carrier is not None:
        return c.send_mss - (STAMPS if c.timestamping else 0) - c.carrier.overhead
    if c.reassembly.runs or c.duplicate:
        blocks = min(len(c.reassembly.runs) + (c.duplicate is not None), 3) if c.sack_ok else 0
        return c.send_mss - (STAMPS if c.timestamping else 0) - (4 + 8 * blocks if blocks else 0)
    return c.send_mss - STAMPS if c.timestamping else c.send_mss


def _retransmit(c: Connection) -> bool:
    """Send the first lost segment again, if the congestion window lets it."""
    segment = c.board.next_lost()
    if segment is None:
        return False
    if not c.force and c.in_flight + min(len(segment), c.send_mss) > c.control.cwnd:
        return False
    room = segment_room(c)
    if c.carrier is not None:
        room = min(room, c.carrier.bound(segment.start))
    if c.gate is not None:
        size = min(len(segment) - segment.fin, room)
        if c.gate.ask(size, room) < size:
            return False
    c.force = False
    if len(segment) < room:
        c.board.merge_next(segment, room)
    c.board.split(segment, room)
    send_again(c, segment)
    return True


def send_again(c: Connection, segment: Sent) -> None:
    """A segment of the scoreboard once more."""
    size = len(segment) - segment.fin
    at = segment.start - c.queue_start
    c.board.sent_again(segment, c.now)
    c.prr_out += size
    flags = ACK | (FIN if segment.fin else 0)
    if size and at + size == len(c.queue):
        flags |= PSH
    ecn = ECT0 if c.ecn and c.control.wants_ect else NOT_ECT
    _emit(c, segment.start, flags, bytes(c.queue[at : at + size]), ecn)
    c.last_sent = c.now


def _send_new(c: Connection) -> bool:
    """One segment of what was never sent, if both windows and Nagle let it go."""
    at = c.snd_nxt - c.queue_start
    waiting = len(c.queue) - at
    fin = c.fin_queued and not c.fin_sent
    if waiting <= 0 and not fin:
        return False
    together = waiting if c.carrier is None else min(waiting, c.carrier.bound(c.snd_nxt))
    size = _allowed(c, together) if waiting > 0 else 0
    if size > 0 and c.gate is not None:
        size = c.gate.ask(size, segment_room(c))
    if waiting > 0 and size <= 0:
        return False
    fin = fin and size == waiting
    _transmit_new(c, at, size, fin)
    return True


def _allowed(c: Connection, waiting: int) -> int:
    """How many bytes may go now in one segment (RFC 9293 §3.8.6.2.1, and Nagle: §3.7.4); 0 for none."""
    room = segment_room(c)
    quota = c.control.cwnd - c.in_flight
    longest = c.knobs.longest_segment if c.longest is None else c.longest()
    most = max(longest // room * room, room)
    size = min(waiting, most, c.snd_una + c.snd_wnd - c.snd_nxt, quota)
    c.limited = quota < min(waiting, room)
    if size <= 0:
        return 0
    if size >= room:  # whole pieces; the rest, when it is the last, is looked at in the next round
        return size - size % room
    everything = size == waiting
    idle = c.snd_nxt == c.snd_una or (c.knobs.nagle == "minshall" and c.small_end <= c.snd_una)
    if everything and (c.fin_queued or ((idle or c.nodelay) and not c.cork)):
        return size
    half = 2 * size >= c.max_window > 0
    return size if half and (c.bsd or not everything) else 0


def _transmit_new(c: Connection, at: int, size: int, fin: bool) -> None:
    flags = ACK | (FIN if fin else 0)
    if size and at + size == len(c.queue):
        flags |= PSH
    if size and c.cwr_due:
        flags |= CWR
        c.cwr_due = False
    seq = c.snd_nxt
    c.board.sent(Sent(seq, seq + size + fin, c.now, fin))
    c.snd_nxt += size + fin
    if size % segment_room(c):
        c.small_end = c.snd_nxt
    c.snd_max = max(c.snd_max, c.snd_nxt)
    c.fin_sent = c.fin_sent or fin
    c.prr_out += size
    c.last_sent = c.now
    ecn = ECT0 if c.ecn and (size or c.control.wants_ect) else NOT_ECT
    _emit(c, seq, flags, bytes(c.queue[at : at + size]), ecn)


def send_beyond(c: Connection) -> bool:
    """One segment of new data whatever the congestion window says, if the peer's window has room."""
    at = c.snd_nxt - c.queue_start
    size = min(len(c.queue) - at, segment_room(c), c.snd_una + c.snd_wnd - c.snd_nxt)
    if c.carrier is not None:
        size = min(size, c.carrier.bound(c.snd_nxt))
    if size <= 0:
        return False
    _transmit_new(c, at, size, c.fin_queued and not c.fin_sent and at + size == len(c.queue))
    return True


def send_probe(c: Connection) -> None:
    """Ask a peer whose window is closed, with one byte beyond it (RFC 9293 §3.8.6.1)."""
    at = c.snd_nxt - c.queue_start
    if c.board.segments:
        first = c.board.segments[0]
        _emit(c, first.start, ACK, bytes(c.queue[first.start - c.queue_start :][:1]))
    elif at < len(c.queue):
        _transmit_new(c, at, 1, False)
    elif c.fin_queued and not c.fin_sent:
        _transmit_new(c, at, 0, True)


# ---- timers of what was sent ---------------------------------------------------------------------


def _guard(c: Connection) -> None:
    """A segment in flight has a retransmission timer; data behind a closed window have a persist timer."""
    if c.state not in SENDING:
        return
    timers = c.timers
    if c.board.segments and not _probing(c):
        timers.pop("persist", None)
        if "retransmit" not in timers and "tail" not in timers:
            rearm(c)
        return
    timers.pop("tail", None)
    if c.gate is not None and c.gate.waiting:  # it is no window that is closed: a wake-up will come
        return
    if c.snd_nxt - c.queue_start < len(c.queue) or _probing(c):
        timers.pop("retransmit", None)
        if "persist" not in timers:
            timers["persist"] = c.now + persist_interval(c)
    elif not c.board.segments:
        timers.pop("retransmit", None)
        timers.pop("persist", None)


def _probing(c: Connection) -> bool:
    """Whether all that is in flight is a window probe."""
    return c.snd_wnd == 0 and len(c.board.segments) == 1 and len(c.board.segments[0]) == 1 and c.probes > 0


def persist_interval(c: Connection) -> int:
    """As the retransmission timeout, within its own bounds (RFC 9293 §3.8.6.1: SHLD-29)."""
    knobs = c.knobs
    if not c.bsd:
        interval = c.rto.base << min(c.probes, 12)
    elif c.rto.srtt:
        interval = ((4 * c.rto.srtt + 8 * c.rto.variance) << min(c.probes, 9)) + knobs.rto_slop
    else:
        interval = (2 * knobs.rto_initial << min(c.probes, 9)) + knobs.rto_slop
    return min(max(interval, knobs.persist_minimum), knobs.persist_maximum)


def rearm(c: Connection) -> None:
    """Start the retransmission timer, or the shorter one of a tail loss probe (RFC 6298 §5, RFC 8985 §7.2)."""
    c.timers.pop("tail", None)
    if not c.board.segments:  # what leaves next is guarded by itself
        c.timers.pop("retransmit", None)
        return
    c.timers["retransmit"] = c.now + c.rto.timeout
    _schedule_probe(c)


def _schedule_probe(c: Connection) -> None:
    """Two round trips after what was sent last, if the retransmission timer does not run out before (RFC 8985 §7.2)."""
    segments = c.board.segments
    if not c.knobs.tail_loss_probe or not c.sack_ok or c.recovery or c.tail_probe or not c.rto.srtt or not segments:
        return
    # A single segment may meet a delayed acknowledgement: 200 ms is the longest that is usual.
    single = len(segments) == 1 and len(segments[0]) <= c.send_mss
    due = c.now + 2 * c.rto.srtt + (200_000_000 if single else 2_000_000)
    if due < c.timers.get("retransmit", c.now + c.rto.timeout):
        c.timers["tail"] = due
        c.timers.pop("retransmit", None)
