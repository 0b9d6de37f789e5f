"""Rooms: a node's network namespace, with the netlink socket that configures it and a /sys that shows it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from netlab.backend.mininet import linux
from netlab.backend.mininet.rtnl import Rtnl


class Room:
    """A namespace that lives as long as the arena. ``kernel`` speaks rtnetlink in it."""

    def __init__(self, net: int, kernel: Rtnl, *, own: bool) -> None:
        self.net, self.kernel = net, kernel
        self._own = own
        self._mnt: int | None = None
        self._making = threading.Lock()  # guards _mnt: Mininet's commands run in threads

    @property
    def inode(self) -> int:
        """The namespace's number, as `readlink /proc/PID/ns/net` says it."""
        return os.fstat(self.net).st_ino

    @contextmanager
    def networking(self) -> Iterator[None]:
        """The calling thread is in the room's network alone: for sockets and for /proc/sys/net."""
        with linux.inside(self.net):
            yield

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread, and what it starts meanwhile, is in the room; /sys shows the room's devices."""
        if self._own:
            with linux.inside(self.net, self._mount()):
                yield
        else:
            yield

    def _mount(self) -> int:
        # Made by the first command in the room: a network of which nobody asks anything needs none.
        with self._making:
            if self._mnt is None:
                here = linux.namespace_fd("mnt")
                try:
                    with linux.inside(self.net, here):
                        linux.unshare(linux.NEWNS)
                        mount_sys()
                        self._mnt = linux.namespace_fd("mnt")
                finally:
                    os.close(here)
            return self._mnt


def mount_sys() -> None:
    """A sysfs of the calling thread's network; read-only where a container allows no better."""
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    try:
        linux.mount("sysfs", "/sys", "sysfs", flags)
    except PermissionError:
        linux.mount("sysfs", "/sys", "sysfs", flags | linux.MS_RDONLY)


def furnish() -> None:
    """Mounts of the arena's own: what its processes see of /proc, /sys and /run is theirs, and nobody else sees it.

    To be called by the first process of a PID namespace. OSError names what could not be mounted.
    """
    linux.unshare(linux.NEWNS)
    linux.mount("none", "/", "", linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    mount_sys()
    linux.mount("tmpfs", "/run", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755")


def own_room() -> Room:
    """The arena's own network, in which the bridges are."""
    return Room(linux.namespace_fd("net"), Rtnl(), own=False)


def new_rooms(count: int) -> list[Room]:
    """Fresh namespaces; the calling thread ends up where it was."""
    home = linux.namespace_fd("net")
    try:
        return [_new_room() for _ in range(count)]
    finally:
        linux.setns(home, linux.NEWNET)
        os.close(home)


def _new_room() -> Room:
    linux.unshare(linux.NEWNET)
    return Room(linux.namespace_fd("net"), Rtnl(), own=True)


def sysctl(name: str, value: int) -> None:
    """Set a sysctl of the calling thread's network; nothing where the kernel has no such one."""
    with suppress(FileNotFoundError), open("/proc/sys/" + name, "w") as file:
        file.write(str(value))


def read_sysctl(name: str) -> str:
    """A sysctl of the calling thread's network, "" where there is none."""
    with suppress(OSError), open("/proc/sys/" + name) as file:
        return file.read().strip()
    return ""
