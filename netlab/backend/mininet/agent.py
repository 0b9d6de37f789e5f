"""The arena's agent: inside, it serves requests of the owner and of other terminals. One thread, one selector.

A request is ``{"id", "op", …}``; its answer ``{"id", "ok": …}`` or ``{"id", "error": …}``. A command's end comes later,
as ``{"id", "exit", "why"}`` with the id of its request. An owner that stops listening to an answer loses nothing else.
"""

from __future__ import annotations

import os
import queue
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from netlab.backend.mininet import jobs, linux, rtnl, runs
from netlab.backend.mininet.channel import Connection, Message
from netlab.topology.codec import plan_from_data

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from netlab.backend.mininet.build import Network

_Answer = tuple[Any, Sequence[int]]
_SO_RCVBUFFORCE = 33


class Refused(Exception):
    """A request that cannot be served; its sentence is the answer."""


def main(owner: socket.socket, doors: socket.socket, run: runs.Run) -> None:
    """Serve until the owner goes."""
    linux.name_process("netlab-agent")
    jobs.provide_commands()
    rtnl_here = rtnl.Rtnl()
    rtnl_here([rtnl.message(rtnl.NEWLINK, rtnl.ACK, rtnl.link_body(1, rtnl.IFF_UP, rtnl.IFF_UP))], "lo")
    rtnl_here.close()
    agent = Agent(Connection(owner), doors, run)
    agent.owner.send({"ready": asdict(run)})
    # Mininet takes a tenth of a second to load: now, while the owner works out what to ask.
    import netlab.backend.mininet.build  # noqa: F401

    agent.serve()


