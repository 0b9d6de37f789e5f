"""Mininet's own objects, with rtnetlink for hands: this module and `build` are the only ones that import Mininet.

A `Node` keeps everything that people know of it (``cmd``, ``popen``, ``IP()``, ``intf()``, ``pid``), but its shell is
started by the first command that wants one: a bash a node is most of what stock Mininet's start costs.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import types
from typing import Any

from netlab.backend.mininet.rooms import Room
from netlab.topology.spec import PlanInterface, PlanNode


def _without_distutils() -> None:
    """Mininet wants distutils for one comparison of Open vSwitch versions, which never happens here.

    Python 3.12 has no distutils, and 3.11's stand-in loads all of setuptools (0.15 s).
    """
    version = types.ModuleType("distutils.version")
    version.StrictVersion = tuple  # type: ignore[attr-defined]
    package = types.ModuleType("distutils")
    package.version = version  # type: ignore[attr-defined]
    sys.modules.update({"distutils": package, "distutils.version": version})


_without_distutils()

from mininet.link import Intf, Link  # noqa: E402
from mininet.net import Mininet  # noqa: E402
from mininet.node import Host, Node, Switch  # noqa: E402
from mininet.util import numCores  # noqa: E402


class RoomNode(Node):  # type: ignore[misc]
    """A Mininet node in a room that is there already; its shell starts when it is first needed."""

    inNamespace: bool
    _pid: int | None = None
    started = False

    def __init__(self, name: str, *, room: Room, spec: PlanNode, **params: Any) -> None:
        self.room, self.spec = room, spec
        self.turn = threading.RLock()  # guards the shell: one command at a time
        super().__init__(name, **params)

    @classmethod
    def setup(cls) -> None:
        """Nothing: `checks.problems` has looked for what Mininet needs."""

    def startShell(self, mnopts: str | None = None) -> None:
        """Nothing yet."""

    def awake(self) -> None:
        """Start the node's shell if it has none. mnexec must not make a namespace: the room is one."""
        if self.shell is None:
            kept, self.inNamespace = self.inNamespace, False
            try:
                with self.room.entered():
                    Node.startShell(self)
            finally:
                self.inNamespace = kept

    @property
    def pid(self) -> int | None:
        """The shell's process, by which `mnexec -a` finds the node."""
        if self._pid is None and self.started:
            self.awake()
        return self._pid

    @pid.setter
    def pid(self, value: int | None) -> None:
        self._pid = value
        self.started = True

    def sendCmd(self, *args: Any, **kwargs: Any) -> None:
        """Node.sendCmd, with the shell started when it must be."""
        self.awake()
        super().sendCmd(*args, **kwargs)

    def cmd(self, *args: Any, **kwargs: Any) -> str:
        """Node.cmd, with the shell started when it must be; one caller at a time."""
        with self.turn:
            self.awake()
            said: str = super().cmd(*args, **kwargs)
            return said

    def popen(self, *args: Any, **kwargs: Any) -> subprocess.Popen[Any]:
        """Node.popen: a Popen in the node's namespaces."""
        kwargs.setdefault("mncmd", ["mnexec", "-d"])
        with self.room.entered():
            process: subprocess.Popen[Any] = super().popen(*args, **kwargs)
            return process

    def config(self, **params: Any) -> dict[str, Any]:
        """Nothing: rtnetlink has configured the node."""
        return {}


class KernelHost(RoomNode, Host):  # type: ignore[misc]
    """A host or a router: the kernel's stack in a namespace of its own."""


class BridgeSwitch(RoomNode, Switch):  # type: ignore[misc]
    """A Linux bridge without spanning tree, in the arena's own namespace."""

    def __init__(self, name: str, **params: Any) -> None:
        self.controlIntf = None
        super().__init__(name, **params)

    def defaultDpid(self, dpid: str | None = None) -> str:
        """A bridge speaks no OpenFlow, so that its name need not hold a number."""
        return "0" * 16

    def start(self, controllers: Any) -> None:
        """Nothing: the bridge came up with its cables."""

    def stop(self, deleteIntfs: bool = True) -> None:
        """Nothing: the bridge goes with the arena."""


class RoomIntf(Intf):  # type: ignore[misc]
    """An interface by its plain name. What it is was decided by the plan."""

    def config(self, spec: PlanInterface | None = None, **params: Any) -> dict[str, Any]:
        """Remember the plan's address; rtnetlink sets it."""
        if spec is not None:
            self.mac = spec.mac
            if spec.addresses:
                self.ip, self.prefixLen = spec.addresses[0].split("/")
        return {}


class Cable(Link):  # type: ignore[misc]
    """A veth pair; all cables of a network are made in one batch when it is built."""

    @classmethod
    def makeIntfPair(cls, *args: Any, **kwargs: Any) -> tuple[None, None]:
        """Nothing yet."""
        return None, None

    def stop(self) -> None:
        """Nothing: the cable goes with the arena."""


class ArenaNet(Mininet):  # type: ignore[misc]
    """Mininet over rooms. `build` hands its hosts to ``wire``, which configures everything at once."""

    def __init__(self, wire: Any) -> None:
        # Not Mininet.init(): as root it would change the limits and sysctls of the whole machine.
        Mininet.inited = True
        numCores.ncores = 1  # asked of grep otherwise, for pinning that we don't do
        self.wire = wire
        super().__init__(
            topo=None, build=False, controller=None, host=KernelHost, switch=BridgeSwitch, link=Cable, intf=RoomIntf
        )

    def configHosts(self) -> None:
        """Make the cables and set addresses, rates and routes."""
        self.wire()
