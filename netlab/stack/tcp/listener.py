"""A listening socket: half-open connections, and those that wait to be accepted (RFC 9293 §3.10.1, RFC 4987)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from netlab.stack.tcp.state import SYN_RECEIVED

if TYPE_CHECKING:
    from netlab.stack.tcp.layer import Endpoint, Pair


class Listener:
    """``backlog`` bounds the accept queue; as many half-open connections may wait beside it."""

    def __init__(self, local: int | None, port: int, backlog: int) -> None:
        self.local, self.port = local, port
        self.backlog = max(backlog, 1)
        self.half_open: dict[Pair, Endpoint] = {}
        self.ready: deque[Endpoint] = deque()
        self.fast_open = False
        self.settings: dict[str, object] = {}
        """What accepted connections inherit: attribute of `Connection` -> value."""
        self.tos, self.ttl, self.mark = 0, 64, 0
        self.fib: int | None = None
        self.closed = False
        self.multipath = False
        """Whether SYNs that offer MPTCP are answered so."""
        self.owner: object = None
        """Whoever holds the socket."""
        self.dropped = 0
        """SYNs and connections there was no room for."""

    @property
    def pending(self) -> int:
        """Fast-opened connections whose handshake isn't complete (RFC 7413 §5.1 bounds them)."""
        return sum(e.connection.fast_opened and e.connection.state == SYN_RECEIVED for e in self.ready)

    @property
    def full(self) -> bool:
        """Whether the accept queue has no room (both systems let in one more than was asked for)."""
        return len(self.ready) > self.backlog

    def accept(self) -> Endpoint | None:
        """The connection that has waited longest; None when none does."""
        return self.ready.popleft() if self.ready else None
