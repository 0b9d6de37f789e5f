"""An arena, from the owner's side: namespaces of its own in which a network is built and commands run.

Whatever becomes of the owner (closed, interrupted, killed), the arena goes with him: see `keeper`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netlab.backend.mininet import runs
from netlab.backend.mininet.client import ArenaGone, Client
from netlab.backend.mininet.command import Completed, Running
from netlab.backend.mininet.devices import Device
from netlab.backend.mininet.linux import start_time
from netlab.topology.codec import plan_to_data
from netlab.topology.spec import Plan

if TYPE_CHECKING:
    import socket

_ETH_P_ALL = 0x0003
_PACKET_BUFFER = 8 << 20
_KEEPER = (
    "import json, os, sys; sys.path[:0] = json.loads(os.environ.pop('NETLAB_PATH'));"
    " from netlab.backend.mininet.keeper import main; sys.exit(main(sys.argv[1:]))"
)


class Arena:
    """An open arena. ``devices`` holds the network's devices by plain name, once `build` has made them."""

    def __init__(self) -> None:
        """Start one. Unavailable when this user gets no namespaces."""
        self.client, self._keeper = _start()
        self._finalizer = weakref.finalize(self, _end, self.client, self._keeper, os.getpid())
        try:
            self.run = _ready(self.client)
        except BaseException:
            self.close()
            raise
        self.suffix = self.run.suffix
        self.plan: Plan | None = None
        self.devices: dict[str, Device] = {}
        self.rooms: dict[str, int] = {}
        """For each node with a network namespace of its own, the namespace's inode number."""

    def build(self, plan: Plan) -> None:
        """Make the plan's network; returns when every bridge port forwards. Unavailable when the kernel refuses."""
        made, _fds = self.client.request("build", plan=plan_to_data(plan))
        self.plan = plan
        self.devices = {d["name"]: Device(**d) for d in made["devices"]}
        self.rooms = made["rooms"]
        self.run = replace(self.run, plan=plan.name, nodes=tuple(node.name for node in plan.nodes))
        runs.write(self.run)

    def by_kernel_name(self) -> dict[str, Device]:
        """The devices by the names that trace events carry."""
        return {device.kernel: device for device in self.devices.values()}

    def command(self, node: str, argv: Sequence[str], *, timeout: float | None = 60.0) -> Completed:
        """Run a command in a node to its end. After ``timeout`` seconds it and all it started are killed."""
        return self.start(node, argv, timeout=timeout).wait()

    def start(
        self,
        node: str,
        argv: Sequence[str],
        *,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
        fds: Sequence[int] = (),
    ) -> Running:
        """Start a command in a node; its output comes through what is returned. It reads nothing.

        It inherits ``fds``: "{fd3}" in an argument is the number of the first of them, and so on.
        """
        job = Running(node, argv)
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        job.listen(self.client, "stdout", out)
        job.listen(self.client, "stderr", err)
        try:
            self._run(job, (nothing, out_end, err_end, *fds), timeout=timeout, env=env)
        finally:
            for fd in (nothing, out_end, err_end):
                os.close(fd)
        return job

    def spawn(
        self, node: str, argv: Sequence[str], fds: Sequence[int] = (), *, env: Mapping[str, str] | None = None
    ) -> Running:
        """Start a process in a node that talks by inherited descriptors alone (see `start`).

        Its errors go to the run's log; it ends with the arena at the latest.
        """
        job = Running(node, argv)
        nothing = os.open(os.devnull, os.O_RDWR)
        log = os.open(Path(self.run.folder) / "agent.log", os.O_WRONLY | os.O_APPEND)
        try:
            self._run(job, (nothing, nothing, log, *fds), timeout=None, env=env)
        finally:
            os.close(nothing)
            os.close(log)
        return job

    def attach(self, node: str, argv: Sequence[str], stdio: Sequence[int]) -> Running:
        """Start a command on the caller's own standard descriptors: a terminal, or anything else."""
        job = Running(node, argv)
        self._run(job, stdio, timeout=None, env=dict(os.environ))
        return job

    def _run(self, job: Running, fds: Sequence[int], *, timeout: float | None, env: Mapping[str, str] | None) -> None:
        fields: dict[str, Any] = {"node": job.node, "argv": list(job.argv), "cwd": os.getcwd(), "limit": timeout}
        if env is not None:
            fields["env"] = dict(env)
        job.pid = self.client.run(job, fds, **fields)

    def packet_socket(
        self, interface: str, *, protocol: int = _ETH_P_ALL, options: Sequence[tuple[int, int, int]] = ()
    ) -> socket.socket:
        """An AF_PACKET socket bound to an interface (its plain name), opened inside, with a buffer of 8 MiB or what the
        kernel allows an ordinary user (net.core.rmem_max).

        ``options`` are (level, option, value), set before it is bound.
        """
        import socket

        # Without a protocol until it is bound: nothing of other interfaces gets in before.
        kind = [int(socket.AF_PACKET), int(socket.SOCK_RAW), 0]
        device = self.devices[interface]
        _ok, (fd,) = self.client.request(
            "socket",
            node=device.node,
            socket=kind,
            bind=[device.kernel, protocol],
            rcvbuf=_PACKET_BUFFER,
            options=[list(option) for option in options],
        )
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol), fileno=fd)

    def open_socket(self, node: str, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket of a node's namespace: netlink, raw, or one that a program here may then use there."""
        import socket

        _ok, (fd,) = self.client.request("socket", node=node, socket=[int(family), int(kind), protocol])
        return socket.socket(family, kind, protocol, fileno=fd)

    def state(self) -> dict[str, Any]:
        """What is in force, read back from the kernel (see `readback`)."""
        state: dict[str, Any] = self.client.request("state")[0]
        return state

    def mininet(self, node: str, line: str) -> str:
        """Mininet's own ``net[node].cmd(line)``: a line for the node's shell, and what it printed."""
        return str(self.client.request("mininet", node=node, line=line)[0])

    def close(self) -> None:
        """End the arena, and return when nothing of it is left. A second call does nothing."""
        self._finalizer()

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def _start() -> tuple[Client, subprocess.Popen[bytes]]:
    import socket

    ours, theirs = socket.socketpair()
    me = os.getpid()
    arguments = [str(number) for number in (theirs.fileno(), me, start_time(me))]
    # -S: the owner's search path is handed over, so that nothing needs to be searched for again.
    command = [sys.executable, "-I", "-S", "-c", _KEEPER, *arguments]
    with theirs:
        keeper = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            env=_environment(),
        )
    return Client(ours), keeper


def search_path() -> list[str]:
    """Where a child of ours finds netlab and what it imports, without searching for it again."""
    import netlab

    return [str(Path(netlab.__file__).parents[1]), *(os.path.abspath(entry) for entry in sys.path if entry)]


def _environment() -> dict[str, str]:
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    # An ordinary user's PATH often lacks the folders of ip and tc.
    path += [folder for folder in ("/usr/sbin", "/sbin") if folder not in path]
    return {**os.environ, "PATH": os.pathsep.join(path), "NETLAB_PATH": json.dumps(search_path())}


def _ready(client: Client) -> runs.Run:
    client.ready.answered.wait()
    if client.ready.error is not None:
        raise client.ready.error
    raw = client.ready.ok
    return runs.Run(**{**raw, "nodes": tuple(raw["nodes"])})


def _end(client: Client, keeper: subprocess.Popen[bytes], owner: int) -> None:
    if os.getpid() != owner:
        return  # a forked child that ends does not take its parent's network with it
    client.close()
    with suppress(ProcessLookupError):
        keeper.wait()


__all__ = ["Arena", "ArenaGone"]
