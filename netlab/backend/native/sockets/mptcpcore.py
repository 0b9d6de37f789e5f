"""A socket of IPPROTO_MPTCP: the calls of a TCP socket, with a stream over several subflows behind them."""

from __future__ import annotations

from typing import Any

from netlab.backend.native.sockets.failures import failure
from netlab.backend.native.sockets.tcpcore import TcpCore
from netlab.stack.mptcp.host import MptcpSocket, multipath
from netlab.stack.mptcp.subflow import Subflow
from netlab.stack.tcp.host import TcpSocket
from netlab.stack.tcp.layer import Endpoint

IPPROTO_MPTCP = 262
"""Linux's number, which Python's `socket` does not have everywhere."""


class MptcpCore(TcpCore):
    """Who speaks plain TCP to it is answered so (RFC 8684 §3.7); an accepted socket is then a plain one."""

    protocol = IPPROTO_MPTCP
    opens = MptcpSocket

    @property
    def connection(self) -> Any:
        """The stream, which answers to the names of a TCP connection that are asked for here."""
        return self.tcp.connection if isinstance(self.tcp, MptcpSocket) else None

    def _connected(self) -> tuple[TcpSocket, Any]:
        if self.tcp is None:
            raise failure("ENOTCONN")
        return self.tcp, self.connection

    def listen(self, backlog: int) -> None:
        """Become a listening socket."""
        super().listen(backlog)
        multipath(self.engine.host)
        if self.queue is not None:
            self.queue.listener.multipath = True

    def child_for(self, endpoint: Endpoint) -> TcpCore:
        """The socket of a connection that came."""
        made = MptcpCore if isinstance(endpoint.owner, Subflow) else TcpCore
        return made(self.engine, self.family)

    def holding(self, endpoint: Endpoint) -> TcpSocket:
        """The connection as a program holds it."""
        assert isinstance(endpoint.owner, Subflow)
        return MptcpSocket(self.engine.host, endpoint.owner.m, self.hear)

    def lingered(self) -> None:
        """Nothing, once the peer has everything; EAGAIN before that (SO_LINGER)."""
        m = self.connection
        if m is not None and not m.closed and (m.sending.outstanding or m.sending.queue):
            self.engine.lingering.add(self)
            raise failure("EAGAIN")
        self.engine.lingering.discard(self)
