"""How a subflow begins: MP_CAPABLE for the first, MP_JOIN for the others (RFC 8684 §3.1, §3.2).

Four roles, for either end of either handshake. Each says what our SYN and our first segments carry, and looks at the
peer's, until the subflow is confirmed: the peer is known to speak MPTCP on it.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Protocol

from netlab.wire.mptcp import (
    CHECKSUM_REQUIRED,
    HMAC_SHA256,
    MPTCP_ERROR,
    PROHIBITED,
    VERSION,
    AddAddr,
    Capable,
    Dss,
    FastClose,
    JoinAck,
    JoinSyn,
    JoinSynAck,
    Option,
    join_hmac,
)
from netlab.wire.tcp import ACK

if TYPE_CHECKING:
    from netlab.stack.mptcp.connection import Mptcp
    from netlab.stack.mptcp.subflow import Subflow
    from netlab.stack.tcp.segment import Segment

Found = list[Option]


def capable(found: Found) -> Capable | None:
    """The MP_CAPABLE that we can speak: version 1, and SHA-256 (§3.1)."""
    for option in found:
        if isinstance(option, Capable) and option.version == VERSION and option.flags & HMAC_SHA256:
            return option
    return None


class Handshake(Protocol):
    """One role."""

    sends_at_once: bool
    """Whether data may leave before the subflow is confirmed."""

    def syn_option(self, s: Subflow) -> bytes | None:
        """What our SYN or SYN ACK carries."""

    def learn(self, s: Subflow, syn: Segment, found: Found) -> None:
        """The peer's SYN or SYN ACK."""

    def ack_option(self, s: Subflow, seq: int, size: int) -> bytes | None:
        """What a segment carries before the subflow is confirmed; None for what it carries later."""

    def hears(self, s: Subflow, segment: Segment, found: Found) -> bool:
        """A segment before the subflow is confirmed; False to drop it."""


class _First:
    sends_at_once = False

    def __init__(self, m: Mptcp) -> None:
        self.m = m

    @property
    def flags(self) -> int:
        return HMAC_SHA256 | (CHECKSUM_REQUIRED if self.m.checksum else 0)

    def agree(self, said: Capable) -> None:
        """A checksum is used when either side wants it (§3.1)."""
        self.m.checksum = self.m.checksum or bool(said.flags & CHECKSUM_REQUIRED)


class FirstOfClient(_First):
    """We open the first subflow: SYN without keys, SYN ACK with the peer's, third ACK with both."""

    sends_at_once = True

    def syn_option(self, s: Subflow) -> bytes | None:
        """None after some attempts: somebody on the way may drop what he does not know (§3.1)."""
        if s.c.retries > self.m.settings.plain_after_syns:
            return None
        return Capable(flags=self.flags).pack()

    def learn(self, s: Subflow, syn: Segment, found: Found) -> None:
        """No key in the SYN ACK: plain TCP (§3.7)."""
        said = capable(found)
        if said is None or said.sender_key is None or not syn.flags & ACK:
            self.m.fall_back(s)
            return
        self.agree(said)
        self.m.learn_key(said.sender_key)
        self.m.sending.edge = self.m.sending.una + syn.window

    def ack_option(self, s: Subflow, seq: int, size: int) -> bytes | None:
        """Both keys, and with the first data how many there are: that is their mapping too."""
        if seq != s.c.iss + 1:
            return None
        m = self.m
        mapping = s.outgoing.covering(seq) if size else None
        if mapping is None:
            return Capable(m.local_key, m.peer_key, flags=self.flags).pack()
        return Capable(m.local_key, m.peer_key, len(mapping), mapping.checksum, flags=self.flags).pack()

    def hears(self, s: Subflow, segment: Segment, found: Found) -> bool:
        """Any sign of MPTCP confirms it; data or their acknowledgement without one mean that somebody took it out."""
        if any(isinstance(option, Dss | AddAddr | FastClose) for option in found):
            s.confirm()
        elif segment.payload or s.c.snd_una < s.c.snd_max:
            self.m.fall_back(s)
        return True


