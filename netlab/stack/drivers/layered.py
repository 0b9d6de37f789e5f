"""Drivers that lie on others: a VLAN on a parent, a tunnel over UDP, a bridge of several.

A host's own VLAN and VXLAN interfaces are stages, so that their packets are seen on the way; these are the same as
drivers, for whoever has frames and no host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from netlab.stack.bridge import AGEING
from netlab.stack.drivers.api import Driver
from netlab.stack.drivers.wrapper import Wrapper
from netlab.stack.ifcaps import Capability
from netlab.wire import ethernet, ipv4, udp, vlan, vxlan
from netlab.wire.decode import flow_hash


class Tagged(Wrapper):
    """A VLAN of a parent (IEEE 802.1Q §9): frames leave with its tag, and those with another are of no use."""

    def __init__(self, inner: Driver, vid: int, *, pcp: int = 0, tpid: int = vlan.CTAG) -> None:
        super().__init__(inner)
        self.vid, self.pcp, self.tpid = vid, pcp, tpid
        self.name = f"{inner.name}.{vid}"
        self.mtu = inner.mtu if inner.capabilities & Capability.VLAN_MTU else inner.mtu - 4
        self.capabilities = inner.capabilities & ~Capability.VLAN_MTU

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """With the tag put on."""
        return self.inner.transmit(vlan.push(frame, self.vid, pcp=self.pcp, tpid=self.tpid), queue)

    def receive(self, queue: int = 0) -> bytes | None:
        """With the tag taken off."""
        frame = self.inner.receive(queue)
        if frame is None:
            return None
        popped = vlan.pop(frame)
        if popped is None or popped[0] != self.tpid or popped[1].vid != self.vid:
            raise ValueError(f"{self.name}: a frame of another VLAN")
        return popped[2]


class Place(NamedTuple):
    """One end of a tunnel: link address, and IPv4 address as an int."""

    mac: bytes
    address: int


class Tunnelled(Wrapper):
    """A VXLAN tunnel to one other end (RFC 7348): frames travel in UDP, whose source port tells flows apart."""

    def __init__(self, inner: Driver, vni: int, here: Place, there: Place, *, port: int = vxlan.PORT) -> None:
        super().__init__(inner)
        self.vni, self.here, self.there, self.port = vni, here, there, port
        self.name = f"{inner.name}-vxlan{vni}"
        self.mtu = inner.mtu - vxlan.OVERHEAD4
        self.capabilities = Capability(0)

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """In a datagram to the other end."""
        here, there = self.here, self.there
        source = vxlan.source_port(flow_hash(frame))
        datagram = udp.build(source, self.port, vxlan.build(self.vni, frame), here.address, there.address)
        packet = ipv4.build(here.address, there.address, ipv4.UDP, datagram, fragment=ipv4.DONT_FRAGMENT)
        return self.inner.transmit(ethernet.build(there.mac, here.mac, ethernet.IPV4, packet), queue)

    def receive(self, queue: int = 0) -> bytes | None:
        """What was in a datagram for this end and this network."""
        outer = self.inner.receive(queue)
        return None if outer is None else self._unwrapped(outer)

    def _unwrapped(self, outer: bytes) -> bytes:
        link, ip = ethernet.parse(outer), ipv4.parse(outer, ethernet.SIZE)
        at = ethernet.SIZE + (ip.size if ip is not None else 0)
        ports = udp.parse(outer, at)
        header = vxlan.parse(outer, at + udp.SIZE)
        if link is None or ip is None or ports is None or header is None or link.type != ethernet.IPV4:
            raise ValueError(f"{self.name}: no datagram of a tunnel")
        ours = (ip.dst, ip.proto, ports.dst, header.valid, header.vni)
        if ours != (self.here.address, ipv4.UDP, self.port, True, self.vni):
            raise ValueError(f"{self.name}: not for this end of this tunnel")
        return outer[at + udp.SIZE + header.size : at + ports.length]


class Bridged:
    """A learning bridge of several drivers with a place of its own: what is sent goes where its receiver was heard.

    What comes is passed on between the ports as it is polled for; ``now`` is asked for ns, by which stations age.
    """

    def __init__(self, name: str, ports: Sequence[Driver], now: Callable[[], int]) -> None:
        self.name, self.ports, self._now = name, tuple(ports), now
        self.mtu = min(port.mtu for port in ports)
        self.queues = min(port.queues for port in ports)
        self.capabilities = Capability.VLAN_MTU
        for port in ports:
            self.capabilities &= port.capabilities
        self._heard: dict[bytes, tuple[Driver, int]] = {}

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """To the receiver's port, or to all; False when no port had room."""
        taken = [port.transmit(frame, queue) for port in self._towards(frame)]  # each port is to have it, not the first
        return any(taken)

    def receive(self, queue: int = 0) -> bytes | None:
        """The next frame that is for no station behind another port; those are passed on."""
        for port in self.ports:
            while (frame := port.receive(queue)) is not None:
                if len(frame) < ethernet.SIZE:
                    raise ValueError(f"{self.name}: a frame without a header")
                if not frame[6] & 1:
                    self._heard[frame[6:12]] = (port, self._now() + AGEING)
                known = self._known(frame[:6])
                for other in self.ports if known is None else (known,):
                    if other is not port:
                        other.transmit(frame, queue)
                if known is None:
                    return frame
        return None

    def up(self) -> None:
        """All ports begin."""
        self._heard.clear()
        for port in self.ports:
            port.up()

    def down(self) -> None:
        """All ports stop."""
        for port in self.ports:
            port.down()

    def close(self) -> None:
        """Every port is given back."""
        for port in self.ports:
            port.close()

    def _towards(self, frame: bytes) -> tuple[Driver, ...]:
        known = self._known(frame[:6])
        return self.ports if known is None else (known,)

    def _known(self, mac: bytes) -> Driver | None:
        found = self._heard.get(mac)
        return found[0] if found is not None and self._now() < found[1] else None
