"""What a program or an administrator may set of multipath TCP."""

from __future__ import annotations

from dataclasses import dataclass

from netlab.units import SEC


@dataclass(slots=True)
class Settings:
    """One object a host; connections made later follow a change."""

    scheduler: str = "minrtt"
    """A name in `scheduler.SCHEDULERS`."""
    coupled: bool = True
    """Whether the windows of a connection's subflows grow together (LIA), or each as the knob ``congestion`` says."""
    fill: int = 50
    """Percent of the peer's window that several subflows may fill (see `dispatch`)."""
    opportunistic: bool = False
    """Whether a fast subflow carries what holds it back, and the slow one that had it is slowed down (`blocked`)."""
    checksum: bool = False
    """Ask for a checksum over every mapping (RFC 8684 §3.3.1)."""
    subflows: int = 2
    """How many subflows may be opened from here beside the first."""
    same_addresses: int = 0
    """How many subflows are opened between the addresses of the first, each by a port of its own (for equal ways)."""
    accept_announced: int = 2
    """To how many addresses that the peer announced a subflow is opened."""
    accept_joins: int = 8
    """How many subflows of the peer's are taken beside the first."""
    plain_after_syns: int = 2
    """After so many SYNs with MP_CAPABLE that nobody answered one without is tried (§3.1)."""
    announce_interval: int = 1 * SEC
    """Until an ADD_ADDR that was not echoed is said again; three times in all (§3.4.1)."""
    linger: int = 60 * SEC
    """How long a closed connection waits for the peer's DATA_FIN (§3.3.3)."""
