"""Which subflows there are to be: addresses that are announced, joined from, and taken away (RFC 8684 §3.2, §3.4)."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from netlab.stack.mptcp.actions import Join
from netlab.wire.mptcp import UNACCEPTABLE, AddAddr, Prio, RemoveAddr, add_addr_hmac

if TYPE_CHECKING:
    from netlab.stack.mptcp.connection import Mptcp
    from netlab.stack.mptcp.subflow import Subflow

ATTEMPTS = 3
"""How often an ADD_ADDR is said."""


class OwnAddress(NamedTuple):
    """An address of this host and what it is for (as `ip mptcp endpoint` of Linux has it)."""

    address: int
    id: int
    """From 1 on; the address of the first subflow goes by 0."""
    subflow: bool = True
    """Whether the end that opens a connection joins from it."""
    signal: bool = False
    """Whether it is announced."""
    backup: bool = False
    port: int = 0
    """Announced where it is not the connection's own."""
    version: int = 4


class Paths:
    """One connection's addresses, ours and the peer's. ``own`` is set by whoever knows the host."""

    def __init__(self, m: Mptcp) -> None:
        self.m = m
        self.own: list[OwnAddress] = []
        self.remote: dict[int, AddAddr] = {}
        """What the peer announced, by its identifier."""
        self.unanswered: dict[int, tuple[OwnAddress, int]] = {}
        """What we announced and was not echoed, and how often."""
        self.asked: set[tuple[int, int]] = set()
        """(local identifier, remote identifier) of subflows that were begun."""
        self._begun = False

    # ---- our addresses -----------------------------------------------------------------------

    def confirmed(self, s: Subflow) -> None:
        """The first subflow works: announce, and join, as far as allowed."""
        if self._begun:
            return
        self._begun = True
        if self.m.client:
            self.m.wanted += [_beside(s)] * self.m.settings.same_addresses
        for own in self.own:
            if own.address == s.pair.local or own.version != s.pair.version:
                continue
            if own.signal:
                self.announce(own)
            if own.subflow and self.m.client:
                self.join_from(own, s)

    def join_from(self, own: OwnAddress, s: Subflow) -> None:
        """A subflow from one of our addresses to where ``s`` goes."""
        if self._begun_from_here() < self.m.settings.subflows and (own.id, s.remote_id) not in self.asked:
            self.asked.add((own.id, s.remote_id))
            pair = s.pair
            self.m.wanted.append(
                Join(own.address, pair.remote, pair.remote_port, pair.version, own.id, s.remote_id, own.backup)
            )

    def _begun_from_here(self) -> int:
        return sum(1 for local, remote in self.asked if remote == 0)

    def announce(self, own: OwnAddress) -> None:
        """ADD_ADDR, until it is echoed (§3.4.1)."""
        self.unanswered[own.id] = own, 0
        self.announce_again()

    def announce_again(self) -> None:
        """Say what was not echoed, on the best subflow."""
        m = self.m
        s = next((s for s in m.subflows if s.usable), None)
        for number, (own, times) in list(self.unanswered.items()):
            if times == ATTEMPTS or s is None or m.peer_key is None:
                del self.unanswered[number]
                continue
            self.unanswered[number] = own, times + 1
            proof = add_addr_hmac(m.local_key, m.peer_key, own.id, own.version, own.address, own.port)
            s.said.append(AddAddr(own.id, own.version, own.address, own.port or None, proof).pack())
            m.nudge(s)
        if self.unanswered:
            m.timers["announce"] = m.now + m.settings.announce_interval

    def withdraw(self, own: OwnAddress) -> None:
        """The address is gone, and with it the subflows that used it (§3.4.2)."""
        m = self.m
        for s in [s for s in m.subflows if s.local_id == own.id and not s.gone]:
            s.refuse(UNACCEPTABLE)
        self.unanswered.pop(own.id, None)
        for s in m.subflows:
            if s.usable and s.why is None:
                s.said.append(RemoveAddr((own.id,)).pack())
                m.nudge(s)
                return

    def prefer(self, s: Subflow, *, backup: bool) -> None:
        """MP_PRIO: whether ``s`` is only to be used when there is nothing else (§3.3.8)."""
        s.backup = backup
        s.said.append(Prio(backup).pack())
        self.m.nudge(s)

    # ---- the peer's --------------------------------------------------------------------------

    def hears(self, s: Subflow, option: AddAddr | RemoveAddr) -> None:
        """An address came or went."""
        if isinstance(option, RemoveAddr):
            for number in option.address_ids:
                self._gone(number)
        elif not option.hmac:
            self.unanswered.pop(option.address_id, None)
        elif self._proved(option):
            s.said.append(option._replace(hmac=b"").pack())
            s.c.ack_now = True
            if self.remote.get(option.address_id) != option:
                self.remote[option.address_id] = option
                self._join_to(option)

    def _proved(self, said: AddAddr) -> bool:
        m = self.m
        if m.peer_key is None:
            return False
        number, port = said.address_id, said.port or 0
        expected = add_addr_hmac(m.peer_key, m.local_key, number, said.version, said.address, port)
        return compare_digest(said.hmac, expected)

    def _join_to(self, said: AddAddr) -> None:
        """Whoever opened the connection joins; the other side only where a port says that somebody listens."""
        m, first = self.m, self.m.subflows[0].pair
        known = any(s.pair.remote == said.address for s in m.subflows)
        taken = sum(1 for _, remote in self.asked if remote)
        if known or taken >= m.settings.accept_announced or not (m.client or said.port):
            return
        self.asked.add((0, said.address_id))
        port = said.port or first.remote_port
        m.wanted.append(Join(0, said.address, port, said.version, 0, said.address_id))

    def _gone(self, number: int) -> None:
        self.remote.pop(number, None)
        for s in self.m.subflows:
            if s.remote_id == number and number:
                s.refuse(UNACCEPTABLE)

    def lost(self, s: Subflow) -> None:
        """A subflow is no more: it may be begun again when its address is announced again."""
        self.asked.discard((s.local_id, s.remote_id))


def _beside(s: Subflow) -> Join:
    """A subflow between the same addresses."""
    pair = s.pair
    return Join(pair.local, pair.remote, pair.remote_port, pair.version, 0, 0)
