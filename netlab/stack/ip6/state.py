"""What a host knows of IPv6: its addresses and groups, routes, neighbours, and what it advertises as a router."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from netlab.stack.fib import LinearFib, Route
from netlab.stack.ifnet import Ifnet
from netlab.stack.ip6.cache import NeighbourCache
from netlab.wire import icmpv6
from netlab.wire.address import link_local, mask6, solicited_node

WIDTH = 128
ALL_NODES, ALL_ROUTERS = 0xFF02 << 112 | 1, 0xFF02 << 112 | 2
HOPS = 64
"""The hop limit of packets made here, until a router says another (RFC 4861 §6.3.4)."""


class Address6(NamedTuple):
    """An IPv6 address on an interface, as an int, with its prefix length."""

    address: int
    prefix: int

    @property
    def network(self) -> int:
        """The first address of the subnet."""
        return self.address & mask6(self.prefix)

    def covers(self, address: int) -> bool:
        """Whether the address is on this subnet."""
        return address & mask6(self.prefix) == self.network


def is_link_local(address: int) -> bool:
    """fe80::/10 (RFC 4291 §2.5.6)."""
    return address >> 118 == 0xFE80 >> 6


def is_linked(address: int) -> bool:
    """Whether an address says nothing without an interface: link-local, or a group of the link."""
    return is_link_local(address) or address >> 112 & 0xFF0F == 0xFF02


class Inet6:
    """One host's IPv6. Off until `enable`, or an address, switches it on."""

    def __init__(self, *, router: bool) -> None:
        self.router = router
        self.enabled = False
        self.held: dict[str, list[Address6]] = {}
        """Addresses by interface, the link-local one first."""
        self.addresses: set[int] = set()
        self.groups: dict[str, set[int]] = {}
        self.fib = LinearFib(width=WIDTH)
        self.neighbours = NeighbourCache()
        self.hops = HOPS
        self.mtus: dict[str, int] = {}
        """What routers said of a link's MTU (RFC 4861 §6.3.4)."""
        self.autoconfigured: set[str] = set()
        """Interfaces that take addresses and a default route from what routers advertise."""
        self.advertised: dict[str, icmpv6.Advertisement] = {}
        """What this router says, by interface."""
        self.fragment_id = 0

    def enable(self, interfaces: Iterable[Ifnet]) -> None:
        """Speak IPv6 on these interfaces: each gets its link-local address and joins its groups (RFC 4861 §7.2.1)."""
        self.enabled = True
        for ifp in interfaces:
            if ifp.name not in self.held:
                self.held[ifp.name] = []
                self.groups[ifp.name] = {ALL_NODES, *([ALL_ROUTERS] if self.router else [])}
                self._take(ifp, Address6(link_local(ifp.mac), 64))

    def add(self, ifp: Ifnet, address: int, prefix: int) -> None:
        """Give an interface an address, and the host a route to what is beside it."""
        self.enable((ifp,))
        added = Address6(address, prefix)
        if added not in self.held[ifp.name]:
            self._take(ifp, added)
            self.fib.add(Route(added.network, prefix, 0, ifp.name))

    def _take(self, ifp: Ifnet, added: Address6) -> None:
        self.held[ifp.name].append(added)
        self.addresses.add(added.address)
        self.groups[ifp.name].add(solicited_node(added.address))

    def owns(self, address: int, ifp: Ifnet | None) -> bool:
        """Whether a packet that came in by ``ifp`` (None: was made here) is for this host by its address."""
        if address not in self.addresses:
            return False
        return ifp is None or not is_link_local(address) or self.has(ifp, address)

    def has(self, ifp: Ifnet, address: int) -> bool:
        """Whether the interface itself has the address."""
        return any(a.address == address for a in self.held.get(ifp.name, ()))

    def listens(self, group: int, ifp: Ifnet) -> bool:
        """Whether the interface is a member of a group."""
        return group in self.groups.get(ifp.name, ())

    def source_for(self, dst: int, interface: str, next_hop: int = 0) -> int:
        """The own address for a packet out of an interface: of the destination's scope, the nearest to it (RFC 6724
        §5, rules 2 and 8, without its tables); 0 when there is none."""
        held = self.held.get(interface, [])
        if is_linked(dst):
            return held[0].address if held else 0
        others = [a for a in held if not is_link_local(a.address)]
        if not others:
            others = [a for all_ in self.held.values() for a in all_ if not is_link_local(a.address)] or held[:1]
        return max(others, key=lambda a: (_common(a.address, dst), a.covers(next_hop)), default=Address6(0, 0)).address

    def link_mtu(self, ifp: Ifnet) -> int:
        """The longest IPv6 packet of a link."""
        return self.mtus.get(ifp.name, ifp.mtu)


def _common(a: int, b: int) -> int:
    """Leading bits that two addresses share, of the first 64."""
    return min(64, WIDTH - (a ^ b).bit_length())


class Outgoing6(NamedTuple):
    """What a transport asks of IPv6; ``interface`` where the address alone does not say which link is meant."""

    dst: int
    proto: int
    src: int = 0
    ttl: int = 0
    """The hop limit; 0 for what is usual."""
    tos: int = 0
    interface: str = ""
    df: bool = False
    """Whether the sender, too, may not cut the packet."""


class Message6(NamedTuple):
    """An ICMPv6 message whose payload is in the mbuf: built, with its checksum, when its addresses are known."""

    type: int
    code: int
    rest: int
    want: Outgoing6
