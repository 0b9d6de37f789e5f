"""A host on a desk: frames go in, what its stages make of them comes out, with no time passing by itself."""

from __future__ import annotations

from netlab.stack.fib import Route
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop, to
from netlab.wire.address import parse_ipv4

PEER_MAC = bytes.fromhex("020000000099")


def address(text: str) -> int:
    """An IPv4 address as an int."""
    return parse_ipv4(text)


def host(kind: str = "host", *, routes: tuple[Route, ...] = (), ports: int = 2) -> Host:
    """eth0 is 10.0.1.1/24, eth1 10.0.2.1/24, …; a switch has no addresses."""
    interfaces = tuple(
        Ifnet(
            f"eth{n}",
            bytes((2, 0, 0, 0, 1, n)),
            () if kind == "switch" else (Address(address(f"10.0.{n + 1}.1"), 24),),
            mtu=1500,
        )
        for n in range(ports)
    )
    connected = tuple(Route(address(f"10.0.{n + 1}.0"), 24, 0, f"eth{n}") for n in range(ports))
    return Host("x", kind, interfaces, (*connected, *routes) if kind != "switch" else ())


class Desk:
    """Runs the host's stages until everything has left, been dropped, or waits inside."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.now = 0
        self.sent: list[tuple[str, bytes]] = []
        self.drops: list[str] = []
        self.ended: list[Mbuf] = []
        self.visited: list[str] = []

    def receives(self, frame: bytes, interface: str = "eth0") -> Desk:
        """A frame comes in."""
        return self.does([to("nic.rx", Mbuf(frame, pkt=1, rcvif=self.host.interfaces[interface]))])

    def waits(self, ns: int) -> Desk:
        """Time passes, timers run."""
        until = self.now + ns
        while (deadline := self.host.timers.next()) is not None and deadline <= until:
            self.now = deadline
            self.does(self.host.timers.run(self.now))
        self.now = until
        return self

    def does(self, hops: list[Hop]) -> Desk:
        """Hops are followed to their ends."""
        work = list(hops)
        while work:
            target, m, reason = work.pop(0)
            if target == "nic.tx":
                assert m.ifp is not None
                self.sent.append((m.ifp.name, m.data))
            elif target:
                self.visited.append(target)
                work = [*self.host.stages[target].run(self.host, [m], self.now), *work]
            elif reason:
                self.drops.append(reason)
            else:
                self.ended.append(m)
        return self

    def takes_sent(self) -> list[tuple[str, bytes]]:
        """What was sent since the last call."""
        sent, self.sent = self.sent, []
        return sent
