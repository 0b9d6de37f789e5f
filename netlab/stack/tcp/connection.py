"""A connection: the state of one end (RFC 9293 §3.3.1), and what its owner may ask of it.

It is handed segments and time, and gives back actions: segments to send, and events for its owner. It holds no clock,
no address and no port. What happens to a segment that arrives is in `receive`, `acks` and `closing`; what leaves is
built in `output`; what happens when a deadline passes is in `deadlines`.
"""

from __future__ import annotations

from collections.abc import Callable

from netlab.stack.tcp import deadlines, icmp, output, receive
from netlab.stack.tcp.congestion import CONTROLS
from netlab.stack.tcp.congestion.control import Control
from netlab.stack.tcp.gate import Gate, unsend
from netlab.stack.tcp.knobs import Knobs
from netlab.stack.tcp.multipath import Carrier
from netlab.stack.tcp.options import scale_for
from netlab.stack.tcp.reassembly import Reassembly
from netlab.stack.tcp.rto import RtoEstimator
from netlab.stack.tcp.scoreboard import Scoreboard
from netlab.stack.tcp.segment import Action, Event, Segment
from netlab.stack.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_WAIT_2,
    RECEIVING,
    SENDING,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
    State,
    after,
)
from netlab.units import MS

INITIAL_BYTES = 1
"""A SYN takes one sequence number."""


