"""Traffic as data: what is sent, by whom, to whom. A backend turns it into events or into commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netlab.units import MS, SEC, format_rate, format_time


@dataclass(frozen=True)
class Ping:
    """``count`` ICMP echo requests from a node; ``dst`` is a node's name or an address, of IPv4 or IPv6."""

    src: str
    dst: str
    count: int = 1
    interval: int = 10 * MS
    size: int = 56
    """Bytes of payload behind the ICMP header."""
    ttl: int = 64
    timeout: int = 1 * SEC
    start: int = 0
    """ns after the workload's start."""
    family: int = 4
    """Which address of a node is meant: 4 or 6."""
    df: bool = False
    """Whether the request may not be cut on its way (IPv4's DF), nor by its sender."""


@dataclass(frozen=True)
class UdpEcho:
    """``count`` datagrams from ``src`` to an echo server that is started on node ``dst``; answers are timed."""

    src: str
    dst: str
    port: int = 7
    count: int = 1
    interval: int = 10 * MS
    size: int = 32
    """Bytes of payload behind the UDP header."""
    timeout: int = 1 * SEC
    start: int = 0
    family: int = 4
    """Which address of the server is meant: 4 or 6."""
    sport: int = 0
    """The client's port; 0 leaves the choice to its host."""


@dataclass(frozen=True)
class Frames:
    """Ready-made frames put on the wire at a node's interface, as they are; nobody waits for an answer."""

    src: str
    interface: str
    frames: tuple[bytes, ...]
    """Each from its Ethernet header on, without the check sequence."""
    interval: int = 0
    start: int = 0


@dataclass(frozen=True)
class Bulk:
    """``flows`` TCP connections at once from ``src`` to a sink that is started on node ``dst``.

    Each carries ``size`` bytes, or with a ``duration`` as much as it can until then: it is cut off (reset) at its end.
    """

    src: str
    dst: str
    port: int = 5001
    size: int = 1_000_000
    """Bytes of each connection, where there is no duration."""
    duration: int = 0
    """ns; 0: until ``size`` bytes are there."""
    flows: int = 1
    congestion: str = ""
    """Congestion control of both ends, by name ("newreno", "cubic", "dctcp"); "" leaves it to the host."""
    timeout: int = 60 * SEC
    """ns after which a transfer of a size is given up."""
    start: int = 0
    family: int = 4
    """Which address of the sink's node is meant: 4 or 6."""

    @property
    def late(self) -> str:
        """What is said of a connection that does not end in time."""
        return f"not delivered within {format_time(self.timeout)}"


Workload = Ping | UdpEcho | Frames | Bulk


def length(workload: Workload) -> int:
    """ns from a workload's start to when its last request is given up."""
    if isinstance(workload, Frames):
        return workload.start + len(workload.frames) * workload.interval
    if isinstance(workload, Bulk):
        return workload.start + (workload.duration or workload.timeout)
    return workload.start + workload.count * workload.interval + workload.timeout


@dataclass(frozen=True)
class Reply:
    """What became of one request: an answer with its round trip in ns, an ICMP error with its sender, or silence."""

    seq: int
    result: Literal["answered", "error", "silence"]
    rtt: int = 0
    said: str = ""
    """For an error: "time exceeded from 10.0.1.1"."""


@dataclass(frozen=True)
class Flow:
    """What became of one connection: bytes that the peer's TCP acknowledged, and how long that took."""

    octets: int
    ns: int
    """From the SYN to the peer's close, to the cut at the end of a duration, or to the error."""
    error: str = ""
    """"ECONNREFUSED", "ETIMEDOUT", or a few words; "" when all went well."""

    @property
    def goodput(self) -> float:
        """bit/s; 0 for a flow that took no time."""
        return self.octets * 8e9 / self.ns if self.ns else 0.0

    def __str__(self) -> str:
        return self.error or f"{self.octets} bytes, {format_rate(round(self.goodput))}"


@dataclass(frozen=True)
class Outcome:
    """A workload's fate, request by request, or connection by connection."""

    workload: Workload
    replies: tuple[Reply, ...] = ()
    flows: tuple[Flow, ...] = ()

    @property
    def octets(self) -> int:
        """Bytes that all connections delivered."""
        return sum(flow.octets for flow in self.flows)

    @property
    def goodput(self) -> float:
        """bit/s of all connections together, over the time of the longest."""
        longest = max((flow.ns for flow in self.flows), default=0)
        return self.octets * 8e9 / longest if longest else 0.0

    @property
    def error(self) -> str:
        """What the first connection that failed said; "" when all went well."""
        return next((flow.error for flow in self.flows if flow.error), "")

    @property
    def answered(self) -> int:
        """How many requests were answered."""
        return sum(reply.result == "answered" for reply in self.replies)
