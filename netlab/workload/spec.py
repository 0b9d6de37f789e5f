"""Traffic as data: what is sent, by whom, to whom. A backend turns it into events or into commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netlab.units import MS, SEC


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


Workload = Ping | UdpEcho | Frames


def length(workload: Workload) -> int:
    """ns from a workload's start to when its last request is given up."""
    if isinstance(workload, Frames):
        return workload.start + len(workload.frames) * workload.interval
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
class Outcome:
    """A workload's fate, request by request."""

    workload: Workload
    replies: tuple[Reply, ...]

    @property
    def answered(self) -> int:
        """How many requests were answered."""
        return sum(reply.result == "answered" for reply in self.replies)
