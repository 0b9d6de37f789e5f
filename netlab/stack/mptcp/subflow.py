"""A subflow: one TCP connection that carries part of a stream (RFC 8684 §3.3). It is that connection's `Carrier`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.mptcp.handshake import Found, Handshake
from netlab.stack.mptcp.mapping import Mapping, Mappings
from netlab.stack.tcp.sequence import unwrap
from netlab.stack.tcp.state import CLOSE_WAIT, ESTABLISHED
from netlab.wire.mptcp import UNSPECIFIED, Capable, Dss, FastClose, Reset, parse
from netlab.wire.tcp import MAXIMUM_OPTIONS

if TYPE_CHECKING:
    from netlab.stack.mptcp.connection import Mptcp
    from netlab.stack.tcp.connection import Connection
    from netlab.stack.tcp.layer import Endpoint, Pair
    from netlab.stack.tcp.segment import Segment
    from netlab.wire.tcp import Options

DSS_BYTES = 24
"""A DSS with a data acknowledgement of 4 bytes and a mapping: 22 bytes and padding, or 24 with a checksum."""
TRANSIENT = 1
"""Flag T of MP_TCPRST (§3.6)."""


class Subflow:
    """``c`` is its connection; ids are those of its addresses (0: the address of the first subflow)."""

    overhead = DSS_BYTES

    def __init__(self, m: Mptcp, c: Connection, pair: Pair, handshake: Handshake) -> None:
        self.m, self.c, self.pair, self.handshake = m, c, pair, handshake
        self.endpoint: Endpoint | None = None
        """Where the layer keeps the connection."""
        self.local_id = self.remote_id = 0
        self.backup = False
        self.confirmed = False
        """Whether the peer is known to speak MPTCP on it."""
        self.gone = False
        self.stuck = False
        """Whether its retransmission timer ran out and nothing was acknowledged since."""
        self.why: int | None = None
        """Why it is to be reset (§3.6)."""
        self.words: list[bytes] = []
        """Options that its RST carries."""
        self.outgoing, self.incoming = Mappings(), Mappings()
        self.taken = 0
        """The sequence number of the first byte that was not yet taken from the connection."""
        self.served = 0
        """When the scheduler chose it last, as a count."""
        self.said: list[bytes] = []
        """Options that wait for an acknowledgement to carry them."""
        self.penalised = 0
        """When its window was last halved because it held others back."""
        self.octets = 0
        """Bytes of the stream that were given to it."""
        c.carrier = self
        c.nodelay = True

    def __repr__(self) -> str:
        return f"Subflow({self.pair.local_port} to {self.pair.remote_port})"

    # ---- what the rest of the connection asks ------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether new data may go by it at all."""
        ready = self.confirmed or self.handshake.sends_at_once
        return ready and not self.gone and not self.stuck and self.c.state in (ESTABLISHED, CLOSE_WAIT)

    @property
    def space(self) -> int:
        """Bytes for which its windows have room, beyond what it was given already."""
        c = self.c
        given = c.queue_start + len(c.queue)
        quota = c.control.cwnd - c.in_flight - (given - c.snd_nxt)
        return min(quota, c.snd_una + c.snd_wnd - given, c.room)

    @property
    def narrow(self) -> bool:
        """Whether nothing is on its way, and the peer's window has room for less than a segment."""
        c = self.c
        return 0 < c.snd_wnd < c.send_mss and not c.queue

    def confirm(self) -> None:
        """The peer speaks MPTCP on it."""
        if not self.confirmed:
            self.confirmed = True
            self.m.subflow_confirmed(self)

    def refuse(self, reason: int) -> None:
        """It is to be reset, with a reason of §3.6."""
        if self.why is None:
            self.why = reason

    def give(self, dsn: int, data: bytes) -> None:
        """Carry ``data``."""
        c = self.c
        start = c.queue_start + len(c.queue)
        taken = c.write(data)
        assert taken == len(data), "the scheduler gave more than there was room for"
        checksum = self.m.checksum_of(dsn, start - c.iss, data)
        self.outgoing.add(Mapping(start, start + len(data), dsn, checksum))
        self.octets += len(data)

    # ---- what its connection asks (`Carrier`) ------------------------------------------------

    def syn_options(self, c: Connection) -> tuple[bytes, ...]:
        """As the handshake says."""
        option = self.handshake.syn_option(self)
        return () if option is None else (option,)

    def learn(self, c: Connection, syn: Segment) -> None:
        """The peer's SYN: from here on its sequence numbers are known."""
        self.taken = c.irs + 1
        self.handshake.learn(self, syn, _parsed(syn))

    def admits(self, c: Connection, segment: Segment) -> bool:
        """Options first: what they say of data must be known before the data are looked at."""
        found = _parsed(segment)
        if not self.confirmed and not self.handshake.hears(self, segment, found):
            return False
        if c.carrier is None:
            return True
        for option in found:
            if isinstance(option, Dss):
                self._take_dss(segment, option)
            elif isinstance(option, Capable):
                self._take_first(option)
            else:
                self.m.hears(self, option)
        return True

    def _take_first(self, said: Capable) -> None:
        """The first data come with MP_CAPABLE, which maps them (§3.1)."""
        start = self.c.irs + 1
        if said.data_length and self.taken == start:
            self.incoming.add(Mapping(start, start + said.data_length, self.m.receiving.nxt, said.checksum))

    def _take_dss(self, segment: Segment, dss: Dss) -> None:
        if dss.data_ack is not None:
            self.m.data_acknowledged(dss.data_ack, segment.window << self.c.snd_scale, wide=dss.wide_ack)
        if dss.dsn is not None:
            self._take_mapping(dss)
        self.c.ack_now = self.c.ack_now or dss.fin

    def _take_mapping(self, dss: Dss) -> None:
        m, c = self.m, self.c
        assert dss.dsn is not None
        dsn = m.data_number(dss.dsn, wide=dss.wide_dsn)
        size = dss.length - dss.fin
        if dss.fin:
            m.data_fin(dsn + size)
        if not dss.length:
            m.infinite_mapping(self, dsn)
        elif size:
            start = c.irs + unwrap(self.taken - c.irs, dss.ssn)
            mapping = Mapping(start, start + size, dsn, dss.checksum, dss.fin)
            if mapping.end > self.taken and not self.incoming.add(mapping):
                m.bad_mapping(self)

    def dress(self, c: Connection, options: Options, seq: int, size: int) -> Options:
        """The handshake's option, or a DSS and what waits to be said; SACK blocks get the room that is left."""
        option = None if self.confirmed else self.handshake.ack_option(self, seq, size)
        values = [option or self._dss(seq, size).pack()]
        room = MAXIMUM_OPTIONS - (12 if options.timestamps else 0)
        while self.said and not size:
            together = _words([*values, self.said[0]])
            if together > room and _words(self.said[:1]) > room - 4:
                values = []  # too long for anything beside it (§3.4.1: an IPv6 address with its HMAC)
            elif together > room:
                break
            values.append(self.said.pop(0))
        blocks = max((room - _words(values) - 4) // 8, 0)
        return options._replace(sack=options.sack[:blocks], mptcp=tuple(values))

    def _dss(self, seq: int, size: int) -> Dss:
        m = self.m
        ack = m.receiving.nxt % (1 << 32)
        mapping = self.outgoing.covering(seq) if size else None
        if mapping is not None:
            ssn = (mapping.start - self.c.iss) % (1 << 32)
            dsn = mapping.dsn % (1 << 64)
            return Dss(ack, dsn, ssn, len(mapping), mapping.checksum, wide_ack=False)
        if not size and m.sending.fin_sent and not m.sending.fin_acked:
            dsn = m.sending.end % (1 << 64)
            return Dss(ack, dsn, 0, 1, m.checksum_of(dsn, 0, b"", 1), fin=True, wide_ack=False)
        return Dss(ack, wide_ack=False)

    def bound(self, seq: int) -> int:
        """A segment lies within one mapping (§3.3.1)."""
        mapping = self.outgoing.covering(seq)
        return mapping.end - seq if mapping is not None else 1 << 30

    def window(self) -> int:
        """The stream's, the same on every subflow (§3.3.4)."""
        receiving = self.m.receiving
        self.m.offered = max(self.m.offered, receiving.nxt + receiving.window)
        return receiving.window

    def take(self, c: Connection) -> None:
        """Move what is mapped from the connection to the stream."""
        if c.carrier is None:
            return
        while c.inbox:
            mapping = self.incoming.covering(self.taken)
            if mapping is None:
                self.m.unmapped(self)
                return
            size = min(len(c.inbox), mapping.end - self.taken)
            if mapping.checksum is not None and not self._whole(mapping):
                return
            data = bytes(c.inbox[:size])
            del c.inbox[:size]
            self.m.arrived(mapping.dsn + self.taken - mapping.start, data)
            self.taken += size
        self.incoming.forget(self.taken, 1 << 80)

    def _whole(self, mapping: Mapping) -> bool:
        """Whether all of a mapping with a checksum is here and sums up."""
        if len(self.c.inbox) < mapping.end - self.taken:
            return False
        data = bytes(self.c.inbox[: len(mapping)])
        ssn = (mapping.start - self.c.irs) % (1 << 32)
        if self.m.checksum_of(mapping.dsn, ssn, data, len(mapping) + mapping.fin) == mapping.checksum:
            return True
        self.m.checksum_wrong(self, mapping)
        return False

    def stalled(self, c: Connection) -> None:
        """Others carry what it has not delivered."""
        self.stuck = True
        self.m.subflow_stalled(self)

    def last_words(self, c: Connection) -> tuple[bytes, ...]:
        """Why the connection, or this subflow alone, is cut."""
        if self.why is None and self.words:
            return tuple(self.words)
        return (*self.words, Reset(0, UNSPECIFIED if self.why is None else self.why).pack())

    def hear_reset(self, c: Connection, segment: Segment) -> None:
        """A RST may say that the whole connection is cut (§3.5), or that a checksum was wrong (§3.7)."""
        for option in _parsed(segment):
            if not isinstance(option, Reset | Dss):
                self.m.hears(self, option)
            if isinstance(option, FastClose):
                return


def _parsed(segment: Segment) -> Found:
    return [option for value in segment.options.mptcp if (option := parse(value)) is not None]


def _words(values: list[bytes]) -> int:
    """Bytes that options with these values take, padding and all."""
    return -(-sum(len(value) + 2 for value in values) // 4) * 4
