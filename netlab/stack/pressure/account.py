"""What a connection has below TCP: the gate that its output asks, and the charge that each of its packets carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netlab.stack.tcp.sequence import unwrap
from netlab.wire.tcp import SYN

if TYPE_CHECKING:
    from netlab.stack.pressure.boundary import Boundary
    from netlab.stack.tcp.connection import Connection
    from netlab.stack.tcp.layer import Pair
    from netlab.stack.tcp.segment import Segment


class Account:
    """One connection's. ``pair`` finds its endpoint when it is woken; times are the connection's own."""

    __slots__ = (
        "boundary",
        "charged",
        "connection",
        "generation",
        "grant",
        "pair",
        "piece",
        "promised",
        "refusals",
        "since",
        "tries",
        "wanted",
        "withdrawn",
    )

    def __init__(self, connection: Connection, pair: Pair, boundary: Boundary) -> None:
        self.connection, self.pair, self.boundary = connection, pair, boundary
        self.charged = 0
        """Bytes of text between TCP and the end of the wire's first metre."""
        self.grant = self.promised = 0
        """Bytes that it was promised with its wake-up, and in how many frames."""
        self.since: int | None = None
        """When it began to wait for a wake-up; None when it doesn't."""
        self.wanted = self.piece = 0
        """What it asked for last."""
        self.generation, self.withdrawn = 0, 0
        """How often segments were taken back, and from where on the last time."""
        self.refusals = self.tries = 0
        """Refusals in a row; and ever."""

    @property
    def waiting(self) -> bool:
        """Whether a wake-up is owed to it."""
        return self.since is not None

    @property
    def closed(self) -> bool:
        """Whether the program is to be told that nothing is taken now."""
        return self.since is not None and self.boundary.policy.tells

    def ask(self, wanted: int, piece: int) -> int:
        """How many of ``wanted`` bytes may leave now, whole pieces or all. Of less, a wake-up will come."""
        self.wanted, self.piece = wanted, piece
        allowed = self.boundary.policy.may(self, wanted, piece)
        return wanted if allowed >= wanted else allowed - allowed % piece

    def took(self, size: int, piece: int) -> None:
        """So many bytes left TCP."""
        self.charged += size
        self.since = None
        self.boundary.took(self, size, -(-size // piece))

    def take_back(self, seq: int) -> None:
        """What begins at ``seq`` (unwrapped) was refused: the connection has not sent it, nor what comes behind it."""
        if self.connection.unsend(seq):
            self.generation, self.withdrawn = self.generation + 1, self.connection.snd_nxt

    def charge(self, segment: Segment) -> Charge | None:
        """What the packet with a segment carries; None without text."""
        size = len(segment.payload)
        if not size or segment.flags & SYN:
            return None
        frames = -(-size // segment.segsz) if segment.segsz else 1
        return Charge(self, unwrap(self.connection.snd_una, segment.seq), size, frames, self.generation)


class Charge(NamedTuple):
    """Whom a packet's bytes are charged to, until the device is done with them (sk_wmem_alloc of Linux)."""

    account: Account
    seq: int
    """Unwrapped."""
    size: int
    frames: int
    generation: int

    @property
    def stale(self) -> bool:
        """Whether TCP has taken it back while it was on its way to the queue."""
        account = self.account
        return self.generation < account.generation and self.seq >= account.withdrawn

    def cut(self, segsz: int) -> list[Charge]:
        """The charges of the pieces that the packet is cut into."""
        account, seq, size, _, generation = self
        return [Charge(account, seq + at, min(segsz, size - at), 1, generation) for at in range(0, size, segsz)]


class Wake(NamedTuple):
    """A wake-up on its way to a connection, through "socket.deliver"."""

    account: Account
