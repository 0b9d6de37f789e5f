"""Multipath TCP in a host: sockets with the methods of TCP's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.ip6.ip import source6
from netlab.stack.ip6.state import Outgoing6
from netlab.stack.mptcp.actions import Act
from netlab.stack.mptcp.connection import Mptcp
from netlab.stack.mptcp.layer import MptcpLayer
from netlab.stack.mptcp.paths import OwnAddress
from netlab.stack.mptcp.settings import Settings
from netlab.stack.mptcp.subflow import Subflow
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import Accepted, Hear, TcpListener, TcpSocket
from netlab.stack.tcp.layer import Pair
from netlab.stack.tcp.segment import Event
from netlab.stack.tcp.sockopts import SocketOptions
from netlab.wire import ipv4

if TYPE_CHECKING:
    from netlab.stack.host import Host


def multipath(host: Host) -> MptcpLayer:
    """The host's multipath TCP; the first call brings it into being. Until then its TCP knows nothing of it."""
    found = host.tcp.layer.multipath
    if isinstance(found, MptcpLayer):
        return found
    return MptcpLayer(
        host.tcp.layer, Settings(), b"mptcp " + host.name.encode()[:58], _source_of(host), host.tcp.ephemeral
    )


def _source_of(host: Host) -> _Source:
    return _Source(host)


class _Source:
    def __init__(self, host: Host) -> None:
        self.host = host

    def __call__(self, dst: int, version: int) -> int:
        return source6(self.host, Outgoing6(dst, ipv4.TCP)) if version == 6 else self.host.source_for(dst)


def use_addresses(host: Host, *, signal: bool = False, backup: bool = False) -> list[OwnAddress]:
    """Let subflows use every IPv4 address that the host has, as joins or (``signal``) as announcements."""
    layer = multipath(host)
    held = [a.address for ifp in host.interfaces.values() for a in ifp.addresses]
    layer.own[:] = [
        OwnAddress(address, number, subflow=not signal, signal=signal, backup=backup)
        for number, address in enumerate(held, 1)
    ]
    return layer.own


class MptcpSocket(TcpSocket):
    """A multipath connection as a program holds it; ``connection.subflows`` shows what carries it."""

    def __init__(self, host: Host, m: Mptcp, hear: Hear) -> None:
        first = m.subflows[0].endpoint
        assert first is not None
        self.host, self.endpoint, self.connection, self._hear = host, first, m, hear
        m.owner = self

    @classmethod
    def open(
        cls,
        host: Host,
        dst: int,
        port: int,
        hear: Hear,
        now: int,
        options: SocketOptions,
        *,
        local: int = 0,
        local_port: int = 0,
    ) -> tuple[MptcpSocket, list[Hop]]:
        """As TcpSocket's. ``options.congestion`` is what each subflow does by itself; "": as the host's `Settings` say.

        ValueError when no route leads there, or the pair of ends is in use.
        """
        src = local or _Source(host)(dst, options.version)
        if not src:
            raise ValueError(f"{host.name}: no route to that address")
        pair = Pair(src, local_port or host.tcp.ephemeral(), dst, port, options.version)
        endpoint = host.tcp.new_endpoint(pair, now, options)
        m, step = multipath(host).connect(pair, now, options.congestion, endpoint)
        made = cls(host, m, hear)
        made._options = options
        return made, host.tcp.follow(step, now)

    def setsockopt(self, name: str, value: int | str, now: int) -> list[Hop]:
        """As TcpSocket's, of the first subflow; TCP_NODELAY is the stream's."""
        if name == "TCP_NODELAY":
            self.connection.nodelay = bool(value)
        return super().setsockopt(name, value, now)

    @property
    def refusal(self) -> str:
        """The errno's name for which `send` would take nothing; "" when it would not."""
        return "" if self.room else "EAGAIN"

    @property
    def room(self) -> int:
        """How many bytes `send` would take now."""
        return self.connection.room

    def send(self, data: bytes, now: int) -> tuple[int, list[Hop]]:
        """Queue data; how many bytes there was room for, and what leaves."""
        taken = self.connection.write(data)
        return taken, self._act(self.connection.push(now), now)

    def read(self, size: int, now: int) -> tuple[bytes, list[Hop]]:
        """Take up to ``size`` bytes that have arrived; the peer may be told of the room."""
        data = self.connection.read(size)
        return data, self._act(self.connection.push(now), now)

    @property
    def at_end(self) -> bool:
        """Whether the peer has closed and everything has been read."""
        return self.connection.at_end

    @property
    def delivered(self) -> int:
        """Bytes of ours that the peer has acknowledged."""
        return self.connection.delivered

    def shutdown(self, now: int) -> list[Hop]:
        """Send no more; the peer may."""
        return self._act(self.connection.shutdown(now), now)

    def close(self, now: int) -> list[Hop]:
        """Let go of the connection."""
        return self._act(self.connection.close(now), now)

    def abort(self, now: int) -> list[Hop]:
        """Cut it."""
        return self._act(self.connection.abort(now), now)

    def prefer(self, subflow: Subflow, now: int, *, backup: bool) -> list[Hop]:
        """Have one of `connection.subflows` used only while there is nothing else, or as the others (MP_PRIO)."""
        return self._act(self.connection.prefer(subflow, now, backup=backup), now)

    def withdraw(self, own: OwnAddress, now: int) -> list[Hop]:
        """One of our addresses is gone: its subflows end, and the peer is told (REMOVE_ADDR)."""
        return self._act(self.connection.withdraw(own, now), now)

    def _act(self, acts: list[Act], now: int) -> list[Hop]:
        return self.host.tcp.follow(multipath(self.host).done(self.connection, acts), now)


class MptcpListener(TcpListener):
    """A listening port that answers MPTCP's SYNs so; who speaks plain TCP gets a `TcpSocket`."""

    def __init__(self, host: Host, port: int, hear: Hear, accepted: Accepted, *, backlog: int = 128) -> None:
        super().__init__(host, port, hear, accepted, backlog=backlog)
        multipath(host)
        self.listener.multipath = True

    def hear(self, event: Event, now: int) -> list[Hop]:
        """A connection is complete."""
        found: list[Hop] = []
        while (endpoint := self.listener.accept()) is not None:
            if not isinstance(endpoint.owner, Subflow):
                found += self._welcome(TcpSocket(self.host, endpoint, self._hear), now)
                continue
            found += self._welcome(MptcpSocket(self.host, endpoint.owner.m, self._hear), now)
        return found

    def _welcome(self, made: TcpSocket, now: int) -> list[Hop]:
        found = self._accepted(made, now)
        c = made.connection if isinstance(made, MptcpSocket) else made.endpoint.connection
        if c.inbox or made.at_end:
            found += made.hear(Event("readable"), now)
        return found
