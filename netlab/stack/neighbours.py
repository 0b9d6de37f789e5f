"""Who is at which address: the ARP cache (RFC 826) with its states and what waits for an answer (RFC 1122 §2.3.2)."""

from __future__ import annotations

from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.units import SEC

RETRY = 1 * SEC
"""Between two requests for one address (RFC 1122 §2.3.2.1: at most one a second)."""
TRIES = 3
LIFETIME = 20 * 60 * SEC
"""An answer is believed for 20 minutes (FreeBSD net.link.ether.inet.max_age)."""
WAITING = 16
"""How many packets may wait for one answer (FreeBSD net.link.ether.inet.maxhold)."""


HELD = 1024
"""Addresses remembered, so that forged senders fill no memory: the oldest for which nothing waits goes first."""


class Neighbour:
    """One address: ``mac`` is None while it is being asked for."""

    __slots__ = ("expires", "ifp", "mac", "tries", "waiting")

    def __init__(self, ifp: Ifnet) -> None:
        self.ifp = ifp
        self.mac: bytes | None = None
        self.expires = 0
        self.tries = 0
        self.waiting: list[Mbuf] = []


class Neighbours:
    """The cache of one host, by IPv4 address."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[int, Neighbour] = {}

    def mac(self, address: int, now: int) -> bytes | None:
        """The link address of a neighbour, None when it is not known or no longer believed."""
        entry = self._entries.get(address)
        return entry.mac if entry is not None and entry.mac is not None and now < entry.expires else None

    def asking(self, address: int, ifp: Ifnet) -> tuple[Neighbour, bool]:
        """The entry in which packets wait for an answer, and whether it was made just now."""
        entry = self._entries.get(address)
        if entry is not None and entry.mac is None:
            return entry, False
        self._make_room()
        self._entries[address] = entry = Neighbour(ifp)
        return entry, True

    def _make_room(self) -> None:
        if len(self._entries) >= HELD:
            old = next((address for address, entry in self._entries.items() if not entry.waiting), None)
            if old is not None:
                del self._entries[old]

    def pending(self, address: int) -> Neighbour | None:
        """The entry that still waits for an answer, if there is one."""
        entry = self._entries.get(address)
        return entry if entry is not None and entry.mac is None else None

    def learn(self, address: int, mac: bytes, ifp: Ifnet, now: int, *, create: bool) -> list[Mbuf]:
        """Note an answer; gives back what waited for it. Without ``create`` only a known address is renewed."""
        entry = self._entries.get(address)
        if entry is None:
            if not create:
                return []
            self._make_room()
            self._entries[address] = entry = Neighbour(ifp)
        entry.mac, entry.expires = mac, now + LIFETIME
        waited, entry.waiting = entry.waiting, []
        return waited

    def give_up(self, address: int) -> list[Mbuf]:
        """Forget an address that never answered; gives back what waited for it."""
        entry = self._entries.pop(address, None)
        return entry.waiting if entry is not None else []

    def held(self) -> list[Mbuf]:
        """Every packet that waits for an answer."""
        return [m for entry in self._entries.values() for m in entry.waiting]

    def table(self) -> dict[int, bytes]:
        """The addresses whose answers are known."""
        return {address: entry.mac for address, entry in self._entries.items() if entry.mac is not None}
