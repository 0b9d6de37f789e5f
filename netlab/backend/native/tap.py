"""A driver whose device is made here: a TAP interface, whose other side is the kernel's (tuntap.rst).

What the driver transmits the kernel receives on the interface, and what the kernel sends there the driver receives.
"""

from __future__ import annotations

import errno
import os
import struct

from netlab.errors import Unavailable
from netlab.stack.ifcaps import Capability

CLONE = "/dev/net/tun"
TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE, IFF_TUN_EXCL = 0x400454CA, 0x0002, 0x1000, 0x0100, 0x8000
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFMTU, IFF_UP = 0x8913, 0x8914, 0x8922, 0x1
LARGEST = 65_536 + 18
_IFREQ = "16sH22x"


class Tap:
    """The interface ``name``, in the namespace that this runs in, until `close`. With several ``queues`` the kernel
    spreads what it sends over them by flow (IFF_MULTI_QUEUE). Unavailable when it cannot be made."""

    capabilities = Capability.VLAN_MTU

    def __init__(self, name: str, *, mtu: int = 1500, queues: int = 1) -> None:
        self.name, self.mtu, self.queues = name, mtu, queues
        self._running = False
        self._fds: list[int] = []
        try:
            for _ in range(queues):
                self._fds.append(_opened(name, several=queues > 1, first=not self._fds))
            _configure(name, mtu)
        except BaseException:
            self.close()
            raise

    def filenos(self) -> list[int]:
        """For a selector: a descriptor for each queue."""
        return list(self._fds)

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """Hand a frame to the kernel; False when it has no room, or took the interface down."""
        if not self._running:
            return False
        try:
            return os.write(self._fds[queue], frame) == len(frame)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.ENOBUFS, errno.EIO):
                return False
            raise

    def receive(self, queue: int = 0) -> bytes | None:
        """The next frame that the kernel sent."""
        return self._read(queue) if self._running else None

    def _read(self, queue: int) -> bytes | None:
        try:
            return os.read(self._fds[queue], LARGEST)
        except BlockingIOError:
            return None

    def up(self) -> None:
        """Begin: what the kernel sent before is thrown away."""
        for queue in range(len(self._fds)):
            while self._read(queue) is not None:
                pass
        self._running = bool(self._fds)

    def down(self) -> None:
        """Stop. The kernel's side stays up, and speaks to nobody."""
        self._running = False

    def close(self) -> None:
        """The interface is gone with its last descriptor."""
        self._running = False
        fds, self._fds = self._fds, []
        for fd in fds:
            os.close(fd)


def _opened(name: str, *, several: bool, first: bool) -> int:
    import fcntl

    flags = IFF_TAP | IFF_NO_PI | (IFF_MULTI_QUEUE if several else 0) | (IFF_TUN_EXCL if first else 0)
    fd = -1
    try:
        fd = os.open(CLONE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack(_IFREQ, name.encode(), flags))
    except OSError as error:
        if fd >= 0:
            os.close(fd)
        raise Unavailable(f"no TAP interface '{name}' can be made ({error.strerror})", right=_remedy(error)) from error
    return fd


def _remedy(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"load the kernel's module tun, so that there is {CLONE}"
    if error.errno == errno.EBUSY:
        return "choose a name that no interface has"
    return f"give this user {CLONE}, and run in a network namespace of his own"


def _configure(name: str, mtu: int) -> None:
    """Set the MTU and bring the interface up."""
    import fcntl
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, SIOCSIFMTU, struct.pack("16si20x", name.encode(), mtu))
        answer = fcntl.ioctl(asking, SIOCGIFFLAGS, struct.pack(_IFREQ, name.encode(), 0))
        flags = struct.unpack(_IFREQ, answer)[1] | IFF_UP
        fcntl.ioctl(asking, SIOCSIFFLAGS, struct.pack(_IFREQ, name.encode(), flags))
