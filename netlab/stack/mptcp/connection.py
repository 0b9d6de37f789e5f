"""A multipath connection: one end of a stream that several TCP connections carry (RFC 8684).

Like a TCP connection it holds no clock and no socket: it is handed what happened on a subflow and the time, and gives
back acts: segments of subflows, subflows to open, events for its owner; `next_timer` tells its own next deadline.
A segment that came was shown to its `Subflow` already, which told the methods of "what subflows tell" here.
"""

from __future__ import annotations

from netlab.stack.mptcp import closing, deadlines, dispatch, fallback, paths
from netlab.stack.mptcp.actions import Act, Carry, Join
from netlab.stack.mptcp.dataspace import ReceiveSpace, SendSpace, unwrapped
from netlab.stack.mptcp.mapping import Mapping
from netlab.stack.mptcp.scheduler import SCHEDULERS
from netlab.stack.mptcp.settings import Settings
from netlab.stack.mptcp.subflow import Subflow
from netlab.stack.tcp.congestion.lia import Group, Lia
from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.knobs import Knobs
from netlab.stack.tcp.segment import Action, Event, Segment
from netlab.stack.tcp.state import State
from netlab.wire.mptcp import (
    MPTCP_ERROR,
    AddAddr,
    Fail,
    FastClose,
    Option,
    Prio,
    RemoveAddr,
    dss_checksum,
    initial_dsn,
    token,
)


