"""What a device can do for the stack, as flags (FreeBSD sys/net/if.h, IFCAP_*)."""

from __future__ import annotations

from enum import Flag, auto


class Capability(Flag):
    """A device that has none of these moves frames, and nothing else."""

    NONE = 0
    RXCSUM = auto()
    """It checks the checksums of IPv4, TCP and UDP in what it receives."""
    TXCSUM = auto()
    """It fills them in what it sends."""
    TSO = auto()
    """It cuts long TCP segments into ones that fit."""
    LRO = auto()
    """It joins TCP segments that it receives."""
    VLAN_HWTAGGING = auto()
    """It takes VLAN tags off and puts them on."""
    VLAN_MTU = auto()
    """A tag may come on top of the MTU."""
    RSS = auto()
    """It spreads flows over its queues by a hash."""
