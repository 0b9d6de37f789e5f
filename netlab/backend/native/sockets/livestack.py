"""A stack of ours in real time, and the doors to its sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET
from typing import TYPE_CHECKING, Any, NamedTuple

from netlab.backend.native.sockets.blocking import Socket
from netlab.backend.native.sockets.cable import cable
from netlab.backend.native.sockets.engine import Core, Engine, Op
from netlab.backend.native.sockets.failures import failure
from netlab.backend.native.sockets.names import end_of
from netlab.backend.native.sockets.runners import LoopRunner, ThreadRunner
from netlab.errors import BadInput
from netlab.stack.drivers.api import Driver
from netlab.stack.fib import Route
from netlab.stack.host import Host, build_host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.tcp.knobs import Knobs, linux
from netlab.wire.address import Cidr, format_ipv4, parse_cidr, parse_ipv4, parse_ipv6, parse_mac

if TYPE_CHECKING:
    from netlab.backend.native.sockets.aio import Aio
    from netlab.topology.spec import Plan

GRACE = 0.5
"""Seconds that `close` gives the last bytes of connections which their programs have closed."""
BUFFER = 4 << 20
"""Bytes that a socket holds in each direction, unless it says otherwise."""


class Line(NamedTuple):
    """A socket, or a connection that its program has left, as netstat shows it."""

    protocol: str
    local: tuple[Any, ...]
    remote: tuple[Any, ...] | None
    state: str


class LiveStack:
    """``host`` on ``drivers``. ``with`` runs it in a thread of its own, for blocking sockets from any other thread;
    ``async with`` in the running loop, for asyncio. ``names`` are the hosts that programs may call by name.
    """

    def __init__(self, host: Host, drivers: Mapping[str, Driver], *, names: Mapping[str, str] | None = None) -> None:
        self.engine = Engine(host, dict(drivers))
        self.names = dict(names or {})
        self._runner: ThreadRunner | LoopRunner | None = None

    @classmethod
    def on(
        cls,
        device: str | Driver,
        *addresses: str,
        gateway: str = "",
        mac: str = "",
        offload: bool = True,
        knobs: Knobs | None = None,
        name: str = "",
        names: Mapping[str, str] | None = None,
    ) -> LiveStack:
        """A host with one interface: a device of the kernel by its name (AF_PACKET, as root), or a driver.

        ``addresses`` are written "10.0.0.1/24" or "fd00::1/64", and are to be no addresses of the kernel's. The link
        address is made from the first of them, unless ``mac`` says it, so that kernel and stack can share a device.
        """
        cidrs = [parse_cidr(text) for text in addresses]
        if not cidrs:
            raise BadInput("a stack has no address", right="write one with its prefix length, like 10.0.0.1/24")
        driver = _driver(device, offload, cidrs[0])
        held = tuple(Address(c.address, c.length) for c in cidrs if c.version == 4)
        ifp = Ifnet(driver.name, parse_mac(mac) if mac else _mac(cidrs[0]), held, mtu=driver.mtu)
        host = Host(name or driver.name, "host", (ifp,), _routes(cidrs, gateway, driver.name))
        _add6(host, ifp, cidrs, gateway)
        host.tcp.layer.knobs = knobs or _knobs()
        host.tcp.offload(offload)
        return cls(host, {driver.name: driver}, names=names)

    @classmethod
    def of(cls, plan: Plan, node: str, drivers: Mapping[str, Driver], *, offload: bool = True) -> LiveStack:
        """A planned node, with its addresses, routes and tables; the other nodes may be called by their names."""
        host = build_host(plan.node(node), plan)
        missing = [interface.name for interface in plan.node(node).interfaces if interface.name not in drivers]
        if missing:
            raise BadInput(f"{node} has no driver for {', '.join(missing)}", where=plan.name, right="give one for each")
        host.tcp.layer.knobs = _knobs()
        host.tcp.offload(offload)
        return cls(host, drivers, names={n.name: n.addresses[0] for n in plan.nodes if n.addresses})

    # ---- life

    def start(self) -> LiveStack:
        """Work in a thread of its own until `close`."""
        self._begin()
        self._runner = ThreadRunner(self.engine)
        return self

    def _begin(self) -> None:
        if self._runner is not None:
            raise RuntimeError("a stack is started once: make another")

    def close(self, grace: float = GRACE) -> None:
        """End it: what is open is reset, calls that wait fail with OSError, and what connections closed before have
        still to say is said, for at most ``grace`` seconds. A second call does nothing."""
        if isinstance(self._runner, LoopRunner):
            raise RuntimeError("this stack runs in an asyncio loop: leave its 'async with', or await aclose()")
        if self._runner is None and self.engine.closed is None:
            self.engine.end(failure("ENETDOWN", "the stack was closed before it ran"))
        elif self._runner is not None:
            self._runner.stop(grace)

    async def astart(self) -> LiveStack:
        """Work in the running loop until `aclose`."""
        self._begin()
        self._runner = LoopRunner(self.engine, asyncio.get_running_loop())
        return self

    async def aclose(self, grace: float = GRACE) -> None:
        """As `close`."""
        if isinstance(self._runner, LoopRunner):
            await self._runner.stop(grace)

    def __enter__(self) -> LiveStack:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> LiveStack:
        return await self.astart()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # ---- blocking sockets

    def call(self, core: Core | None, attempt: Callable[[], Any], timeout: float | None) -> Any:
        """Have the stack do something and wait for it; TimeoutError after ``timeout`` seconds, BlockingIOError where
        that is 0. Without ``core`` nothing is waited for."""
        runner = self._runner
        if runner is None:
            raise failure("ENETDOWN", "the stack does not run: use 'with' on it, or start()")
        if runner.inside:
            raise RuntimeError("this would wait for the stack in the thread that runs it: use its asyncio face there")
        op = Op(core, attempt, patient=core is not None and timeout != 0)
        self.engine.post(op)
        try:
            came = op.lock.acquire(timeout=-1 if timeout is None or not op.patient else timeout)
        except BaseException:  # KeyboardInterrupt: nobody waits any more
            self.engine.post(Op(None, lambda: op.fail(failure("ECANCELED"))))
            raise
        if not came:
            self.engine.post(Op(None, lambda: op.fail(TimeoutError("timed out"))))
            op.lock.acquire()  # it may have been done just now, and then counts
        return op.outcome()

    def socket(self, family: int = AF_INET, type: int = SOCK_STREAM, proto: int = 0) -> Socket:
        """A socket, as `socket.socket` makes one."""
        return Socket(self, family, type, proto)

    def create_connection(
        self,
        address: tuple[str, int],
        timeout: float | None = None,
        source_address: tuple[str, int] | None = None,
    ) -> Socket:
        """A socket that is connected, as `socket.create_connection` gives it."""
        host = self.names.get(address[0], address[0])
        made = self.socket(AF_INET6 if ":" in host else AF_INET)
        try:
            made.settimeout(timeout)
            if source_address is not None:
                made.bind(source_address)
            made.connect(address)
        except BaseException:
            made.close()
            raise
        return made

    def create_server(
        self,
        address: tuple[str, int],
        *,
        family: int = AF_INET,
        backlog: int = 128,
        reuse_port: bool = False,
        dualstack_ipv6: bool = False,
    ) -> Socket:
        """A socket that listens, as `socket.create_server` gives it."""
        if reuse_port or dualstack_ipv6:
            raise ValueError("reuse_port and dualstack_ipv6 are not supported by these sockets")
        made = self.socket(family)
        try:
            made.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(backlog)
        except BaseException:
            made.close()
            raise
        return made

    # ---- asyncio

    @property
    def aio(self) -> Aio:
        """What an asyncio loop's methods for sockets are called there, for this stack."""
        from netlab.backend.native.sockets.aio import Aio

        if not isinstance(self._runner, LoopRunner):
            raise RuntimeError("this stack does not run in an asyncio loop: use 'async with' on it")
        return Aio(self, self._runner)

    async def open_connection(
        self, host: str, port: int, *, limit: int = 1 << 16, **more: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """As `asyncio.open_connection`."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit, loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await self.aio.create_connection(lambda: protocol, host, port, **more)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def start_server(
        self, connected: Callable[..., Any], host: str = "", port: int = 0, *, limit: int = 1 << 16, **more: Any
    ) -> asyncio.AbstractServer:
        """As `asyncio.start_server`."""
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit, loop), connected, loop=loop)

        return await self.aio.create_server(protocol, host, port, **more)

    # ---- what is there

    def netstat(self) -> list[Line]:
        """Every socket and connection; of a stack in a loop only the loop's own thread may ask."""
        if isinstance(self._runner, LoopRunner) and self._runner.inside:
            return _lines(self.engine)
        found: list[Line] = self.call(None, lambda: _lines(self.engine), None)
        return found


def _lines(engine: Engine) -> list[Line]:
    layer = engine.host.tcp.layer
    family = {4: AF_INET, 6: AF_INET6}
    lines = [
        Line(
            "tcp", (format_ipv4(listener.local or 0) if (listener.local or 0) < 1 << 32 else "::", port), None, "LISTEN"
        )
        for (_, port), listener in layer.listeners.items()
    ]
    for p, endpoint in layer.endpoints.items():
        ends = end_of(family[p.version], p.local, p.local_port, p.version)[:2]
        far = end_of(family[p.version], p.remote, p.remote_port, p.version)[:2]
        lines.append(Line("tcp", ends, far, endpoint.connection.state.spelled))
    lines += [Line("udp", ("", port), None, "") for kind, port in engine.host.sockets if kind in ("udp", "udp6")]
    return lines


def pair(*, offload: bool = True, mtu: int = 1500, knobs: Knobs | None = None) -> tuple[LiveStack, LiveStack]:
    """Two stacks at the ends of a cable in memory: 10.0.0.1 (fd00::1) and 10.0.0.2 (fd00::2). They are not started."""
    ends = cable(mtu=mtu, offload=offload)
    names = {"a": "10.0.0.1", "b": "10.0.0.2"}
    one, two = (
        LiveStack.on(end, f"{names[n]}/24", f"fd00::{i}/64", offload=offload, knobs=knobs, name=n, names=names)
        for i, (n, end) in enumerate(zip(names, ends, strict=True), 1)
    )
    return one, two


def _driver(device: str | Driver, offload: bool, first: Cidr) -> Driver:
    if not isinstance(device, str):
        return device
    from netlab.backend.native.afpacket import AfPacket, kernel_address

    try:
        if first.address == kernel_address(device):
            right = f"choose another of its subnet, or take it away: ip addr flush dev {device}"
            raise BadInput("the kernel answers for that address itself", where=f"{device} {first}", right=right)
        return AfPacket(device, offload=offload)
    except OSError as error:
        raise BadInput(f"'{device}' is no device that a stack can run on ({error.strerror})") from error


def _mac(first: Cidr) -> bytes:
    """A locally administered link address that is the same for the same address."""
    return b"\x02\x6e" + (first.address & 0xFFFFFFFF).to_bytes(4, "big")


def _knobs() -> Knobs:
    knobs = linux()
    knobs.receive_buffer = knobs.send_buffer = BUFFER
    return knobs


def _routes(cidrs: list[Cidr], gateway: str, interface: str) -> tuple[Route, ...]:
    found = [Route(c.network, c.length, 0, interface) for c in cidrs if c.version == 4]
    if gateway and ":" not in gateway:
        found.append(Route(0, 0, parse_ipv4(gateway), interface))
    return tuple(found)


def _add6(host: Host, ifp: Ifnet, cidrs: list[Cidr], gateway: str) -> None:
    for c in cidrs:
        if c.version == 6:
            host.inet6.add(ifp, c.address, c.length)
    if ":" in gateway:
        host.inet6.fib.add(Route(0, 0, parse_ipv6(gateway), ifp.name))
