"""The world of one script: our TCP, virtual time, and one wire whose other end is the script."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from netlab.stack.tcp.knobs import SYSTEMS
from netlab.stack.tcp.layer import Endpoint, Outgoing, Pair, Step, TcpLayer, Tunnel
from netlab.stack.tcp.listener import Listener
from netlab.stack.tcp.segment import Segment
from netlab.wire.tcp import SYN

LOCAL = {4: 0xC0A80001, 6: 0xFD3DFA7B_D17D0000_00000000_00000001}
REMOTE = {4: 0xC0000201, 6: 0xFD3DFA7B_D17D8888_00000000_00000001}
BIND_PORT = CONNECT_PORT = 8080
FIRST_EPHEMERAL = 49152
LINUX_COOKIE = bytes.fromhex("3021b9d889017eeb")
"""What Linux grants to `REMOTE` with the key that scripts for it set, and what they know as TFO_COOKIE."""
CALLS_WITHOUT_TIME = 100_000
"""So often may timers run at one instant before that is called a loop."""


class Sent(NamedTuple):
    """A segment that our TCP sent, and when."""

    at: int
    out: Outgoing


class World:
    """``now`` is in ns since the script's start."""

    def __init__(self, system: str, version: int, mtu: int) -> None:
        self.now = 0
        self.version, self.mtu = version, mtu
        self.layer = TcpLayer(SYSTEMS[system](), secret=b"packetdrill", mtu=lambda pair: self.mtu)
        if system == "linux":
            self.layer.fixed_cookie = LINUX_COOKIE
        self.sent: deque[Sent] = deque()
        """What left and was not yet compared."""
        self.watchers: list[Callable[[], None]] = []
        """Called after every step of the stack: calls that block look whether they may return."""
        self.alarms: set[int] = set()
        """When calls that block want to look at the time."""
        self.pair = Pair(LOCAL[version], BIND_PORT, REMOTE[version], FIRST_EPHEMERAL - 1, version)
        """The connection that packets of the script belong to."""
        self.owned: Callable[[], list[tuple[Pair, int]]] = list
        """The sockets that the program holds: their ends, and the number of their state."""
        self._ephemeral = FIRST_EPHEMERAL
        self.isn: int | None = None
        """The wire number that the script's local sequence numbers count from; None while none is known."""

    # ---- what happens ------------------------------------------------------------------------

    def follow(self, step: Step) -> None:
        """Put on the wire what the stack sent, and let blocked calls look."""
        for out in step.send:
            self.sent.append(Sent(self.now, out))
            if out.segment.flags & SYN and out.pair == self.pair:
                self.isn = out.segment.seq
        for watch in list(self.watchers):
            watch()

    def deliver(self, segment: Segment, tunnel: Tunnel | None) -> None:
        """A packet of the script reaches our TCP."""
        self.follow(self.layer.segment(self.pair, segment, self.now, tunnel))

    def run_until(self, t: int) -> None:
        """Let time pass to ``t``; timers that are due at ``t`` itself have run."""
        while self.run_one(t):
            pass
        self.now = max(self.now, t)

    def run_until_sent(self, t: int) -> bool:
        """Let time pass until something is on the wire, at most to ``t``; whether something is."""
        while not self.sent:
            if not self.run_one(t):
                self.now = max(self.now, t)
                return bool(self.sent)
        return True

    def run_one(self, t: int) -> bool:
        """Do what is due next, a timer of the stack or an alarm of a call; False when nothing is until ``t``."""
        deadline = self.layer.next_timer()
        alarm = min(self.alarms, default=None)
        if alarm is not None and alarm <= t and (deadline is None or alarm < deadline):
            self.alarms.discard(alarm)
            self.now = max(self.now, alarm)
            self.follow(Step([], []))
            return True
        if deadline is None or deadline > t:
            return False
        self.now = max(self.now, deadline)
        self.follow(self.layer.timer(self.now))
        return True

    # ---- connections -------------------------------------------------------------------------

    def new_endpoint(self, port: int, remote_port: int, tunnelled: bool) -> Endpoint:
        """An endpoint that is about to connect; from now on the script's packets are its own."""
        self.pair = Pair(LOCAL[self.version], port, REMOTE[self.version], remote_port, self.version)
        self.isn = None
        return Endpoint(self.pair, self.layer.new_connection(self.pair, self.now, tunnelled=tunnelled))

    def ephemeral(self) -> int:
        """A local port that nothing uses."""
        self._ephemeral += 1
        return self._ephemeral

    def bound(self, port: int) -> None:
        """A socket was bound: until somebody connects, packets are for its port."""
        self.pair = self.pair._replace(local_port=port)

    def listen(self, port: int, backlog: int) -> Listener:
        """Listen at a port on all addresses."""
        self.bound(port)
        return self.layer.listen(None, port, backlog)
