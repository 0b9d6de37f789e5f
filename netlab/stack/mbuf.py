"""A packet inside a host: its bytes, whose front headers are taken from and put onto, and what is known of it.

An mbuf never leaves its host. ``pkt`` names its journey and is no part of the bytes; 0 until it has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netlab.stack.ifnet import Ifnet
    from netlab.stack.offload import Offload
    from netlab.stack.pressure.account import Charge


class Mbuf:
    """Bytes with room for notes that one stage leaves for the next."""

    __slots__ = (
        "born",
        "charge",
        "data",
        "fib",
        "ifp",
        "l3",
        "l4",
        "link",
        "mark",
        "next_hop",
        "offload",
        "parent",
        "pkt",
        "rcvif",
        "tag",
        "tags",
    )

    def __init__(self, data: bytes, *, pkt: int = 0, parent: int = 0, rcvif: Ifnet | None = None) -> None:
        self.data = data
        self.pkt = pkt
        self.parent = parent
        """The journey that caused this one, 0 for none."""
        self.rcvif = rcvif
        """The interface it came in by; None for a packet made here."""
        self.ifp: Ifnet | None = None
        """The interface it is to leave by."""
        self.next_hop = 0
        """The address of the neighbour that it is for, of the packet's own version of IP."""
        self.link = b""
        """That neighbour's link address, where it is known already (neighbour discovery says it, ARP does not)."""
        self.l3: Any = None
        """The parsed network header, while ``data`` begins with it."""
        self.l4 = 0
        """Where the transport header begins in ``data``, once IP has found it."""
        self.born = ""
        """Where its journey began, until that has been announced: the executor's note."""
        self.tag: Any = None
        """What a transport leaves for its socket: (source, port, …)."""
        self.mark = 0
        """A number by which rules may choose a table of routes (Linux fwmark)."""
        self.fib: int | None = None
        """The table of routes that its socket chose (M_SETFIB); None leaves it to the interface and the rules."""
        self.offload: Offload | None = None
        """What is still to be cut or summed, or was (see `offload`); None: nothing."""
        self.tags: tuple[tuple[int, int], ...] = ()
        """VLAN tags that are off the bytes, outermost first: (EtherType, tag control information)."""
        self.charge: Charge | None = None
        """Whom its bytes are charged to until they have left (skb->sk of Linux); None where nobody counts."""

    def __len__(self) -> int:
        return len(self.data)

    def adj(self, n: int) -> None:
        """Drop ``n`` bytes at the front."""
        self.data = self.data[n:]

    def prepend(self, header: bytes) -> None:
        """Put a header in front."""
        self.data = header + self.data

    def copy(self) -> Mbuf:
        """Another mbuf of the same journey with the same bytes, going its own way."""
        other = Mbuf(self.data, pkt=self.pkt, parent=self.parent, rcvif=self.rcvif)
        other.ifp, other.next_hop, other.l3, other.tag = self.ifp, self.next_hop, self.l3, self.tag
        other.mark, other.fib, other.tags = self.mark, self.fib, self.tags
        other.l4, other.link, other.offload = self.l4, self.link, self.offload
        return other
