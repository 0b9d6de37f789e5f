"""The segment text, URG and FIN (RFC 9293 §3.10.7.4, sixth to eighth), and when to acknowledge (RFC 5681 §4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.tcp import output
from netlab.stack.tcp.segment import CE, Segment
from netlab.stack.tcp.state import CLOSE_WAIT, CLOSING, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, SYN_RECEIVED, TIME_WAIT
from netlab.wire.tcp import CWR, FIN, URG

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection


def keep_urgent(c: Connection, segment: Segment, seq: int) -> None:
    """RCV.UP moves forward, and the owner is told (§3.8.5); urgent data stay in the stream (RFC 6093)."""
    if segment.flags & URG and segment.urgent and seq + segment.urgent > c.rcv_up:
        c.rcv_up = seq + segment.urgent
        c.tell("urgent")


def take_text(c: Connection, segment: Segment, seq: int) -> None:
    """Data and FIN, in order or not."""
    if c.fin_received:
        # Nothing can follow a FIN (sixth and eighth check: ignore it).
        return
    if segment.flags & FIN:
        c.fin_at = seq + len(segment.payload)
    _note_marks(c, segment)
    before = c.rcv_nxt
    if segment.payload:
        _take_data(c, segment, seq)
        if c.carrier is not None:
            c.carrier.take(c)
    if c.fin_at is not None and c.fin_at == c.rcv_nxt:
        _take_fin(c)
    elif segment.flags & FIN:
        c.ack_now = True
    if c.rcv_nxt > before and c.inbox and not c.half_closed:
        c.tell("readable")


def _note_marks(c: Connection, segment: Segment) -> None:
    """The receiver's side of ECN (RFC 3168 §6.1.3), or DCTCP's (RFC 8257 §3.2)."""
    if not c.ecn:
        return
    marked = segment.ecn == CE
    if c.control.wants_ect:
        if marked != c.ce:
            # What was delayed is acknowledged with the old state, so that every mark is counted once.
            if "delayed ack" in c.timers:
                output.acknowledge(c)
            c.ce = c.ece = marked
            c.ack_now = True
        return
    if segment.flags & CWR:
        c.ece = False
        c.ack_now = True
    if marked:
        c.ece = True


def _take_data(c: Connection, segment: Segment, seq: int) -> None:
    if seq != c.rcv_nxt:
        held = c.reassembly.holds(seq, seq + len(segment.payload))
        if held and c.sack_ok:
            c.duplicate = held
        c.reassembly.add(seq, segment.payload)
        c.ack_now = True
        return
    filled = bool(c.reassembly.runs)
    if filled and c.sack_ok and c.duplicate is None:
        c.duplicate = c.reassembly.holds(seq, seq + len(segment.payload))
    _deliver(c, segment.payload)
    while more := c.reassembly.take(c.rcv_nxt):
        _deliver(c, more)
    if filled:
        c.ack_now = True
    else:
        _owe_ack(c, len(segment.payload))


def _deliver(c: Connection, data: bytes) -> None:
    c.rcv_nxt += len(data)
    if not c.half_closed:
        c.inbox += data


def _owe_ack(c: Connection, size: int) -> None:
    """Every second full segment at once, the rest within the delay (RFC 5681 §4.2, RFC 9293 §3.8.6.3)."""
    delay = c.knobs.delayed_ack
    if c.quick_acks:
        c.quick_acks -= 1
        c.ack_now = True
    elif not delay or size > c.send_mss or "delayed ack" in c.timers:
        c.ack_now = True
    else:
        c.timers["delayed ack"] = c.now + delay


_ON_FIN = {ESTABLISHED: CLOSE_WAIT, FIN_WAIT_1: CLOSING, FIN_WAIT_2: TIME_WAIT}


def _take_fin(c: Connection) -> None:
    """The peer has no more to say."""
    c.rcv_nxt += 1
    c.fin_received = True
    c.ack_now = True
    if not c.bsd:  # Linux forgets here what it would have reported
        c.duplicate = None
    if c.state != SYN_RECEIVED:
        c.step("receive FIN")
    if c.state == TIME_WAIT:
        enter_time_wait(c)
    c.tell("ended")


def enter_time_wait(c: Connection) -> None:
    """Wait 2 MSL, so that nothing of this connection is taken for the next one's (RFC 9293 §3.6)."""
    if c.ack_now:
        output.acknowledge(c)
    c.timers.clear()
    c.timers["2 MSL"] = c.now + 2 * c.knobs.msl
