"""Path MTUs: what routers have said that the way to a destination carries (RFC 1191, RFC 8201)."""

from __future__ import annotations

from netlab.units import SEC
from netlab.wire import ipv6

LIFETIME = 600 * SEC
"""After 10 minutes a larger packet may be tried again (RFC 1191 §6.3, RFC 8201 §4)."""
LOWEST4 = 68
"""What every IPv4 link carries (RFC 791 §3.2)."""
HELD = 4096
"""Destinations remembered; the oldest is forgotten first, so that forged messages fill no memory."""
PLATEAUS = (65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)
"""MTUs that links had, for routers too old to say theirs (RFC 1191 §7.1)."""


class PathMtus:
    """The cache of one host for one version of IP, by destination address."""

    __slots__ = ("_known", "lowest")

    def __init__(self, lowest: int = LOWEST4) -> None:
        self.lowest = lowest
        self._known: dict[int, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def mtu(self, dst: int, now: int, link: int) -> int:
        """The longest packet to a destination by way of a link whose own MTU is ``link``."""
        found = self._known.get(dst)
        if found is None:
            return link
        mtu, expires = found
        if now >= expires:
            del self._known[dst]
            return link
        return min(mtu, link)

    def learn(self, dst: int, said: int, length: int, now: int) -> int:
        """A router said that the next hop carries ``said`` bytes (0: it did not say) of a packet of ``length``.

        What is then believed; 0 when it is not: an estimate is never raised by a message, and no MTU below the
        version's lowest is taken (RFC 1191 §3, RFC 8201 §4).
        """
        mtu = said or next(plateau for plateau in (*PLATEAUS, 0) if plateau < length)
        mtu = max(mtu, self.lowest)
        if mtu >= length or mtu >= self.mtu(dst, now, 1 << 17):
            return 0
        self._known.pop(dst, None)
        while len(self._known) >= HELD:
            del self._known[next(iter(self._known))]
        self._known[dst] = (mtu, now + LIFETIME)
        return mtu


def path_mtus6() -> PathMtus:
    """A cache for IPv6, where no path carries less than 1,280 bytes (RFC 8200 §5)."""
    return PathMtus(ipv6.MINIMUM_MTU)
