"""The neighbour cache of IPv6: who is at which address, and is he still there? (RFC 4861 §5.1 and §7.3)."""

from __future__ import annotations

from typing import Literal

from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.units import SEC

RETRANS = 1 * SEC
"""Between two solicitations (RFC 4861 §10: RETRANS_TIMER)."""
TRIES = 3
"""MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT."""
REACHABLE_TIME = 30 * SEC
"""How long an answer is believed. RFC 4861 §6.3.4 has a host choose between half and three halves of it."""
DELAY = 5 * SEC
"""How long one waits for a hint from above before probing (DELAY_FIRST_PROBE_TIME)."""
WAITING = 16
"""How many packets may wait for one answer (RFC 4861 §7.2.2 asks for one at least)."""
HELD = 1024
"""Neighbours remembered, so that a scan of a subnet fills no memory (RFC 6583): the oldest of those for which nothing
waits is forgotten first."""

State = Literal["incomplete", "reachable", "stale", "delay", "probe"]


class Neighbour6:
    """One address on one link."""

    __slots__ = ("address", "ifp", "mac", "router", "state", "tries", "until", "waiting")

    def __init__(self, address: int, ifp: Ifnet) -> None:
        self.address, self.ifp = address, ifp
        self.state: State = "incomplete"
        self.mac = b""
        self.router = False
        self.until = 0
        """While "reachable": until when that is believed."""
        self.tries = 0
        self.waiting: list[Mbuf] = []

    def confirm(self, now: int) -> None:
        """The neighbour has answered."""
        self.state, self.until, self.tries = "reachable", now + REACHABLE_TIME, 0

    def heard(self, mac: bytes) -> None:
        """The neighbour said its link address without being asked: believed, but to be checked when used."""
        if self.state == "incomplete" or mac != self.mac:
            self.mac, self.state, self.tries = mac, "stale", 0


class NeighbourCache:
    """Neighbours by interface name and address."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], Neighbour6] = {}

    def held(self) -> list[Mbuf]:
        """Every packet that waits for an answer."""
        return [m for entry in self._entries.values() for m in entry.waiting]

    def get(self, ifp: Ifnet, address: int) -> Neighbour6 | None:
        """The entry of an address on a link."""
        return self._entries.get((ifp.name, address))

    def make(self, ifp: Ifnet, address: int) -> Neighbour6:
        """A new entry, "incomplete"."""
        if len(self._entries) >= HELD:
            old = next((key for key, entry in self._entries.items() if not entry.waiting), None)
            if old is not None:
                del self._entries[old]
        entry = self._entries[ifp.name, address] = Neighbour6(address, ifp)
        return entry

    def holds(self, entry: Neighbour6) -> bool:
        """Whether it is still the entry of its address."""
        return self._entries.get((entry.ifp.name, entry.address)) is entry

    def forget(self, entry: Neighbour6) -> list[Mbuf]:
        """Give it up; what waited for it."""
        self._entries.pop((entry.ifp.name, entry.address), None)
        waited, entry.waiting = entry.waiting, []
        return waited

    def table(self) -> dict[tuple[str, int], tuple[State, bytes]]:
        """(interface, address) to state and link address."""
        return {key: (entry.state, entry.mac) for key, entry in self._entries.items()}
