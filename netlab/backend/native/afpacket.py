"""A driver for an interface of the kernel by AF_PACKET: a socket a queue, joined by PACKET_FANOUT.

The kernel spreads what comes over the sockets by a hash of the flow, so that one flow stays on one queue (packet(7)).
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from typing import TypeVar

from netlab.backend.native.packetsocket import PacketSocket
from netlab.stack.ifcaps import CHECKSUMS, SOFTWARE, Capability
from netlab.stack.offload import Offload
from netlab.topology.spec import PlanNode

GONE = frozenset((errno.ENETDOWN, errno.ENXIO, errno.ENODEV))
"""What the kernel says of a device that is down, or no longer there."""
SIOCGIFMTU, SIOCGIFADDR = 0x8921, 0x8915
T = TypeVar("T")


class AfPacket:
    """The kernel's device ``name``. OSError from `up` when it is not there, or privilege is missing."""

    def __init__(self, name: str, *, queues: int = 1, offload: bool = False) -> None:
        """With ``offload`` long segments come and go whole, and checksums are left to the kernel."""
        self.name, self.queues, self.offload = name, queues, offload
        self.capabilities = Capability.RXCSUM | Capability.VLAN_MTU
        if offload:
            self.capabilities |= CHECKSUMS | Capability.TSO | SOFTWARE
            self.capabilities |= Capability.USO if kernel_cuts_datagrams(os.uname().release) else Capability.NONE
        self.mtu = kernel_mtu(name)
        self._rings: list[PacketSocket] = []

    def up(self) -> None:
        """Open the sockets: nothing that came before is in them."""
        self.down()
        self._rings = [PacketSocket(self.name) for _ in range(self.queues)]
        if self.queues > 1:
            group = self._rings[0].found_group()
            for ring in self._rings[1:]:
                ring.join_group(group)

    def down(self) -> None:
        """Close them: the device itself stays as it is."""
        rings, self._rings = self._rings, []
        for ring in rings:
            ring.close()

    def close(self) -> None:
        """As down."""
        self.down()

    def filenos(self) -> list[int]:
        """For a selector: a descriptor for each queue; none while it is down."""
        return [ring.fileno() for ring in self._rings]

    def waiting(self) -> int:
        """Bytes that the kernel has from us and that have not left."""
        return sum(ring.waiting() for ring in self._rings)

    def buffer(self) -> int:
        """How many it takes."""
        return sum(ring.buffer() for ring in self._rings)

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """Into the device's queue; False when that is full, or the device down."""
        return bool(self._rings) and not _unless_gone(lambda: self._rings[queue].send(frame), "gone")

    def transmit_long(self, frame: bytes, offload: Offload, queue: int = 0) -> bool:
        """As `transmit`, and the kernel does what is left to do."""
        return bool(self._rings) and not _unless_gone(lambda: self._rings[queue].send(frame, offload), "gone")

    def receive_long(self, queue: int = 0) -> tuple[bytes, Offload | None] | None:
        """As `receive`, with what is still to be done with it."""
        return _unless_gone(self._rings[queue].receive_long, None) if self._rings else None

    def receive(self, queue: int = 0) -> bytes | None:
        """The queue's next frame. SuperFrame, a ValueError, for one that nobody can cut."""
        return _unless_gone(self._rings[queue].receive, None) if self._rings else None


def takes_whole(node: PlanNode) -> bool:
    """Whether long segments cross the interfaces of a node of ours whole: a host's do.

    A router or a switch of ours passes frames on as they are on a wire, unless its plan says that a device cuts. Who
    has VLANs or overlays wraps them.
    """
    if node.vlans or node.vteps or any(interface.vlan for interface in node.interfaces):
        return False
    return node.kind == "host" or any({"tso", "uso"} & set(i.offload or ()) for i in node.interfaces)


def kernel_cuts_datagrams(release: str) -> bool:
    """Whether a kernel knows GSO_UDP_L4 in a virtio-net header: since 6.2."""
    numbers = [int("".join(filter(str.isdigit, part)) or 0) for part in release.split(".")[:2]]
    return numbers >= [6, 2]


def _unless_gone(act: Callable[[], T], otherwise: T) -> T:
    try:
        return act()
    except OSError as error:
        if error.errno in GONE:
            return otherwise
        raise


def kernel_mtu(device: str) -> int:
    """What the kernel says; OSError when it has no such device."""
    return int(struct.unpack_from("16si", _asked(device, SIOCGIFMTU))[1])


def kernel_address(device: str) -> int:
    """The first IPv4 address that the kernel itself has on a device; 0 for none."""
    import socket

    try:
        proper = socket.if_indextoname(socket.if_nametoindex(device))  # addresses are not found by an altname
        return int.from_bytes(_asked(proper, SIOCGIFADDR)[20:24], "big")
    except OSError:
        return 0


def _asked(device: str, request: int) -> bytes:
    import fcntl
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        return fcntl.ioctl(asking, request, struct.pack("16s24x", device.encode()))
