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
class Interface:
    """A node's end of a link as its author wrote it; empty fields are filled in by `resolve`."""

    name: str
    addresses: tuple[str, ...] = ()
    """CIDR strings: "10.0.1.1/24"."""
    mac: str = ""
    queues: int = 1
    mtu: int = 1500


@dataclass(frozen=True)
class Route:
    """Send what matches ``prefix`` by way of ``via`` (an address of a neighbour)."""

    prefix: str
    via: str


@dataclass(frozen=True)
class Node:
    """A host, a router or a switch. ``stack`` says whose network stack it runs."""

    name: str
    kind: Kind = "host"
    stack: StackKind = "kernel"
    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()


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

    def __str__(self) -> str:
        return f"{self.a.node}-{self.b.node}"


@dataclass(frozen=True)
class Topology:
    """A network as its author wrote it. ``where`` maps ("node", name) or ("link", index) to file:line."""

    name: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    where: dict[tuple[str, object], str] = field(default_factory=dict, compare=False, repr=False)

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


@dataclass(frozen=True)
class PlanRoute:
    """A route of a node: ``via`` is empty when the prefix is on the link of ``interface``."""

    prefix: str
    via: str
    interface: str


@dataclass(frozen=True)
class PlanNode:
    """One node, complete; ``routes`` are longest prefix first and include the connected ones."""

    name: str
    kind: Kind
    stack: StackKind
    interfaces: tuple[PlanInterface, ...]
    routes: tuple[PlanRoute, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of the node, without prefix lengths, in interface order."""
        return tuple(a.split("/")[0] for i in self.interfaces for a in i.addresses)


@dataclass(frozen=True)
class PlanLink:
    """A cable between two named interfaces; ``queue`` is None where the world's default holds."""

    a: str
    b: str
    rate: int
    delay: int
    loss: float
    queue: Limit | None


@dataclass(frozen=True)
class Plan:
    """A network in which nothing is left to guess. Order is the author's, so it is stable."""

    name: str
    nodes: tuple[PlanNode, ...]
    links: tuple[PlanLink, ...]

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
