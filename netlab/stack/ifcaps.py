"""What a device can do for the stack, as flags (FreeBSD sys/net/if.h, IFCAP_*), and what the stack does before it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Flag, auto


class Capability(Flag):
    """A device that has none of these moves frames, and nothing else."""

    NONE = 0
    RXCSUM = auto()
    """It checks the checksums of IPv4, TCP and UDP in what it receives."""
    TXCSUM = auto()
    """It fills them in what it sends over IPv4."""
    TXCSUM6 = auto()
    """It fills in those of TCP and UDP over IPv6 (IFCAP_TXCSUM_IPV6)."""
    TSO = auto()
    """It cuts long TCP segments into ones that fit."""
    USO = auto()
    """It cuts many UDP datagrams out of one (Linux tx-udp-segmentation)."""
    LRO = auto()
    """Its driver joins what it receives of a TCP flow, in a way that cannot be undone."""
    GSO = auto()
    """The stack cuts what the device cannot, right before the device."""
    GRO = auto()
    """The stack joins what the device gives it, so that it can be undone."""
    VLAN_HWTAGGING = auto()
    """It takes VLAN tags off and puts them on."""
    VLAN_MTU = auto()
    """A tag may come on top of the MTU."""
    RSS = auto()
    """It spreads flows over its queues by a hash."""


SOFTWARE = Capability.GSO | Capability.GRO
"""What needs nothing of the device."""
CHECKSUMS = Capability.RXCSUM | Capability.TXCSUM | Capability.TXCSUM6
OFFLOADS: dict[str, Capability] = {
    "rxcsum": Capability.RXCSUM,
    "txcsum": Capability.TXCSUM | Capability.TXCSUM6,
    "tso": Capability.TSO,
    "uso": Capability.USO,
    "lro": Capability.LRO,
    "gso": Capability.GSO,
    "gro": Capability.GRO,
}
"""The words of a topology file."""
SAYS = {
    "rxcsum": "the device checks the checksums of what it receives",
    "txcsum": "the device makes those of what it sends",
    "tso": "the device cuts long TCP segments",
    "uso": "the device cuts many UDP datagrams out of one",
    "lro": "the driver joins TCP segments, and nobody can tell them apart again; never on a router or switch",
    "gso": "the stack cuts what the device cannot, right before it",
    "gro": "the stack joins what it can cut again",
}
NEEDS_SUMS = Capability.TSO | Capability.USO
"""What a device can only do when it makes checksums too."""
LONGEST = 64_000
"""Bytes of text in a long segment: with all headers it fits into the 65,535 of an IP packet."""


def capabilities(words: Iterable[str]) -> Capability:
    """What words of a topology file stand for; who cuts must sum, so tso and uso bring txcsum. KeyError for others."""
    found = Capability.NONE
    for word in words:
        found |= OFFLOADS[word]
    return found | OFFLOADS["txcsum"] if found & NEEDS_SUMS else found


def words(found: Capability) -> tuple[str, ...]:
    """The words for it, in the order of `OFFLOADS`."""
    return tuple(word for word, flags in OFFLOADS.items() if found & flags)
