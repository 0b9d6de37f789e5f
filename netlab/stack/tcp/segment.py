"""What passes between a connection and the network, and between a connection and its owner."""

from __future__ import annotations

from typing import NamedTuple

from netlab.wire import tcp
from netlab.wire.tcp import ACK, FIN, RST, SYN, Options

NOT_ECT, ECT1, ECT0, CE = 0, 1, 2, 3


class Segment(NamedTuple):
    """A TCP segment without its ports; ``seq`` and ``ack`` as they stand in the header."""

    seq: int
    ack: int = 0
    flags: int = 0
    window: int = 0
    """As it stands, not scaled."""
    payload: bytes = b""
    options: Options = tcp.NONE
    urgent: int = 0
    ecn: int = NOT_ECT
    """The ECN field of the IP header it travels in (RFC 3168 §5)."""
    segsz: int = 0
    """It is to be cut into pieces with so much text each; 0: it fits as it is."""

    @property
    def length(self) -> int:
        """SEG.LEN: the payload, and one each for SYN and FIN (RFC 9293 §3.4)."""
        return len(self.payload) + (self.flags & SYN != 0) + (self.flags & FIN != 0)


class Event(NamedTuple):
    """What a connection tells its owner: a past-tense word, and the errno's name where there is one.

    Words: connected, readable, writable, ended (the peer's FIN), closed (nothing will happen any more), reset,
    refused, timed out.
    """

    what: str
    error: str = ""


Action = Segment | Event


def reset_for(segment: Segment) -> Segment | None:
    """The RST that answers a segment which belongs to no connection; None for a RST (RFC 9293 §3.10.7.1)."""
    if segment.flags & RST:
        return None
    if segment.flags & ACK:
        return Segment(segment.ack, 0, RST)
    return Segment(0, (segment.seq + segment.length) % (1 << 32), RST | ACK)
