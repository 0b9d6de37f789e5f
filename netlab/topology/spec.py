"""What a network is: frozen data, as its author wrote it (`Topology`) and with every default filled in (`Plan`).

Times are ns, rates bit/s, sizes bytes. Names are the plain ones that people use, in both worlds:
a node "h1", its interface "h1-eth0" (at most 12 characters, so that a kernel name can carry a suffix).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["host", "router", "switch"]
StackKind = Literal["kernel", "netlab"]
Unit = Literal["packets", "bytes"]
Protocol = Literal["tcp", "udp", "icmp"]
HashKey = Literal["microsoft", "symmetric"]
Spread = Literal["hash", "spray"]
Underlay = Literal["ipv4", "ipv6"]
Tag = Literal["802.1Q", "802.1ad"]
"""A kind of VLAN tag: a customer's (EtherType 0x8100), or a provider's (0x88A8)."""

Offload = Literal["rxcsum", "txcsum", "tso", "uso", "lro", "gso", "gro"]
"""What a device does for its stack, or the stack before the device: sum, cut, join (`ethtool -K`)."""
Offloads = tuple[Offload, ...] | None
"""Those that are on, all others being off; None leaves it to the world."""

Ipv6 = Literal["", "static", "slaac"]
"""Whether every interface has IPv6 too: no; with an address; or so that hosts make theirs of what routers advertise."""

NAME_LIMIT = 12
"""The longest interface name: Linux allows 15, and three belong to an arena's suffix."""


@dataclass(frozen=True)
class Limit:
    """The length of a queue: a number with its unit."""

    n: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.n} {'B' if self.unit == 'bytes' else 'packets'}"


@dataclass(frozen=True)
class PortVlan:
    """What a switch's port does with VLANs: one of access, trunk and qinq.

    An access port belongs to one VLAN and is untagged. A trunk carries several, each frame with a tag of kind ``tag``,
    but for the ``native`` one (0: none). A QinQ port takes any frame, tags and all, as one of VLAN ``qinq``.
    """

    access: int = 0
    trunk: tuple[int, ...] = ()
    native: int = 0
    qinq: int = 0
    tag: Tag = "802.1Q"


@dataclass(frozen=True)
class Vlan:
    """An interface of a host or router for what is tagged with ``id`` on another one, its ``parent``."""

    name: str
    parent: str
    id: int
    tag: Tag = "802.1Q"
    pcp: int = 0
    """The priority code point of what it sends."""
    addresses: tuple[str, ...] = ()
    mtu: int = 0
    """0: as much as fits."""


@dataclass(frozen=True)
class RingFilter:
    """Packets that have all of what is given go to ``ring``; of all that fit, the lowest priority decides."""

    ring: int
    priority: int = 0
    src: str = ""
    dst: str = ""
    proto: Protocol | Literal[""] = ""
    src_port: int = 0
    dst_port: int = 0


@dataclass(frozen=True)
class Steer:
    """Which ring of an interface a packet goes to: by filters, else by a hash (or, sprayed, to each in turn)."""

    key: HashKey = "microsoft"
    spread: Spread = "hash"
    weights: tuple[int, ...] = ()
    """Each ring's share of the hashes; empty: all the same."""
    filters: tuple[RingFilter, ...] = ()


@dataclass(frozen=True)
class Interface:
    """A node's end of a link as its author wrote it; empty fields are filled in by `resolve`."""

    name: str
    addresses: tuple[str, ...] = ()
    """CIDR strings: "10.0.1.1/24"."""
    mac: str = ""
    queues: int = 1
    mtu: int = 1500
    vlan: PortVlan | None = None
    steering: Steer | None = None
    offload: Offloads = None
    """None: as its node has it."""


@dataclass(frozen=True)
class Way:
    """Another next hop of a route; of as many flows as all weights together, ``weight`` go by it."""

    via: str
    weight: int = 1


