"""Two hosts, two cables, multipath TCP between them; in virtual time."""

from __future__ import annotations

import hashlib

from netlab.backend.sim import SimSession
from netlab.stack.host import Host
from netlab.stack.mptcp.connection import Mptcp
from netlab.stack.mptcp.host import MptcpSocket, multipath, use_addresses
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.units import SEC
from netlab.wire.address import parse_ipv4
from netlab.workload.bulk import pattern
from netlab.workload.multipath import MultipathSender, MultipathSink

PORT = 5001
SERVER = parse_ipv4("10.0.1.2")


def silent(program: str, now: int, said: str, value: int) -> None:
    """A program nobody listens to."""


class Transfer:
    """h1 sends ``data`` to h2 over both cables, unless ``addresses`` says that h1 keeps to one."""

    def __init__(self, network: str, data: bytes, *, addresses: bool = True, seed: int = 1) -> None:
        self.session = SimSession(resolve(load_topology(network)), seed=seed)
        self.hosts: dict[str, Host] = {name: e.host for name, e in self.session.executors.items()}
        self.data = data
        for name in ("h1", "h2"):
            multipath(self.hosts[name])
        if addresses:
            use_addresses(self.hosts["h1"])
        self.sink = MultipathSink(self.hosts["h2"], PORT)
        self.sender = MultipathSender(self.hosts["h1"], SERVER, PORT, data, silent)

    def run(self, limit: int = 600 * SEC) -> Transfer:
        """To the end."""
        self.start()
        self.session.loop.run(limit)
        return self

    def start(self) -> None:
        """The SYN leaves."""
        self.session.executors["h1"].inject(self.sender.start(self.session.now))

    @property
    def m(self) -> Mptcp:
        """The sender's connection."""
        socket = self.sender.socket
        assert isinstance(socket, MptcpSocket)
        return socket.connection

    @property
    def whole(self) -> bool:
        """Whether every byte arrived, once and in order."""
        return self.sink.digests == [hashlib.sha256(self.data).hexdigest()]

    @property
    def rate(self) -> float:
        """Bits a second from the SYN to the last close."""
        assert self.sender.finished is not None
        return len(self.data) * 8 * SEC / (self.sender.finished - self.sender.began)


__all__ = ["Transfer", "pattern"]
