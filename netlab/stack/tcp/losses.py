"""Finding losses and recovering from them: duplicate acknowledgements, SACK (RFC 6675), RACK-TLP (RFC 8985)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.tcp import output
from netlab.stack.tcp.scoreboard import Sent

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection


def look(c: Connection, delivered: int) -> None:
    """After an acknowledgement: is something lost, is recovery over, how much may be sent in it."""
    if c.recovery == "loss" and delivered:
        # One segment for each acknowledgement: what was sent before the timeout counts no more (RFC 3465 §2.3).
        c.control.acknowledged(min(delivered, c.send_mss), c.rto.srtt, c.now)
    if c.recovery and c.snd_una >= c.recover and (c.snd_una > c.recover or not c.board.lost or c.recovery == "loss"):
        _recovered(c)
    _settle_tail_probe(c)
    if c.sack_ok:
        _mark_by_sack(c)
    else:
        _mark_by_duplicates(c)
    if not c.recovery and c.board.lost > c.board.resent:
        enter_recovery(c, delivered)
    elif c.recovery == "fast":
        reduce_in_proportion(c, delivered)


def enter_recovery(c: Connection, delivered: int) -> None:
    """Fast retransmit: halve (or as the control says), and send the first lost segment at once (RFC 5681 §3.2).

    Proportional rate reduction begins with what has just arrived; BSD counts in what limited transmit answered.
    """
    flight = c.board.outstanding
    c.recovery, c.recover = "fast", c.snd_max
    c.prr_flight = max(flight if c.bsd else c.control.cwnd, 1)
    c.control.congested(flight, c.now)
    c.cwr_due = c.ecn
    c.prr_out = 0
    if c.bsd:
        delivered = min(c.board.sacked if c.sack_ok else c.duplicates * c.send_mss, flight)
    c.prr_delivered = delivered
    c.force = True
    c.control.cwnd = max(c.in_flight, c.send_mss)
    if "tail" in c.timers:
        output.rearm(c)  # a loss was found: there is nothing left to probe for (RFC 8985 §7.2)


def reduce_in_proportion(c: Connection, delivered: int) -> None:
    """RFC 6937: for each byte that arrives, ssthresh/flight bytes leave; below the threshold, slow start towards it."""
    control = c.control
    c.prr_delivered += delivered
    flight = c.in_flight
    if flight > control.ssthresh:
        share = -(-c.prr_delivered * control.ssthresh // c.prr_flight)
        if not c.bsd:  # Linux counts segments
            share = -(-share // c.send_mss) * c.send_mss
        may = share - c.prr_out
    else:
        limit = max(c.prr_delivered - c.prr_out, delivered) + c.send_mss
        may = min(control.ssthresh - flight, limit)
    control.cwnd = flight + max(may, 0)


def _recovered(c: Connection) -> None:
    """Everything that was out when recovery began has arrived."""
    if c.recovery == "fast":
        c.control.cwnd = (
            min(c.control.ssthresh, max(c.in_flight, c.send_mss) + c.send_mss)
            if (not c.sack_ok)
            else c.control.ssthresh
        )
        c.control.cwnd = max(c.control.cwnd, 2 * c.send_mss)
    c.recovery = ""
    c.duplicates = 0
    c.force = False


# ---- without SACK --------------------------------------------------------------------------------


def _mark_by_duplicates(c: Connection) -> None:
    """Three duplicates: the first segment is lost (RFC 5681 §3.2). In recovery a partial acknowledgement says so of
    the next one (RFC 6582 §3.2)."""
    segments = c.board.segments
    if not segments:
        return
    first = segments[0]
    if c.recovery == "fast":
        if not first.lost and first.end <= c.recover:
            c.board.mark_lost(first)
            c.duplicates = max(c.duplicates - 1, 0)
            c.force = True
    elif not c.recovery and c.duplicates >= c.knobs.duplicate_threshold and c.snd_una > c.recover - 1:
        c.board.mark_lost(first)


# ---- with SACK -----------------------------------------------------------------------------------


def _mark_by_sack(c: Connection) -> None:
    if not c.board.sacked and not c.recovery:
        return
    if c.knobs.rack:
        find_by_time(c)
    else:
        _find_by_count(c)


def _find_by_count(c: Connection) -> None:
    """RFC 6675 §4, IsLost: three segments, or more than two segments' bytes, above it are sacked."""
    above = pieces = 0
    threshold = c.knobs.duplicate_threshold
    for segment in reversed(c.board.segments):
        if segment.sacked:
            above += len(segment)
            pieces += 1
        elif not segment.lost and (pieces >= threshold or above > (threshold - 1) * c.send_mss):
            c.board.mark_lost(segment)


def note_delivered(c: Connection, segments: list[Sent], highest: int) -> None:
    """Segments arrived, in order of sequence: RACK.segment is the one sent last among them (RFC 8985 §6.2, steps 2, 3).

    ``highest``: what was known to have arrived before; something sent once and below that was overtaken.
    """
    for segment in segments:
        if segment.times == 1 and segment.end < highest:
            c.reordered = True
        highest = max(highest, segment.end)
        c.rack_fack = max(c.rack_fack, segment.end)
        rtt = c.now - segment.sent
        if segment.times > 1 and rtt < c.rto.minimum_rtt:
            continue
        if (segment.sent, segment.end) > (c.rack_sent, c.rack_end):
            c.rack_sent, c.rack_end = segment.sent, segment.end
        c.rack_rtt = rtt


def _reordering_window(c: Connection) -> int:
    """A quarter of the smallest round trip; none while nothing was ever reordered (RFC 8985 §6.2, step 4)."""
    if not c.reordered:
        many = c.board.sacked >= c.knobs.duplicate_threshold * c.send_mss
        if c.recovery or many:
            return 0
    return min(c.rto.minimum_rtt // 4, c.rto.srtt)


def find_by_time(c: Connection) -> None:
    """RFC 8985 §6.2, step 5: what was sent a round trip before something that arrived is lost."""
    wait = 0
    window = _reordering_window(c)
    for segment in c.board.segments:
        if segment.sacked or (segment.lost and not segment.retransmitted):
            continue
        if (segment.sent, segment.end) >= (c.rack_sent, c.rack_end):
            continue
        left = segment.sent + c.rack_rtt + window - c.now
        if left <= 0:
            c.board.mark_lost(segment)
        else:
            wait = max(wait, left)
    if wait:
        c.timers["reorder"] = c.now + wait + c.knobs.reorder_slop
    else:
        c.timers.pop("reorder", None)


def _settle_tail_probe(c: Connection) -> None:
    """A tail loss probe was answered (RFC 8985 §7.4.2)."""
    if c.tail_probe and c.snd_una >= c.tail_probe:
        c.tail_probe = 0