@dataclass(frozen=True)
class Route:
    """Send what matches ``prefix`` by way of ``via`` (an address of a neighbour), or by one of ``also``, by flow."""

    prefix: str
    via: str
    weight: int = 1
    also: tuple[Way, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of routes beside the main one, in which nothing stands but what is written."""

    number: int
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Rule:
    """Packets that fit go by ``table`` (0: the main one); of all rules that fit, the lowest priority decides.

    Empty fields fit any packet. Where the table has no route there is none: no other table is asked.
    """

    priority: int
    table: int
    source: str = ""
    """CIDR of the sender's address."""
    mark: int = 0
    iif: str = ""
    """The interface it came in by."""


@dataclass(frozen=True)
class Node:
    """A host, a router or a switch. ``stack`` says whose network stack it runs."""

    name: str
    kind: Kind = "host"
    stack: StackKind = "kernel"
    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    vlans: tuple[Vlan, ...] = ()
    tables: tuple[Table, ...] = ()
    rules: tuple[Rule, ...] = ()
    offload: Offloads = None
    """Of its interfaces, where they say nothing themselves."""


@dataclass(frozen=True)
class End:
    """One end of a link: a node, and its interface (empty: the next free ``<node>-eth<n>``)."""

    node: str
    interface: str = ""

    def __str__(self) -> str:
        return f"{self.node}:{self.interface}" if self.interface else self.node


@dataclass(frozen=True)
class Link:
    """A cable. ``rate`` 0 means as fast as the world allows; ``queue`` None means the world's default."""

    a: End
    b: End
    rate: int = 0
    delay: int = 0
    loss: float = 0.0
    """Probability, 0 to 1, each direction, each frame on its own."""
    queue: Limit | None = None
    mark: Limit | None = None
    """What may wait before ECN-capable packets are marked "congestion experienced" (RFC 8257 §3.1's K); None: never."""

    def __str__(self) -> str:
        return f"{self.a.node}-{self.b.node}"


@dataclass(frozen=True)
class Overlay:
    """A VXLAN (RFC 7348): a wire between its members, in UDP over the network that joins them.

    Each member gets an interface called ``name``. On a host or router it has an address of ``network`` (empty: one is
    chosen); on a switch it is a port of VLAN ``vlan``.
    """

    name: str
    vni: int
    members: tuple[str, ...]
    port: int = 4789
    network: str = ""
    underlay: Underlay = "ipv4"
    """What the tunnels go over."""
    vlan: int = 0
    """0: 1, the VLAN of a switch's ports of which nothing is said."""


@dataclass(frozen=True)
class Topology:
    """A network as its author wrote it. ``where`` maps ("node", name) or ("link", index) to file:line."""

    name: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    where: dict[tuple[str, object], str] = field(default_factory=dict, compare=False, repr=False)
    overlays: tuple[Overlay, ...] = ()
    ipv6: Ipv6 = ""

    def node(self, name: str) -> Node:
        """The node of that name (KeyError when there is none)."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)


# ---- the plan: what `resolve` makes of a topology; every default is filled in --------------------


@dataclass(frozen=True)
class PlanInterface:
    """One interface, complete. ``peer`` is the plain name of the interface at the cable's other end."""

    name: str
    node: str
    mac: str
    addresses: tuple[str, ...]
    mtu: int
    queues: int
    peer: str
    link: int
    """Index into ``Plan.links``."""
    vlan: PortVlan | None = None
    steering: Steer | None = None
    offload: Offloads = None


@dataclass(frozen=True)
class PlanVlan:
    """A VLAN interface, complete: ``parent`` is the plain name of what it lies on."""

    name: str
    node: str
    parent: str
    id: int
    tag: Tag
    pcp: int
    mac: str
    addresses: tuple[str, ...]
    mtu: int


@dataclass(frozen=True)
class PlanVtep:
    """A member's end of an overlay: its tunnels begin at ``local`` and end at each of ``remotes`` (addresses)."""

    name: str
    node: str
    overlay: str
    vni: int
    port: int
    local: str
    remotes: tuple[str, ...]
    mac: str
    addresses: tuple[str, ...]
    mtu: int
    vlan: int
    """On a switch, the VLAN whose port it is; 0 on others."""


@dataclass(frozen=True)
class PlanWay:
    """Another next hop of a route, complete."""

    via: str
    interface: str
    weight: int


@dataclass(frozen=True)
class PlanRoute:
    """A route of a node: ``via`` is empty when the prefix is on the link of ``interface``."""

    prefix: str
    via: str
    interface: str
    weight: int = 1
    also: tuple[PlanWay, ...] = ()
    """The equal ways beside the first; a flow keeps to one of them all."""

    @property
    def ways(self) -> str:
        """ "10.0.1.254", or "10.0.1.254 ×1, 10.0.2.254 ×3"."""
        found = [(self.via, self.weight), *((way.via, way.weight) for way in self.also)]
        return ", ".join(f"{via} ×{weight}" for via, weight in found) if self.also else self.via


@dataclass(frozen=True)
class PlanTable:
    """A table beside the main one; longest prefix first."""

    number: int
    routes: tuple[PlanRoute, ...]


@dataclass(frozen=True)
class PlanNode:
    """One node, complete; ``routes`` are longest prefix first and include the connected ones."""

    name: str
    kind: Kind
    stack: StackKind
    interfaces: tuple[PlanInterface, ...]
    routes: tuple[PlanRoute, ...]
    vlans: tuple[PlanVlan, ...] = ()
    vteps: tuple[PlanVtep, ...] = ()
    tables: tuple[PlanTable, ...] = ()
    rules: tuple[Rule, ...] = ()
    """Lowest priority first."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of the node, without prefix lengths: of interfaces, then of VLANs, then of overlays."""
        held = [i.addresses for i in self.interfaces] + [v.addresses for v in self.vlans]
        held += [v.addresses for v in self.vteps]
        return tuple(address.split("/")[0] for addresses in held for address in addresses)


@dataclass(frozen=True)
class PlanLink:
    """A cable between two named interfaces; ``queue`` is None where the world's default holds."""

    a: str
    b: str
    rate: int
    delay: int
    loss: float
    queue: Limit | None
    mark: Limit | None = None


@dataclass(frozen=True)
class Plan:
    """A network in which nothing is left to guess. Order is the author's, so it is stable."""

    name: str
    nodes: tuple[PlanNode, ...]
    links: tuple[PlanLink, ...]
    ipv6: Ipv6 = ""
    """How IPv6 addresses come to the nodes: not at all, from the plan, or to hosts by way of their routers."""

    def node(self, name: str) -> PlanNode:
        """The node of that name (KeyError when there is none)."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def interface(self, name: str) -> PlanInterface:
        """The interface of that plain name (KeyError when there is none)."""
        for node in self.nodes:
            for interface in node.interfaces:
                if interface.name == name:
                    return interface
        raise KeyError(name)

    def interfaces(self) -> tuple[PlanInterface, ...]:
        """All interfaces, in node order."""
        return tuple(i for node in self.nodes for i in node.interfaces)
