"""Which transmit ring a packet takes, and what it costs when that is not its receive ring."""

from __future__ import annotations

from netlab.stack.steering.reta import SIZE


def by_hash(flow: int, rings: int) -> int:
    """The hash modulo the rings (iflib and older ixgbe): a flow keeps its order, but rarely the ring it came by."""
    return flow % rings


def by_core(core: int, rings: int) -> int:
    """The ring of the core that sends (XPS): no other core touches it, but a flow that changes cores is reordered."""
    return core % rings


def aligned(rings: int, size: int = SIZE) -> float:
    """The share of hashes whose receive ring (by the default table) and transmit ring (by hash) have one number.

    1 when the number of rings divides the size of the table, else little: so a forwarder is fast with 1, 2, 4, 8 or
    16 rings and slow with any other number.
    """
    period = size * rings
    return sum(flow % size % rings == flow % rings for flow in range(period)) / period