class Connection:
    """One end of a connection. Sequence numbers are held without wrapping (see `sequence`); times in ns.

    ``mss`` is what this end can receive (MTU less headers), ``iss`` the initial sequence number (RFC 6528: from a
    secret, the owner's business), ``stamp_offset`` what the timestamp clock starts at (RFC 7323 §5.4).
    """

    def __init__(self, knobs: Knobs, *, mss: int, iss: int, stamp_offset: int = 0, version: int = 4) -> None:
        self.knobs, self.version = knobs, version
        self.bsd = knobs.system == "freebsd"
        self.state: State = CLOSED
        self.now = 0
        """The time that came with the present call."""
        self.out: list[Action] = []
        """What the present call answers with."""
        self.timers: dict[str, int] = {}
        """Name of a deadline -> when."""
        self.error = ""
        """The errno's name that the connection ended with."""
        self.soft_error = ""
        """What ICMP said, while that is no reason to give up (RFC 5461)."""
        self._offset = stamp_offset
        self.carrier: Carrier | None = None
        """Whoever spreads a stream over this connection and others; None for TCP by itself."""
        self._set_up_sending(iss, mss)
        self._set_up_receiving(mss)
        self._set_up_options()
        self._set_up_recovery()

    def _set_up_sending(self, iss: int, mss: int) -> None:
        self.iss = self.snd_una = self.snd_nxt = self.snd_max = iss
        self.snd_wnd = self.max_window = 0
        """SND.WND, and the largest that the peer ever offered (RFC 9293 §3.8.6.2.1)."""
        self.snd_wl1 = self.snd_wl2 = 0
        self.snd_up = 0
        """One behind the last urgent byte; 0 for none."""
        self.queue = bytearray()
        """Bytes from `queue_start` on: unacknowledged ones, then unsent ones."""
        self.queue_start = iss + INITIAL_BYTES
        self.send_buffer = self.knobs.send_buffer
        self.fin_queued = self.fin_sent = False
        self.send_mss = min(mss, self.knobs.default_mss if self.version == 4 else self.knobs.default_mss_v6)
        self.control = self._control(self.knobs.congestion)
        self.longest: Callable[[], int] | None = None
        """How many bytes of text a segment may hold inside the host; None: the knob says it."""
        self.was_cut = False
        """Whether segments have left that somebody cuts on their way."""
        self.nodelay = self.cork = False
        self.small_end = iss
        """Where the last segment ended that was not full."""
        self.gate: Gate | None = None
        """What lies below and may say no; None: everything may leave at once."""
        self.unsent_limit: int | None = None
        """How many bytes may be queued beyond what was sent (TCP_NOTSENT_LOWAT of Linux)."""
        self.short = False
        """Whether a write found less room than it wanted."""
        self.last_sent = 0
        self.simultaneous = False
        """Whether a SYN came in SYN-SENT."""
        self.fast_opened = self.synack_due = False
        """Whether a cookie let a SYN's data in (RFC 7413), and whether that SYN is not yet answered."""
        self.fin_wanted = False
        """Whether the owner finished before the connection began."""
        self.syn_data = 0
        """Bytes that the SYN carried (RFC 7413)."""

    def _set_up_receiving(self, mss: int) -> None:
        self.local_mss = mss
        self.irs = self.rcv_nxt = self.rcv_adv = 0
        """RCV.NXT, and the right edge of the window that was last offered."""
        self.last_ack_sent = 0
        self.inbox = bytearray()
        self.was_read = False
        """Whether anything was read since the peer last heard of the window."""
        self.receive_buffer = self.knobs.receive_buffer
        self.reassembly = Reassembly()
        self.duplicate: tuple[int, int] | None = None
        """What came twice, to be told once (RFC 2883)."""
        self.fin_at: int | None = None
        """Where the peer's FIN stands."""
        self.fin_received = False
        self.held: Segment | None = None
        """What a SYN in SYN-SENT carried, until the connection is established (RFC 9293 §3.10.7.3)."""
        self.saved_mss = 0
        """The MSS before a black hole was suspected; 0 while none is."""
        self.rcv_up = 0
        self.ack_now = False
        self.quick_acks = self.knobs.quick_acks
        self.heard = 0
        """When the last segment came."""
        self.half_closed = False
        """Whether the owner reads no more: what comes is taken and thrown away."""
        self.orphan = False
        """Whether the owner has gone (closed, not only shut down)."""

    def _set_up_options(self) -> None:
        knobs = self.knobs
        self.scaling, self.timestamping, self.sack_ok = knobs.window_scaling, knobs.timestamps, knobs.sack
        """Asked for in a SYN; from the answer on: agreed on."""
        self.no_options = False
        self.snd_scale = 0
        self.rcv_scale = scale_for(knobs.maximum_buffer) if self.scaling else 0
        self.scaled = False
        """Whether windows are scaled: from the first segment after the handshake on."""
        self.ts_recent = self.ts_recent_age = 0
        self.ecn_asked = knobs.ecn == 1
        self.ecn = self.ece = self.cwr_due = False
        """Agreed on; to be echoed; to be said with the next new data."""
        self.ce = False
        """DCTCP.CE (RFC 8257 §3.2)."""
        self.cookie: bytes | None = None
        """Fast open: what the SYN carries; empty asks for a cookie, None says nothing."""
        self.granted_cookie: bytes | None = None
        """Fast open: what a SYN ACK grants, or what the peer's granted."""
        self.synack_fast_open: bytes | None = None
        self.keep_alive = False
        self.keep_idle, self.keep_interval, self.keep_count = knobs.keep_idle, knobs.keep_interval, knobs.keep_count
        self.keep_init = knobs.keep_init
        self.user_timeout = 0
        self.linger: int | None = None
        """SO_LINGER's ns; None when it is off."""

    def _set_up_recovery(self) -> None:
        self.rto = RtoEstimator(self.knobs)
        self.board = Scoreboard()
        self.retries = 0
        """How often in a row the retransmission timer ran out."""
        self.probes = 0
        """Probes since the window closed."""
        self.unanswered = 0
        """Window or keepalive probes in a row that brought no segment at all."""
        self.duplicates = 0
        """Duplicate acknowledgements in a row."""
        self.recovery = ""
        """"": none; "fast": fast recovery; "loss": after a timeout."""
        self.recover = 0
        """SND.NXT when recovery, or the last reduction, began (RFC 6582 §3.2)."""
        self.prr_delivered = self.prr_out = self.prr_flight = 0
        self.force = False
        """The next segment goes whatever the window says (the first retransmission)."""
        self.rack_sent = self.rack_end = self.rack_rtt = self.rack_fack = 0
        self.reordered = False
        self.tail_probe = 0
        """SND.NXT when a tail loss probe was sent, 0 when none is out (RFC 8985 §7.4.1)."""
        self.limited = False
        """Whether the congestion window, and not the program, held data back."""
        self.challenges = 0
        self.challenge_since = 0

    # ---- what the owner asks -----------------------------------------------------------------

    def open(self, now: int) -> list[Action]:
        """Active open: send a SYN, with what is queued if there is a cookie for it (RFC 7413 §4.2)."""
        self._enter(now)
        self.step("active open")
        if self.keep_init:
            self.timers["connect"] = now + self.keep_init
        output.send_syn(self)
        return self._leave()

    def accept(self, syn: Segment, now: int, *, take_data: bool = False) -> list[Action]:
        """Passive open: a listener was sent this SYN; with ``take_data`` its cookie was good (RFC 7413 §4.2.2)."""
        self._enter(now)
        self.step("passive open")
        receive.answer_syn(self, syn, take_data=take_data)
        return self._leave()

    def resume(self, syn: Segment, ack: Segment, now: int) -> list[Action]:
        """Passive open that a SYN cookie recalls: the SYN was answered without a trace, here is its ACK."""
        self._enter(now)
        self.step("passive open")
        receive.answer_syn(self, syn)
        self.out.clear()
        receive.arrives(self, ack)
        return self._leave()

    def icmp(self, seq: int, now: int, *, error: str = "", hard: bool = False, mss: int = 0) -> list[Action]:
        """ICMP quoted our segment ``seq``: unreachable (``error``), or too big (``mss`` is what fits)."""
        self._enter(now)
        if icmp.concerns(self, seq):
            if mss:
                icmp.too_big(self, mss)
            else:
                icmp.unreachable(self, error, hard=hard)
        return self._leave()

    def segment(self, segment: Segment, now: int) -> list[Action]:
        """A segment arrived."""
        self._enter(now)
        self.heard = now
        receive.arrives(self, segment)
        return self._leave()

    def timer(self, now: int) -> list[Action]:
        """Do what is due; too early a call does nothing."""
        self._enter(now)
        deadlines.run(self)
        return self._leave()

    def next_timer(self) -> int | None:
        """The earliest deadline; None when there is none."""
        return min(self.timers.values()) if self.timers else None

    def push(self, now: int) -> list[Action]:
        """Send what may be sent, after `write` or `read`."""
        self._enter(now)
        output.push(self)
        return self._leave()

    def acknowledge(self, now: int) -> list[Action]:
        """An acknowledgement by itself, whatever else there is to send."""
        self._enter(now)
        if self.state in SENDING or self.state in RECEIVING:
            output.acknowledge(self)
        return self._leave()

    def write(self, data: bytes, *, urgent: bool = False) -> int:
        """Queue data; how many bytes there was room for. `push` sends them."""
        taken = data[: max(0, self.room)]
        self.short = len(taken) < len(data)
        self.queue += taken
        if urgent and taken:
            self.snd_up = self.queue_start + len(self.queue)
        return len(taken)

    @property
    def room(self) -> int:
        """How many bytes `write` would take."""
        if self.fin_queued or not (self.state <= CLOSE_WAIT):
            return 0
        room = self.send_buffer - len(self.queue)
        if self.gate is not None and self.gate.closed:
            return 0
        if self.unsent_limit is not None:
            room = min(room, self.unsent_limit - (self.queue_start + len(self.queue) - self.snd_nxt))
        return room

    def unsend(self, seq: int) -> bool:
        """A segment from ``seq`` on (unwrapped) was refused by the own interface: it counts as never sent.

        Whether new data are unsent again, rather than a retransmission lost again. `push` is the caller's affair.
        """
        return unsend(self, seq)

    @property
    def delivered(self) -> int:
        """How many bytes of data the peer has acknowledged."""
        return self.queue_start - self.iss - INITIAL_BYTES

    def _control(self, name: str) -> Control:
        control = CONTROLS[name](self.send_mss, self.knobs.initial_window)
        control.system = self.knobs.system
        if self.knobs.initial_threshold:
            control.ssthresh = self.knobs.initial_threshold
        return control

    def choose_control(self, name: str) -> None:
        """Another congestion control, by its name in `CONTROLS`; DCTCP asks for ECN (RFC 8257 §3.1)."""
        self.control = self._control(name)
        if self.control.wants_ect and self.state == CLOSED:
            self.ecn_asked = True

    def read(self, size: int) -> bytes:
        """Take up to ``size`` bytes that have arrived in order. `push` tells the peer of the room."""
        data = bytes(self.inbox[:size])
        del self.inbox[:size]
        self.was_read = True
        return data

    @property
    def at_end(self) -> bool:
        """Whether the peer has closed and all has been read."""
        return not self.inbox and (self.fin_received or self.state in (CLOSED, TIME_WAIT))

    def shutdown(self, now: int) -> list[Action]:
        """Close this direction: a FIN follows what is queued (RFC 9293 §3.6)."""
        self._enter(now)
        if self.bsd and self.state == SYN_SENT:
            self.fin_wanted = True  # RFC 9293 §3.10.4: queued until the connection is there
        else:
            self.finish()
        return self._leave()

    def close(self, now: int) -> list[Action]:
        """The owner goes: a FIN, or a RST where the rules ask for one (RFC 9293 §3.10.4, RFC 1122 §4.2.2.13)."""
        self._enter(now)
        self.orphan = True
        if self.linger == 0 or (self.inbox and self.knobs.reset_on_unread):
            self._abort()
        else:
            self.inbox.clear()
            if self.state == SYN_RECEIVED and self.bsd and not self.fast_opened:
                self.die("abort", "closed")
                return self._leave()
            self.finish()
            if self.state == FIN_WAIT_2:
                self.timers["fin wait 2"] = now + self.patience
        return self._leave()

    def abort(self, now: int) -> list[Action]:
        """Abort: a RST, and nothing is left (RFC 9293 §3.10.5)."""
        self._enter(now)
        self._abort()
        return self._leave()

    def make_room(self, now: int) -> list[Action]:
        """TIME-WAIT ends before its time, because its pair of ends is wanted again (RFC 6191)."""
        self._enter(now)
        self.die("receive a newer SYN", "closed")
        return self._leave()

    # ---- what the parts of the connection share ----------------------------------------------

    def _enter(self, now: int) -> None:
        self.now = now
        self.out = []

    def _leave(self) -> list[Action]:
        out, self.out = self.out, []
        return out

    @property
    def patience(self) -> int:
        """How long FIN-WAIT-2 lasts when nobody is left to read: no RFC says, and BSD waits as for a silent peer."""
        if not self.bsd or self.knobs.fast_fin_wait_2:
            return self.knobs.fin_wait_2
        return self.keep_count * self.keep_interval

    def clock(self) -> int:
        """TSval: ms (RFC 7323 §5.4)."""
        return (self.now // MS + self._offset) % (1 << 32)

    def step(self, event: str) -> None:
        """Go to the next state, as the table says (KeyError where it says nothing)."""
        self.state = after(self.state, event)

    def tell(self, what: str, error: str = "") -> None:
        """An event for the owner."""
        self.out.append(Event(what, error))

    def die(self, event: str, what: str, error: str = "") -> None:
        """The connection ends by ``event``; the owner is told."""
        self.step(event)
        self.error = error
        self.forget()
        self.tell(what, error)

    def forget(self) -> None:
        """Nothing more is to be done: no timer, nothing queued."""
        self.timers.clear()
        self.queue.clear()
        self.board = Scoreboard()
        self.reassembly = Reassembly()

    def fast_open_option(self, answering: bool) -> bytes | None:
        """The fast open option of a SYN, or of a SYN ACK."""
        # In case somebody on the way drops SYNs that have it, it is said once (RFC 7413 §4.1.3).
        if self.retries:
            return None
        return self.synack_fast_open if answering else self.cookie

    @property
    def in_flight(self) -> int:
        """Bytes thought to be in the network; a duplicate acknowledgement without SACK stands for one segment."""
        flight = self.board.in_flight
        if self.sack_ok or not self.duplicates:
            return flight
        return max(flight - self.duplicates * self.send_mss, 0)

    def finish(self) -> None:
        """No more data will be written: a FIN follows those that are queued."""
        if self.state in (CLOSED, SYN_SENT):
            if self.state == SYN_SENT:
                self.die("close", "closed")
            return
        if self.state in (SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT):
            self.step("close")
            self.fin_queued = True
            output.push(self)

    def _abort(self) -> None:
        if self.state == CLOSED:
            return
        if self.state not in (SYN_SENT, TIME_WAIT):
            output.send_reset(self)
        self.die("abort", "closed")
