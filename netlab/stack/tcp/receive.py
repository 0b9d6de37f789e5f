"""A segment arrives (RFC 9293 §3.10.7): what each state makes of it.

The checks of a synchronised state come in the order reset, SYN, timestamps, sequence number, acknowledgement, text,
FIN. The RFC looks at the sequence number first; to look at RST and SYN before gives the same outcomes, because their
own rules (RFC 5961) look at the window too, and RFC 7323 §5.3 puts timestamps before the sequence number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.tcp import output
from netlab.stack.tcp.acks import measure_by_timestamp, take_ack
from netlab.stack.tcp.negotiation import learn, remember_window
from netlab.stack.tcp.segment import Segment, reset_for
from netlab.stack.tcp.sequence import WRAP, unwrap
from netlab.stack.tcp.state import (
    CLOSED,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
)
from netlab.stack.tcp.text import keep_urgent, take_text
from netlab.wire.tcp import ACK, FIN, RST, SYN

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection

PAWS_IDLE_MS = 24 * 24 * 3600 * 1000
"""After 24 days a timestamp says nothing (RFC 7323 §5.5)."""


def arrives(c: Connection, segment: Segment) -> None:
    """Let the present state deal with a segment."""
    if c.state == CLOSED:
        _refuse(c, segment)
    elif c.state == SYN_SENT:
        _in_syn_sent(c, segment)
    elif c.state == TIME_WAIT:
        _in_time_wait(c, segment)
    else:
        _in_others(c, segment)


def _refuse(c: Connection, segment: Segment) -> None:
    reset = reset_for(segment)
    if reset is not None:
        c.out.append(reset)


# ---- LISTEN and SYN-SENT -------------------------------------------------------------------------


def answer_syn(c: Connection, syn: Segment, *, take_data: bool = False) -> None:
    """LISTEN: a SYN is answered with a SYN ACK (§3.10.7.2); what it carries is left to be sent again, or taken."""
    c.step("receive SYN")
    c.irs = syn.seq
    c.rcv_nxt = c.rcv_adv = syn.seq + 1
    learn(c, syn, passive=True)
    remember_window(c, syn, c.irs, c.iss)
    c.fast_opened = take_data
    if take_data and syn.payload:
        take_text(c, syn._replace(flags=ACK, seq=(syn.seq + 1) % WRAP), c.rcv_nxt)
        if c.bsd and c.knobs.delayed_ack:
            # The SYN ACK waits as any acknowledgement of data does: the program may have an answer to send with it.
            c.timers["delayed ack"] = c.now + c.knobs.delayed_ack
            c.synack_due = True
            return
        c.timers.pop("delayed ack", None)
    output.send_syn(c)


def _in_syn_sent(c: Connection, segment: Segment) -> None:
    """SYN-SENT (§3.10.7.3)."""
    flags = segment.flags
    ack = unwrap(c.snd_una, segment.ack)
    if flags & ACK and not c.iss < ack <= c.snd_max:
        _refuse(c, segment)
        return
    if flags & RST:
        if flags & ACK:
            c.die("receive RST", "refused", "ECONNREFUSED")
        return
    if not flags & SYN:
        return
    c.irs = segment.seq
    c.rcv_nxt = c.rcv_adv = segment.seq + 1
    learn(c, segment, passive=False)
    if flags & ACK:
        _connected(c, segment, ack)
    else:
        c.step("receive SYN")
        c.simultaneous = True
        if segment.payload or flags & FIN:
            c.held = segment._replace(seq=(segment.seq + 1) % WRAP, flags=flags & ~SYN)
        remember_window(c, segment, c.irs, c.iss)
        output.send_syn(c)


def _connected(c: Connection, segment: Segment, ack: int) -> None:
    """A SYN ACK answered our SYN, and perhaps took data with it (RFC 7413 §4.2.2)."""
    c.step("receive SYN ACK")
    c.scaled = c.scaling
    if not c.retries:
        c.rto.sample(c.now - c.last_sent)
    elif not c.bsd:
        measure_by_timestamp(c, segment)
    again, c.retries, c.rto.backoff = c.retries, 0, 0
    del c.queue[: ack - c.queue_start]
    c.snd_una = c.snd_nxt = c.snd_max = c.queue_start = ack
    c.timers.pop("retransmit", None)
    c.timers.pop("connect", None)
    remember_window(c, segment, c.irs, ack)
    # A lost SYN tells of a bad path: one segment to begin with (RFC 5681 §3.1).
    c.control.cwnd = c.send_mss if again else max(c.control.cwnd, c.control.initial_window())
    start_keepalive(c)
    c.tell("connected")
    rest = segment._replace(seq=(segment.seq + 1) % WRAP, flags=segment.flags & ~SYN)
    # BSD acknowledges data in a SYN ACK as it does any other.
    c.ack_now = not (c.bsd and rest.payload and c.knobs.delayed_ack)
    if rest.payload or rest.flags & FIN:
        take_text(c, rest, c.rcv_nxt)
    if c.fin_wanted:
        c.finish()
    output.push(c)


def start_keepalive(c: Connection) -> None:
    """SO_KEEPALIVE: watch for silence from now on (RFC 9293 §3.8.4)."""
    if c.keep_alive:
        c.timers["keepalive"] = c.now + c.keep_idle


# ---- TIME-WAIT -----------------------------------------------------------------------------------


def newer_syn(c: Connection, segment: Segment) -> bool:
    """Whether a SYN may end TIME-WAIT early: its sequence number is new (RFC 9293 §3.10.7.4, RFC 6191)."""
    if segment.flags & (SYN | ACK | RST) != SYN or c.state != TIME_WAIT:
        return False
    return unwrap(c.rcv_nxt, segment.seq) > c.rcv_nxt


def _in_time_wait(c: Connection, segment: Segment) -> None:
    """Only a FIN again restarts the wait; a RST is ignored (RFC 1337); anything unexpected is acknowledged."""
    if segment.flags & RST or not segment.flags & ACK:
        return
    if c.timestamping and segment.options.timestamps is None and not c.knobs.tolerate_missing_ts:
        return
    seq = unwrap(c.rcv_nxt, segment.seq)
    if segment.flags & FIN and seq + segment.length == c.rcv_nxt:
        c.timers["2 MSL"] = c.now + 2 * c.knobs.msl
    ack = unwrap(c.snd_nxt, segment.ack)
    if segment.flags != ACK or segment.payload or seq != c.rcv_nxt or ack != c.snd_nxt:
        output.respond(c)


# ---- synchronised states -------------------------------------------------------------------------


def _in_others(c: Connection, segment: Segment) -> None:
    """Every other state (§3.10.7.4)."""
    seq = unwrap(c.rcv_nxt, segment.seq)
    if segment.flags & RST:
        _reset(c, segment, seq)
    elif _lacks_stamp(c, segment) and not (segment.flags & SYN and (c.state == SYN_RECEIVED or not c.bsd)):
        return
    elif segment.flags & SYN:
        _late_syn(c, segment, seq)
    elif _timestamp_fits(c, segment, seq):
        _checked(c, segment, seq)


def _reset(c: Connection, segment: Segment, seq: int) -> None:
    """RFC 5961 §3.2: exactly at the left edge it counts, elsewhere in the window it is challenged."""
    left = c.last_ack_sent
    window = output.receive_window(c)
    if not (left <= seq < left + window or (window == 0 and seq == left)):
        return
    if seq != left and not c.knobs.insecure_rst:
        output.challenge(c)
        return
    half_open = c.state == SYN_RECEIVED
    if c.carrier is not None:
        c.carrier.hear_reset(c, segment)
    c.die("receive RST", "reset", "ECONNREFUSED" if half_open else "ECONNRESET")


def _late_syn(c: Connection, segment: Segment, seq: int) -> None:
    """A SYN on a connection that has had one (RFC 5961 §4.2)."""
    if c.state == SYN_RECEIVED:
        _syn_in_syn_received(c, segment, seq)
        return
    left = c.last_ack_sent
    if c.knobs.insecure_syn and left <= seq < left + output.receive_window(c):
        output.send_reset(c)
        c.die("receive RST", "reset", "ECONNRESET")
        return
    output.challenge(c)


def _syn_in_syn_received(c: Connection, segment: Segment, seq: int) -> None:
    """The same SYN again is answered again; a SYN ACK ends a simultaneous open; another SYN is challenged.

    BSD doesn't look at the sequence number while a SYN cache holds the connection, and takes a timestamp from it.
    """
    cached = c.bsd and not c.simultaneous and not c.fast_opened
    if c.fast_opened and c.bsd:
        if segment.flags & ACK:
            _refuse(c, segment)
    elif cached and not segment.flags & ACK:
        stamps = segment.options.timestamps
        c.timestamping = c.timestamping and stamps is not None
        if stamps is not None:
            c.ts_recent = stamps[0]
        c.retries = c.rto.backoff = 0
        output.send_syn(c)
    elif seq != c.irs and not cached:
        output.challenge(c)
    elif segment.flags & ACK and c.simultaneous:
        c.ack_now = True
        _checked(c, segment._replace(seq=(segment.seq + 1) % WRAP, flags=segment.flags & ~SYN), seq + 1)
    elif segment.flags & ACK:
        # Both sides answered a SYN, and neither asked: this cannot be.
        _refuse(c, segment)
        c.die("abort", "closed")
    else:
        output.send_syn(c)


def _lacks_stamp(c: Connection, segment: Segment) -> bool:
    """Every segment has a timestamp once that was agreed on (RFC 7323 §3.2)."""
    return c.timestamping and segment.options.timestamps is None and not c.knobs.tolerate_missing_ts


def _timestamp_fits(c: Connection, segment: Segment, seq: int) -> bool:
    """PAWS (RFC 7323 §5.3)."""
    stamps = segment.options.timestamps
    if not c.timestamping or stamps is None:
        return True
    value = unwrap(c.ts_recent, stamps[0])
    if c.ts_recent and value < c.ts_recent and c.now // 1_000_000 - c.ts_recent_age < PAWS_IDLE_MS:
        if segment.payload or not c.bsd:
            output.acknowledge(c)
        return False
    if value >= c.ts_recent and _reaches_last_ack(c, segment, seq):
        c.ts_recent, c.ts_recent_age = value % WRAP, c.now // 1_000_000
    return True


def _reaches_last_ack(c: Connection, segment: Segment, seq: int) -> bool:
    """Whether a segment's timestamp is to be echoed: Last.ACK.sent lies in it (RFC 7323 §4.3), or not before it.

    BSD wants the former of what is left of the segment once old text is cut off, the RFC's final text the latter.
    """
    if not c.bsd:
        return seq <= c.last_ack_sent
    end = seq + len(segment.payload)
    left = min(max(seq, c.rcv_nxt), end) if seq < c.rcv_nxt else seq
    return left <= c.last_ack_sent <= end + (segment.flags & FIN != 0)


def _checked(c: Connection, segment: Segment, seq: int) -> None:
    """Sequence number, then the rest."""
    if c.state == SYN_RECEIVED and not _completes(c, segment, seq):
        return
    if c.orphan and _new_text(c, segment, seq):
        # Nobody will ever read it (RFC 1122 §4.2.2.13).
        _refuse(c, segment)
        c.die("receive RST" if c.state != SYN_RECEIVED else "abort", "closed")
        return
    trimmed = _in_window(c, segment, seq)
    if trimmed is None:
        return
    segment, seq = trimmed
    if not segment.flags & ACK:
        if c.ack_now:
            output.push(c)
        return
    if c.carrier is not None and not c.carrier.admits(c, segment):
        return
    if not take_ack(c, segment, seq):
        return
    c.unanswered = 0
    if c.keep_alive:
        c.timers["keepalive"] = c.now + c.keep_idle
    keep_urgent(c, segment, seq)
    if c.state not in (CLOSED, TIME_WAIT) and (segment.payload or segment.flags & FIN):
        take_text(c, segment, seq)
    if c.state != CLOSED:
        output.push(c)


def _new_text(c: Connection, segment: Segment, seq: int) -> bool:
    """Whether a segment holds text that did not come before. BSD minds neither the window nor a missing ACK."""
    end = seq + len(segment.payload)
    if c.bsd:
        return bool(segment.payload) and end > c.rcv_nxt
    in_window = seq < c.rcv_nxt + output.receive_window(c)
    return bool(segment.payload and segment.flags & ACK) and end > c.rcv_nxt and in_window


def _completes(c: Connection, segment: Segment, seq: int) -> bool:
    """SYN-RECEIVED: whether a segment belongs to this connection; if not, a RST or a challenge says so."""
    if not segment.flags & ACK:
        return False
    ack = unwrap(c.snd_una, segment.ack)
    if c.bsd and not c.simultaneous and not c.fast_opened and not c.irs < seq <= c.irs + output.receive_window(c):
        output.challenge(c)
        return False
    if not c.snd_una < ack <= c.snd_max or seq < c.irs:
        _refuse(c, segment)
        return False
    return True


def _in_window(c: Connection, segment: Segment, seq: int) -> tuple[Segment, int] | None:
    """The part of a segment that is new and fits (§3.10.7.4, first check); None when there is nothing to do."""
    window = output.receive_window(c)
    end = seq + len(segment.payload)
    if seq < c.rcv_nxt and not _cut_left(c, segment, end):
        return None
    if seq < c.rcv_nxt:
        segment = (
            segment._replace(payload=segment.payload[c.rcv_nxt - seq :])
            if end > c.rcv_nxt
            else _emptied(segment, end, c)
        )
        seq = c.rcv_nxt
    if end > c.rcv_nxt + window or seq > c.rcv_nxt + window:
        return _cut_right(c, segment, seq, window)
    return segment, seq


def _cut_left(c: Connection, segment: Segment, end: int) -> bool:
    """Part of it came before: acknowledge what is all old (so that a lost ACK is made up for)."""
    fin = segment.flags & FIN != 0
    if end + fin > c.rcv_nxt:
        if segment.payload and c.sack_ok:
            c.duplicate = (max(unwrap(c.rcv_nxt, segment.seq), 0), min(end, c.rcv_nxt))
        return True
    c.ack_now = True
    if segment.payload and c.sack_ok:
        c.duplicate = (unwrap(c.rcv_nxt, segment.seq), end)
    if not c.knobs.takes_ack_of_old:
        output.acknowledge(c)
        return False
    return True


def _emptied(segment: Segment, end: int, c: Connection) -> Segment:
    """All text is old; a FIN that stands at RCV.NXT still counts."""
    fin = segment.flags & FIN and end == c.rcv_nxt and not c.fin_received
    return segment._replace(payload=b"", flags=segment.flags if fin else segment.flags & ~FIN)


def _cut_right(c: Connection, segment: Segment, seq: int, window: int) -> tuple[Segment, int] | None:
    """What lies beyond the window is not taken; if that is all, only an acknowledgement follows."""
    room = c.rcv_nxt + window - seq
    if room <= 0:
        if window == 0 and seq == c.rcv_nxt:
            # A window probe: its acknowledgement is looked at.
            c.ack_now = True
            return segment._replace(payload=b"", flags=segment.flags & ~FIN), seq
        c.ack_now = True
        output.push(c)
        return None
    return segment._replace(payload=segment.payload[:room], flags=segment.flags & ~FIN), seq