class FirstOfServer(_First):
    """The peer opens the first subflow: its key comes with its third ACK, or with its first data."""

    def syn_option(self, s: Subflow) -> bytes | None:
        """Our key."""
        return Capable(self.m.local_key, flags=self.flags).pack()

    def learn(self, s: Subflow, syn: Segment, found: Found) -> None:
        """Whoever made us has looked for MP_CAPABLE."""
        said = capable(found)
        if said is not None:
            self.agree(said)

    def ack_option(self, s: Subflow, seq: int, size: int) -> bytes | None:
        """Nothing leaves before the third ACK is here."""
        return None

    def hears(self, s: Subflow, segment: Segment, found: Found) -> bool:
        """Both keys are there, or the peer's SYN ACK lost its option: plain TCP. A DSS without keys came too early."""
        said = capable(found)
        if said is None or said.sender_key is None or said.receiver_key != self.m.local_key:
            if any(isinstance(option, Dss) for option in found):
                return False
            self.m.fall_back(s)
            return True
        self.m.learn_key(said.sender_key)
        self.m.sending.edge = self.m.sending.una + (segment.window << s.c.snd_scale)
        s.confirm()
        return True


class _Join:
    sends_at_once = False

    def __init__(self, m: Mptcp, nonce: int) -> None:
        self.m, self.nonce, self.peer_nonce = m, nonce, 0

    def own(self) -> bytes:
        """The HMAC that proves us."""
        assert self.m.peer_key is not None
        return join_hmac(self.m.local_key, self.m.peer_key, self.nonce, self.peer_nonce)

    def expected(self) -> bytes:
        """The HMAC that proves the peer."""
        assert self.m.peer_key is not None
        return join_hmac(self.m.peer_key, self.m.local_key, self.peer_nonce, self.nonce)


class JoinOfClient(_Join):
    """We join: SYN with the peer's token, SYN ACK with its HMAC, third ACK with ours, which must be acknowledged."""

    def syn_option(self, s: Subflow) -> bytes | None:
        """The token, and a nonce."""
        assert self.m.peer_token is not None
        return JoinSyn(s.backup, s.local_id, self.m.peer_token, self.nonce).pack()

    def learn(self, s: Subflow, syn: Segment, found: Found) -> None:
        """A wrong HMAC, or none, ends the subflow (§3.2)."""
        said = next((option for option in found if isinstance(option, JoinSynAck)), None)
        if said is None:
            s.refuse(MPTCP_ERROR)
            return
        self.peer_nonce = said.nonce
        if not compare_digest(said.hmac, self.expected()[:8]):
            s.refuse(PROHIBITED)
        s.backup = s.backup or said.backup

    def ack_option(self, s: Subflow, seq: int, size: int) -> bytes | None:
        """Our HMAC, until it is acknowledged."""
        return JoinAck(self.own()[:20]).pack()

    def hears(self, s: Subflow, segment: Segment, found: Found) -> bool:
        """Whatever comes now says that our third ACK was taken."""
        s.confirm()
        return True


class JoinOfServer(_Join):
    """The peer joins."""

    def syn_option(self, s: Subflow) -> bytes | None:
        """Our HMAC and nonce."""
        return JoinSynAck(s.backup, s.local_id, self.own()[:8], self.nonce).pack()

    def learn(self, s: Subflow, syn: Segment, found: Found) -> None:
        """The peer's nonce, which address it comes from, and whether it is a backup."""
        for said in found:
            if isinstance(said, JoinSyn):
                self.peer_nonce, s.remote_id, s.backup = said.nonce, said.address_id, said.backup

    def ack_option(self, s: Subflow, seq: int, size: int) -> bytes | None:
        """Nothing leaves before the third ACK is here."""
        return None

    def hears(self, s: Subflow, segment: Segment, found: Found) -> bool:
        """Only the third ACK with a right HMAC; it is acknowledged at once (§3.2)."""
        said = next((option for option in found if isinstance(option, JoinAck)), None)
        if said is None:
            return False
        if not compare_digest(said.hmac, self.expected()[:20]):
            s.refuse(PROHIBITED)
            return False
        s.confirm()
        s.c.ack_now = True
        return True
