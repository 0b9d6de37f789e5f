"""An interface from outside: functions to ask and to tell, and a handle that lets nobody look in.

The words are those of FreeBSD's if_t (sys/net/if_var.h): a driver or a protocol written to them does not see how an
interface is laid out, and so survives when that changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from netlab.stack.ifcaps import NEEDS_SUMS, SOFTWARE, Capability
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.offload import LroLimits

if TYPE_CHECKING:
    from netlab.stack.host import Host


class If:
    """An opaque interface (if_t): it can be held, compared, and given to the functions beside it."""

    __slots__ = ("_held",)

    def __init__(self, ifp: Ifnet) -> None:
        self._held = ifp

    def __getattr__(self, name: str) -> object:
        raise AttributeError(f"an interface is opaque and shows no '{name}': ask a function, as if_mtu(ifp)")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, If) and other._held is self._held

    def __hash__(self) -> int:
        return hash(self._held)

    def __repr__(self) -> str:
        return f"If({self._held.name})"


def if_foreach(host: Host) -> Iterator[If]:
    """A host's interfaces, in their order."""
    return (If(ifp) for ifp in host.interfaces.values())


def if_lookup(host: Host, name: str) -> If | None:
    """The interface of that name, None when there is none."""
    ifp = host.interfaces.get(name)
    return If(ifp) if ifp else None


# ---- what it is ------------------------------------------------------------------------------------


def if_name(ifp: If) -> str:
    """Its name."""
    return ifp._held.name


def if_lladdr(ifp: If) -> bytes:
    """Its link address: 6 bytes."""
    return ifp._held.mac


def if_mtu(ifp: If) -> int:
    """The longest payload of a frame, in bytes."""
    return ifp._held.mtu


def if_set_mtu(ifp: If, mtu: int) -> None:
    """ValueError outside of what IPv4 and Ethernet allow (RFC 791: 68 at least)."""
    if not 68 <= mtu <= 65_535:
        raise ValueError(f"{if_name(ifp)}: an MTU of {mtu} bytes; 68 to 65535 can be")
    ifp._held.mtu = mtu


def if_addresses(ifp: If) -> tuple[Address, ...]:
    """Its IPv4 addresses."""
    return ifp._held.addresses


def if_foreach_addr(ifp: If, visit: Callable[[Address], bool]) -> int:
    """Call ``visit`` with each address; how many times it said that it did something (if_foreach_addr_type)."""
    return sum(visit(address) for address in if_addresses(ifp))


# ---- up and down -----------------------------------------------------------------------------------


def if_is_up(ifp: If) -> bool:
    """Whether frames may go through it (IFF_UP)."""
    return ifp._held.up


def if_set_up(ifp: If, up: bool) -> None:
    """Whether frames may."""
    ifp._held.up = up


# ---- capabilities ----------------------------------------------------------------------------------


def if_capabilities(ifp: If) -> Capability:
    """What its device can do."""
    return ifp._held.capabilities


def if_capenable(ifp: If) -> Capability:
    """What of that is in use."""
    return ifp._held.capenable


def if_set_capabilities(ifp: If, can: Capability) -> None:
    """A driver says what its device can do; all of it is in use from then on. What the stack does stays as it was."""
    held = ifp._held
    held.capabilities, held.capenable = can | SOFTWARE, can | held.capenable & SOFTWARE


def if_set_capenable(ifp: If, use: Capability) -> None:
    """Use these. ValueError for what the device cannot do, for cutting without summing, and for LRO on a host that
    forwards: what it joined could not be sent on as it was."""
    missing = use & ~if_capabilities(ifp)
    if missing:
        raise ValueError(f"{if_name(ifp)}: its device cannot do {_names(missing)}")
    if use & NEEDS_SUMS and not use & (Capability.TXCSUM | Capability.TXCSUM6):
        raise ValueError(f"{if_name(ifp)}: who cuts must sum, so {_names(use & NEEDS_SUMS)} needs TXCSUM")
    if Capability.LRO in use and ifp._held.forwards:
        raise ValueError(f"{if_name(ifp)}: LRO cannot be undone, and its host forwards; GRO can be")
    ifp._held.capenable = use


def if_set_lro(ifp: If, limits: LroLimits) -> None:
    """What LRO may make of a batch: entries, sorting, lengths."""
    ifp._held.lro = limits


def _names(found: Capability) -> str:
    return " and ".join(str(one.name) for one in Capability if one in found)


# ---- counters --------------------------------------------------------------------------------------


def if_counters(ifp: If) -> Iterator[tuple[str, int]]:
    """Every counter's name and value."""
    return iter(tuple(ifp._held.counters.items()))


def if_counter(ifp: If, name: str) -> int:
    """A counter; KeyError when there is none of that name."""
    return ifp._held.counters[name]


def if_inc_counter(ifp: If, name: str, n: int = 1) -> None:
    """Count ``n`` more; KeyError when there is no counter of that name."""
    ifp._held.counters[name] += n