class Mptcp:
    """``client``: whether this end opened the first subflow; ``key`` is this end's, 64 bits that nobody can guess."""

    def __init__(self, settings: Settings, knobs: Knobs, key: int, *, client: bool) -> None:
        self.settings, self.knobs, self.client = settings, knobs, client
        self.local_key = key
        self.peer_key: int | None = None
        self.peer_token: int | None = None
        self.checksum = settings.checksum
        self.schedule = SCHEDULERS[settings.scheduler]
        self.subflows: list[Subflow] = []
        self.first_local = 0
        """Our address on the first subflow."""
        self.sending = SendSpace(initial_dsn(key) + 1)
        self.receiving = ReceiveSpace(knobs.receive_buffer)
        self.group = Group()
        self.congestion = ""
        """What each subflow does by itself; "": as the settings say."""
        self.paths = paths.Paths(self)
        self.plain: Connection | None = None
        """The one connection that is left of it when the peer, or somebody on the way, does not speak MPTCP."""
        self.now = 0
        self.out: list[Act] = []
        self.timers: dict[str, int] = {}
        self.retries = 0
        """How often in a row the data's own timer ran out."""
        self.nodelay = False
        self.connected = self.orphan = self.closed = False
        self.half_closed = False
        """Whether the owner reads no more: what comes is taken and thrown away."""
        self.error = ""
        """The errno's name that it ended with."""
        self.cut = ""
        """The errno's name when the connection was cut."""
        self.offered = 0
        """One behind the last byte that the peer was offered to send."""
        self.alone = True
        """Whether no second subflow was ever begun: only then is there a way back to plain TCP (§3.7)."""
        self.failing: Subflow | None = None
        """The subflow on which a checksum was wrong, while MP_FAIL was not said."""
        self.wanted: list[Join] = []
        """Subflows to open, as soon as the call is over."""
        self._news: list[Event] = []
        self._confirmed: list[Subflow] = []
        self._served = 0
        self.owner: object = None
        """Whoever holds the socket."""

    # ---- what the owner asks -----------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many bytes `write` would take."""
        if self.sending.fin_queued or self.closed:
            return 0
        if self.plain is not None:
            return max(self.plain.room - fallback.waiting(self), 0)
        return max(self.knobs.send_buffer - len(self.sending.queue), 0)

    @property
    def soft_error(self) -> str:
        """What ICMP said of the first subflow, while that is no reason to give up."""
        return self.subflows[0].c.soft_error if self.subflows else ""

    @property
    def fin_queued(self) -> bool:
        """Whether the owner sends no more."""
        return self.sending.fin_queued

    def write(self, data: bytes) -> int:
        """Queue data; how many bytes there was room for. `push` sends them."""
        taken = data[: self.room]
        self.sending.queue += taken
        return len(taken)

    def read(self, size: int) -> bytes:
        """Take up to ``size`` bytes that have arrived in order. `push` tells the peer of the room."""
        inbox = self.receiving.inbox
        data = bytes(inbox[:size])
        del inbox[:size]
        if self.plain is not None and len(data) < size:
            data += self.plain.read(size - len(data))
        return data

    @property
    def state(self) -> State:
        """The stream's, in the words of TCP."""
        if self.plain is not None:
            return self.plain.state
        if self.closed:
            return State.CLOSED
        if not self.connected:
            return State.SYN_SENT if self.client else State.SYN_RECEIVED
        if self.sending.fin_queued:
            return State.LAST_ACK if self.receiving.ended else State.FIN_WAIT_1
        return State.CLOSE_WAIT if self.receiving.ended else State.ESTABLISHED

    @property
    def delivered(self) -> int:
        """Bytes of ours that the peer has acknowledged."""
        if self.plain is not None:
            return self.plain.delivered
        return self.sending.una - initial_dsn(self.local_key) - 1

    @property
    def inbox(self) -> bytearray:
        """What has arrived and was not read, unless plain TCP holds it."""
        return self.receiving.inbox or (self.plain.inbox if self.plain is not None else self.receiving.inbox)

    @property
    def at_end(self) -> bool:
        """Whether the peer has closed and all has been read."""
        if self.receiving.inbox:
            return False
        if self.plain is not None:
            return self.plain.at_end
        return self.receiving.ended or self.closed

    def push(self, now: int) -> list[Act]:
        """Send what may be sent, after `write` or `read`."""
        self._enter(now)
        self._window_update()
        return self._leave()

    def shutdown(self, now: int) -> list[Act]:
        """Send no more: a DATA_FIN follows what is queued (§3.3.3)."""
        self._enter(now)
        self.sending.fin_queued = True
        return self._leave()

    def close(self, now: int) -> list[Act]:
        """The owner goes; with bytes unread the peer is told that they were in vain."""
        self._enter(now)
        self.orphan = True
        if self.inbox and self.knobs.reset_on_unread:
            closing.cut(self, "")
        else:
            self.sending.fin_queued = True
        return self._leave()

    def abort(self, now: int) -> list[Act]:
        """Cut the connection: MP_FASTCLOSE on a RST of every subflow (§3.5)."""
        self._enter(now)
        closing.cut(self, "")
        return self._leave()

    def prefer(self, s: Subflow, now: int, *, backup: bool) -> list[Act]:
        """Tell the peer that ``s`` is a backup, or no longer one (§3.3.8)."""
        self._enter(now)
        self.paths.prefer(s, backup=backup)
        return self._leave()

    def withdraw(self, own: paths.OwnAddress, now: int) -> list[Act]:
        """One of our addresses is gone: its subflows end, and the peer is told (§3.4.2)."""
        self._enter(now)
        self.paths.withdraw(own)
        return self._leave()

    def next_timer(self) -> int | None:
        """The earliest deadline; None when there is none."""
        return min(self.timers.values()) if self.timers else None

    def timer(self, now: int) -> list[Act]:
        """Do what is due."""
        self._enter(now)
        deadlines.run(self)
        return self._leave()

    def happened(self, s: Subflow, events: list[Event], now: int) -> list[Act]:
        """A call of a subflow's connection is over, and these are the events that it gave."""
        self._enter(now)
        for event in events:
            self._event(s, event)
        return self._leave()

    # ---- what subflows tell, while their connection looks at a segment ------------------------

    def learn_key(self, key: int) -> None:
        """The peer's key: from now on its token and where its data begin are known."""
        self.peer_key, self.peer_token = key, token(key)
        self.receiving.nxt = initial_dsn(key) + 1

    def subflow_confirmed(self, s: Subflow) -> None:
        """The peer speaks MPTCP on ``s``."""
        self._confirmed.append(s)

    def subflow_stalled(self, s: Subflow) -> None:
        """The retransmission timer of ``s`` ran out."""
        dispatch.rescue(self, s)

    def data_number(self, number: int, *, wide: bool) -> int:
        """The peer's data sequence number, unwrapped."""
        return unwrapped(self.receiving.nxt, number, wide=wide)

    def data_acknowledged(self, number: int, window: int, *, wide: bool) -> None:
        """DATA_ACK, and the window that counts from it (§3.3.2, §3.3.4)."""
        sending = self.sending
        ack = unwrapped(sending.una, number, wide=wide)
        if ack > sending.end + 1:
            return
        had_room = self.room > 0
        if sending.acknowledged(ack):
            self.retries = 0
            self.timers.pop("data", None)
            for s in self.subflows:
                s.outgoing.forget(s.c.snd_una, sending.una)
            if self.room and (not had_room or not sending.queue):
                self._news.append(Event("writable"))
        sending.edge = max(sending.edge, ack + window)

    def arrived(self, dsn: int, data: bytes) -> None:
        """Bytes of the stream came."""
        receiving = self.receiving
        if receiving.add(dsn, data):
            if self.orphan or self.half_closed:
                receiving.inbox.clear()
            self._tell_once("readable")
            self._tell_end()

    def data_fin(self, dsn: int) -> None:
        """DATA_FIN stands at ``dsn`` (§3.3.3)."""
        if self.receiving.fin_at is None:
            self.receiving.fin_at = dsn
        if not self.receiving.ended and self.receiving.finish():
            self._tell_end()

    def _tell_end(self) -> None:
        if self.receiving.ended:
            self._tell_once("ended")

    def _tell_once(self, what: str) -> None:
        event = Event(what)
        if event not in self._news:
            self._news.append(event)

    def hears(self, s: Subflow, option: Option) -> None:
        """Any option that is not about data."""
        if isinstance(option, AddAddr | RemoveAddr):
            self.paths.hears(s, option)
        elif isinstance(option, Prio):
            s.backup = option.backup
        elif isinstance(option, Fail):
            fallback.failed(self, s, option.dsn)
        elif isinstance(option, FastClose) and option.receiver_key == self.local_key:
            self.cut = "ECONNRESET"

    def fall_back(self, s: Subflow) -> None:
        """Plain TCP from here on (§3.7)."""
        fallback.fall_back(self, s)

    def infinite_mapping(self, s: Subflow, dsn: int) -> None:
        """The peer fell back (§3.7): what comes is the stream, without mappings."""
        fallback.infinite(self, s)

    def unmapped(self, s: Subflow) -> None:
        """Bytes without a mapping came."""
        fallback.unmapped(self, s)

    def bad_mapping(self, s: Subflow) -> None:
        """A mapping contradicts another."""
        s.refuse(MPTCP_ERROR)

    def checksum_wrong(self, s: Subflow, mapping: Mapping) -> None:
        """Somebody on the way changed the bytes (§3.7)."""
        fallback.checksum_wrong(self, s, mapping)

    def checksum_of(self, dsn: int, ssn: int, data: bytes, size: int | None = None) -> int | None:
        """The checksum of a mapping (§3.3.1); None where none is used."""
        if not self.checksum:
            return None
        return dss_checksum(dsn % (1 << 64), ssn, len(data) if size is None else size, data)

    # ---- what the parts share ----------------------------------------------------------------

    def add(self, s: Subflow) -> None:
        """A subflow begins."""
        if self.subflows:
            self.alone = False
        else:
            self.first_local = s.pair.local
        self.subflows.append(s)
        if self.congestion:
            s.c.choose_control(self.congestion)
        elif self.settings.coupled:
            s.c.control = Lia(s.c.send_mss, self.knobs.initial_window, self.group)

    def tell(self, what: str, error: str = "") -> None:
        """An event for the owner."""
        self.error = self.error or error
        self.out.append(Event(what, error))

    def give(self, s: Subflow, start: int, size: int, *, again: bool = False) -> None:
        """Have ``s`` carry ``size`` bytes from ``start`` on; ``again``: the first of what is to be repeated."""
        sending = self.sending
        s.give(start, sending.slice(start, size))
        self._served += 1
        s.served = self._served
        if again:
            sending.repeated(size)
        else:
            sending.nxt += size
        self.do(s, s.c.push(self.now))

    def do(self, s: Subflow, actions: list[Action]) -> None:
        """A call of a subflow's connection answered with these."""
        self.out.append(Carry(s, [a for a in actions if isinstance(a, Segment)]))
        for action in actions:
            if isinstance(action, Event):
                self._event(s, action)

    def nudge(self, s: Subflow) -> None:
        """Have a subflow say something: an acknowledgement carries what waits to be said."""
        self.do(s, s.c.acknowledge(self.now))

    def _enter(self, now: int) -> None:
        self.now = now
        self.out = []

    def _leave(self) -> list[Act]:
        self._go_on()
        out, self.out = self.out, []
        return out

    def _go_on(self) -> None:
        """What follows from whatever happened."""
        if self.cut and not self.closed:
            closing.was_cut(self)
        for s in [s for s in self.subflows if s.why is not None and not s.gone]:
            s.gone = True
            self.do(s, s.c.abort(self.now))
        if self.failing is not None:
            fallback.say_failure(self, self.failing)
        news, self._news = self._news, []
        self.out += news
        if self.plain is not None:
            fallback.go_on(self)
            return
        confirmed, self._confirmed = self._confirmed, []
        for s in confirmed:
            self.paths.confirmed(s)
        self.out += self.wanted
        self.wanted = []
        for s in self.subflows:
            if s.said:  # a segment with data had no room for it
                self.nudge(s)
        dispatch.go_on(self)
        closing.go_on(self)
        deadlines.arm(self)

    def _event(self, s: Subflow, event: Event) -> None:
        """What a subflow's connection tells."""
        if self.plain is not None:
            fallback.event(self, s, event)
        elif event.what == "connected":
            self._connected(s)
        elif event.what == "ended":
            closing.subflow_ended(self, s)
        elif event.what in ("closed", "reset", "refused", "timed out"):
            closing.subflow_lost(self, s, event)

    def _connected(self, s: Subflow) -> None:
        if not self.connected:
            self.connected = True
            self.offered = self.receiving.nxt + self.receiving.buffer
            self.tell("connected")
        elif not s.confirmed:
            self.timers["join"] = self.now + s.c.rto.timeout

    def _window_update(self) -> None:
        """So much was read that the peer should hear of it, on whichever subflow it waits (RFC 9293 §3.8.6.2.2)."""
        if self.plain is not None:
            self.do_plain_push()
            return
        receiving = self.receiving
        news = receiving.nxt + receiving.window - self.offered
        if news > 0 and (2 * news >= receiving.buffer or 8 * receiving.window - 8 * news <= receiving.buffer):
            for s in self.subflows:
                if s.usable:
                    self.nudge(s)

    def do_plain_push(self) -> None:
        """Plain TCP sends what it may, and tells of the room."""
        assert self.plain is not None
        self.do(self.subflows[0], self.plain.push(self.now))