class Agent:
    """What the agent knows: its connections, its jobs, and the network once it is built."""

    def __init__(self, owner: Connection, doors: socket.socket, run: runs.Run) -> None:
        self.owner, self.doors, self.run = owner, doors, run
        self.network: Network | None = None
        self.jobs: dict[int, jobs.Job] = {}
        self._serial = 0
        self._shells: ThreadPoolExecutor | None = None
        self._selector = selectors.DefaultSelector()
        self._done: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._selector.register(owner, selectors.EVENT_READ, self._ready_connection)
        doors.setblocking(False)
        self._selector.register(doors, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        self._over = False

    def serve(self) -> None:
        """Answer requests until the owner has gone."""
        while not self._over:
            for key, events in self._selector.select(self._patience()):
                key.data(key.fileobj, events)
            self._enforce_limits()

    # ---- the selector's events

    def _accept(self, doors: Any, events: int) -> None:
        connection = Connection(doors.accept()[0])
        self._selector.register(connection, selectors.EVENT_READ, self._ready_connection)

    def _ready_connection(self, connection: Any, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            connection.flush()
        if events & selectors.EVENT_READ:
            messages = connection.receive()
            if messages is None:
                self._gone(connection)
                return
            for message, fds in messages:
                self._serve(connection, message, fds)
        self._mind(connection)

    def _mind(self, connection: Connection) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        if connection.fileno() >= 0 and self._selector.get_key(connection).events != events:
            self._selector.modify(connection, events, self._ready_connection)

    def _gone(self, connection: Connection) -> None:
        if connection is self.owner:
            self._over = True
            return
        self._selector.unregister(connection)
        for job in self.jobs.values():
            if job.connection is connection:
                job.kill("cancelled")
        connection.close()

    def _woken(self, wake: Any, events: int) -> None:
        os.eventfd_read(self._wake)
        while not self._done.empty():
            self._done.get()()

    def _ended(self, pidfd: Any, events: int) -> None:
        job = next(job for job in self.jobs.values() if job.pidfd == pidfd)
        self._selector.unregister(pidfd)
        del self.jobs[job.process.pid]
        code = job.reap()
        if job.connection.fileno() >= 0:
            job.connection.send({"id": job.id, "exit": code, "why": job.why})
            self._mind(job.connection)

    # ---- time limits

    def _patience(self) -> float | None:
        deadlines = [job.deadline for job in self.jobs.values() if job.deadline is not None]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        for job in self.jobs.values():
            if job.deadline is not None and job.deadline <= now:
                job.deadline = None
                job.kill("limit")

    # ---- requests

    def _serve(self, connection: Connection, request: Message, fds: list[int]) -> None:
        serial = request["id"]
        try:
            handler = _OPERATIONS.get(request["op"])
            if handler is None:
                raise Refused(f"the agent has no operation '{request['op']}'")
            answer = handler(self, connection, request, fds)
        except Refused as error:
            connection.send({"id": serial, "error": str(error)})
        except OSError as error:
            connection.send({"id": serial, "error": error.strerror or str(error), "errno": error.errno})
        else:
            if answer is not None:
                connection.send({"id": serial, "ok": answer[0]}, answer[1], close=True)
        finally:
            for fd in fds:
                os.close(fd)

    def net(self) -> Network:
        """The network; Refused before it is built."""
        if self.network is None:
            raise Refused("no network has been built in this arena yet")
        return self.network

    def build(self, connection: Connection, request: Message, fds: list[int]) -> _Answer:
        """Make the network of a plan, once."""
        from netlab.backend.mininet.build import build

        if self.network is not None:
            raise Refused("this arena has a network already")
        self.network = build(plan_from_data(request["plan"]), self.run.suffix)
        rooms = {name: room.inode for name, room in self.network.rooms.items()}
        return {"devices": [d.data() for d in self.network.devices.values()], "rooms": rooms}, ()

    def spawn(self, connection: Connection, request: Message, fds: list[int]) -> _Answer:
        """Start a command in a node, on descriptors that came along."""
        room = self._room(request["node"])
        self._serial += 1
        tag = f"{self.run.suffix}{self._serial}"
        argv, env = request["argv"], request.get("env", os.environ)
        try:
            terminal = request.get("terminal", False)
            process = jobs.start(room, argv, fds, cwd=request["cwd"], env=env, tag=tag, terminal=terminal)
        except (FileNotFoundError, PermissionError) as error:
            raise Refused(f"{request['node']}: cannot run '{argv[0]}': {error.strerror}") from None
        pidfd = os.pidfd_open(process.pid)
        limit = jobs.deadline(request.get("limit"))
        self.jobs[process.pid] = jobs.Job(request["id"], connection, process, pidfd, tag, limit)
        self._selector.register(pidfd, selectors.EVENT_READ, self._ended)
        return {"pid": process.pid}, ()

    def signal(self, connection: Connection, request: Message, fds: list[int]) -> _Answer:
        """Send a signal to a job's group, or with none end it: nothing when it has ended by itself."""
        for job in self.jobs.values():
            if job.id == request["job"] and job.connection is connection:
                if "signum" in request:
                    job.signal(request["signum"])
                else:
                    job.kill("cancelled")
        return None, ()

    def socket(self, connection: Connection, request: Message, fds: list[int]) -> _Answer:
        """A socket of a node's namespace: what an ordinary owner may not open by himself."""
        with self._room(request["node"]).networking():
            made = socket.socket(*request["socket"])
            _receive_buffer(made, request.get("rcvbuf", 0))
            for level, option, value in request.get("options", ()):
                made.setsockopt(level, option, value)
            if "bind" in request:
                made.bind(tuple(request["bind"]))
        return None, (made.detach(),)

    def state(self, connection: Connection, request: Message, fds: list[int]) -> _Answer:
        """What is in force, read from the kernel."""
        from netlab.backend.mininet.readback import state

        return state(self.net()), ()

    def mininet(self, connection: Connection, request: Message, fds: list[int]) -> None:
        """Mininet's own ``net[node].cmd(line)``; in a thread, for its shell may take as long as it likes."""
        self._room(request["node"])
        node = self.net().net[request["node"]]

        def done(said: Future[str]) -> None:
            error = said.exception()
            answer = {"ok": said.result()} if error is None else {"error": f"Mininet failed: {error}"}
            self._done.put(lambda: self._tell(connection, {"id": request["id"], **answer}))
            os.eventfd_write(self._wake, 1)

        if self._shells is None:
            from concurrent.futures import ThreadPoolExecutor  # late: it costs 20 ms, and few ask for it

            self._shells = ThreadPoolExecutor(32)
        self._shells.submit(node.cmd, request["line"]).add_done_callback(done)

    def _tell(self, connection: Connection, message: Message) -> None:
        if connection.fileno() >= 0:
            connection.send(message)
            self._mind(connection)

    def _room(self, node: str) -> Any:
        network = self.net()
        try:
            return network.room(node)
        except KeyError:
            there = ", ".join(n.name for n in network.plan.nodes)
            raise Refused(f"there is no node '{node}'; nodes are {there}") from None


def _receive_buffer(sock: socket.socket, octets: int) -> None:
    if not octets:
        return
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, octets)
    except PermissionError:  # an ordinary user gets no more than net.core.rmem_max
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)


_OPERATIONS: dict[str, Callable[[Agent, Connection, Message, list[int]], _Answer | None]] = {
    "build": Agent.build,
    "spawn": Agent.spawn,
    "signal": Agent.signal,
    "socket": Agent.socket,
    "state": Agent.state,
    "mininet": Agent.mininet,
}
