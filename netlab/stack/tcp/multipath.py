"""What TCP asks of whoever spreads one stream over several connections (`netlab.stack.mptcp`). It knows no more of it.

A connection with a `Carrier` is one subflow of several: it shows it the options that come, asks it for options, and
for what may stand in one segment. A layer with a `Multipath` lets it follow what happens to such connections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection
    from netlab.stack.tcp.layer import Endpoint, Pair, Step
    from netlab.stack.tcp.segment import Segment
    from netlab.wire.tcp import Options


class Carrier(Protocol):
    """What stands above a connection that is a subflow. It calls no method of the connection that sends."""

    overhead: int
    """Bytes of options that a segment with data may need, to whole words."""

    def syn_options(self, c: Connection) -> tuple[bytes, ...]:
        """MPTCP options of our SYN or SYN ACK."""

    def learn(self, c: Connection, syn: Segment) -> None:
        """The peer's SYN or SYN ACK came."""

    def admits(self, c: Connection, segment: Segment) -> bool:
        """A segment in the window came; False to have it dropped."""

    def dress(self, c: Connection, options: Options, seq: int, size: int) -> Options:
        """``options`` with ours, and not more than a header holds, for ``size`` bytes from ``seq`` on."""

    def bound(self, seq: int) -> int:
        """How many bytes from ``seq`` on may be in one segment."""

    def window(self) -> int:
        """How many bytes more than were acknowledged are taken: what a segment offers."""

    def take(self, c: Connection) -> None:
        """Bytes came in order and stand in ``c.inbox``."""

    def stalled(self, c: Connection) -> None:
        """The retransmission timer ran out."""

    def last_words(self, c: Connection) -> tuple[bytes, ...]:
        """MPTCP options of our RST."""

    def hear_reset(self, c: Connection, segment: Segment) -> None:
        """The peer's RST ends the connection."""


class Multipath(Protocol):
    """What stands above a layer."""

    def settle(self, step: Step, endpoint: Endpoint) -> None:
        """A call of a subflow's connection is over: ``step`` is what it led to, and what follows is added."""

    def offered(self, endpoint: Endpoint, syn: Segment) -> None:
        """A listener was sent a SYN with MPTCP options; ``endpoint`` is about to answer it."""

    def joining(self, pair: Pair, syn: Segment, now: int) -> Step | None:
        """A SYN came that no connection knows; None when it joins nothing."""

    def unfinished(self) -> bool:
        """Whether a stream whose program has gone has still something to bring to its peer."""

    def forgotten(self, endpoint: Endpoint) -> None:
        """A half-open connection is no more, because its listener is none."""

    def next_timer(self) -> int | None:
        """The earliest deadline."""

    def timer(self, now: int) -> Step:
        """Do what is due."""
