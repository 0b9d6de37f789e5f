"""The programs of `netlab.workload.bulk` above multipath TCP, and one that never ends."""

from __future__ import annotations

from netlab.stack.host import Host
from netlab.stack.mptcp.host import MptcpListener, MptcpSocket
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import TcpSocket
from netlab.stack.tcp.segment import Event
from netlab.workload.bulk import BLOCK, BulkSender, Sink


class MultipathSender(BulkSender):
    """Pours bytes into a multipath connection."""

    sockets = MptcpSocket


class MultipathSink(Sink):
    """Takes what multipath connections bring, and plain ones."""

    listeners = MptcpListener


class Endless:
    """Pours into one connection for as long as somebody runs the network; ``sockets`` says of which kind."""

    def __init__(self, sockets: type[TcpSocket], host: Host, dst: int, port: int) -> None:
        self._sockets, self._host, self._to = sockets, host, (dst, port)

    def start(self, now: int) -> list[Hop]:
        """Connect."""
        self.socket, hops = self._sockets.connect(self._host, *self._to, self._hear, now)
        return hops

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        hops: list[Hop] = []
        taken = event.what in ("connected", "writable")
        while taken:
            size, more = socket.send(BLOCK, now)
            hops += more
            taken = size > 0
        return hops
