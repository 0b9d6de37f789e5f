"""An interface as the stack sees it: names, addresses, limits and counters. What drives it is not its business."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from netlab.stack.ifcaps import LONGEST, SOFTWARE, Capability
from netlab.topology.spec import Limit, PortVlan
from netlab.wire import vlan as tags

if TYPE_CHECKING:
    from netlab.stack.offload import LroLimits
    from netlab.stack.vlan import VlanLink
    from netlab.stack.vxlan import Vtep


class Address(NamedTuple):
    """An IPv4 address on an interface, as an int, with its prefix length."""

    address: int
    prefix: int

    @property
    def network(self) -> int:
        """The first address of the subnet."""
        return self.address & self.mask

    @property
    def mask(self) -> int:
        """The subnet mask as an int."""
        return (0xFFFFFFFF << (32 - self.prefix)) & 0xFFFFFFFF

    @property
    def broadcast(self) -> int:
        """The directed broadcast address."""
        return self.network | (0xFFFFFFFF >> self.prefix)

    def covers(self, address: int) -> bool:
        """Whether the address is on this subnet."""
        return (address ^ self.address) >> (32 - self.prefix) == 0


class Ifnet:
    """``mac`` is 6 bytes; ``queue`` limits what waits to be sent (None: the executor's default), ``mark`` is
    how much of it may wait before ECN-capable packets are marked (None: they never are).

    ``below`` is what a VLAN interface or a tunnel's end lies on (None: a device of its own), and ``output`` the stage
    that frames for it go to. ``vlan`` says what a bridge does with VLANs at this port.
    """

    __slots__ = (
        "_capenable",
        "addresses",
        "below",
        "capabilities",
        "changed",
        "checks",
        "counters",
        "cuts_tcp",
        "cuts_udp",
        "forwards",
        "joins",
        "longest",
        "lro",
        "mac",
        "mark",
        "mtu",
        "name",
        "output",
        "peer",
        "queue",
        "sums4",
        "sums6",
        "up",
        "vlan",
    )

    def __init__(
        self,
        name: str,
        mac: bytes,
        addresses: tuple[Address, ...] = (),
        *,
        mtu: int = 1500,
        peer: str = "",
        queue: Limit | None = None,
        mark: Limit | None = None,
        vlan: PortVlan | None = None,
        below: VlanLink | Vtep | None = None,
    ) -> None:
        self.name, self.mac, self.addresses, self.mtu, self.peer, self.queue = name, mac, addresses, mtu, peer, queue
        self.mark, self.vlan, self.below = mark, vlan, below
        self.output = "ifq" if below is None else below.output
        self.up = True
        self.forwards = False
        """Whether its host passes on what comes in here: then nothing may be joined that cannot be cut again."""
        self.changed: Callable[[], None] | None = None
        """Called when other capabilities come into use."""
        self.lro: LroLimits | None = None
        """What a batch may be joined to with `Capability.LRO`; None: the defaults."""
        self.capabilities = SOFTWARE
        """What its device, and the stack before it, can do."""
        self.capenable = Capability.NONE
        self.counters = {
            "ipackets": 0,
            "ibytes": 0,
            "opackets": 0,
            "obytes": 0,
            "oqdrops": 0,
            "oqmarks": 0,
            "ierrors": 0,
            "oerrors": 0,
        }

    def __repr__(self) -> str:
        return f"Ifnet({self.name})"

    @property
    def capenable(self) -> Capability:
        """What of its capabilities is in use."""
        return self._capenable

    @capenable.setter
    def capenable(self, use: Capability) -> None:
        # Flags are slow to ask, and every packet asks: so the answers are kept.
        self._capenable = use
        self.checks = Capability.RXCSUM in use
        self.sums4, self.sums6 = Capability.TXCSUM in use, Capability.TXCSUM6 in use
        self.cuts_tcp, self.cuts_udp = Capability.TSO in use, Capability.USO in use
        self.longest = LONGEST if use & (Capability.TSO | Capability.GSO) else 0
        self.joins: Literal["", "gro", "lro"] = ""
        if use & (Capability.LRO | Capability.GRO):
            self.joins = "lro" if Capability.LRO in use and not self.forwards else "gro"
        if self.changed is not None:
            self.changed()

    def takes(self, frame: bytes) -> bool:
        """Whether a frame is not too long: its payload at most the MTU, and a VLAN tag (IEEE 802.3-2018 §3.2.7)."""
        return len(frame) <= self.mtu + (18 if tags.is_tagged(frame) else 14)

    def address_for(self, neighbour: int) -> int:
        """The own address on the neighbour's subnet, else the first, else 0."""
        for address in self.addresses:
            if address.covers(neighbour):
                return address.address
        return self.addresses[0].address if self.addresses else 0
