"""Captures alone -> records with journeys, where the kernel's tracer may not be read. Pure: frames in, rows out.

A packet's bytes, less what hops may change, are its key; equal packets are told apart by where they can be: a frame can
only reach an interface that one was sent to, and a switch or router can only send on what it has received.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from netlab.probe.capture import Captured
from netlab.probe.journal import Journal
from netlab.probe.native import NativeNodes
from netlab.topology.spec import Plan
from netlab.trace.record import Row
from netlab.wire.decode import flow_key

KEYS = 50_000
"""Packets that are remembered; past it the oldest is forgotten."""
PATIENCE = 10_000_000_000
"""ns that a packet may wait in a node or on a wire."""


class Token:
    """Where one branch of a journey is: under way to an interface, or in a node that may send it on."""

    __slots__ = ("interface", "node", "pkt", "sent", "t")

    def __init__(self, pkt: int, t: int, interface: str) -> None:
        self.pkt, self.t, self.interface = pkt, t, interface
        self.node = ""
        """Set once it has arrived; ``interface`` is then where it came in."""
        self.sent: set[str] = set()


class FlowJoiner:
    """Feed it captured frames of both directions; ``advance`` tells what happened up to a moment, in order."""

    def __init__(self, plan: Plan, journal: Journal, *, key: Callable[[bytes], bytes] = flow_key) -> None:
        self.journal = journal
        self.native = NativeNodes(plan, journal)
        self._key = key
        self._node = {i.name: i.node for i in plan.interfaces()}
        self._peer = {i.name: i.peer for i in plan.interfaces()}
        self._forwards = {node.name: node.kind for node in plan.nodes if node.kind != "host"}
        self._frames: list[Captured] = []
        self._tokens: dict[bytes, list[Token]] = {}
        self.forgotten = 0

    def feed(self, frames: Iterable[Captured]) -> None:
        """What was drained."""
        self._frames += frames
        self._frames.sort(key=_captured_at)

    def add_native(self, rows: Iterable[Row]) -> None:
        """Rows of a node that runs our own stack: ``t`` CLOCK_MONOTONIC ns, ``pkt`` that node's own number."""
        self.native.add(rows)

    def advance(self, until: int) -> None:
        """Tell what happened up to ``until`` (CLOCK_MONOTONIC ns)."""
        frames = self._frames
        cut = bisect_right(frames, until, key=_captured_at)
        self._frames = frames[cut:]
        for frame in frames[:cut]:
            if self.native.next <= frame.t:
                self.native.process(frame.t, self)
            if frame.out:
                self._sent(frame)
            else:
                self._arrived(frame)
        self.native.process(until, self)

    def finish(self) -> None:
        """Tell the rest."""
        self.advance(1 << 62)

    def _sent(self, seen: Captured) -> None:
        t, interface, frame = seen.t, seen.interface, seen.frame
        node = self._node[interface]
        tokens = self._of(self._key(frame), t)
        source = self._held(tokens, node, interface)
        if source is None:
            pkt = self.journal.new()
            self.journal.introduce(t, node, -1, pkt, frame, "")
        else:
            pkt = source.pkt
            source.sent.add(interface)
        peer = self._peer[interface]
        tokens.append(Token(pkt, t, peer))
        data = (peer, len(frame), None, None, self.journal.kept(frame))
        self.journal.add(t, "wire.tx", node, interface, -1, pkt, data)

    def _held(self, tokens: list[Token], node: str, interface: str) -> Token | None:
        """The oldest packet in ``node`` that may still leave by ``interface``.

        A switch may send it by each port but the one it came from, a router once.
        """
        kind = self._forwards.get(node)
        for token in tokens:
            if token.node == node and kind is not None:
                fits = (
                    interface not in token.sent and interface != token.interface if kind == "switch" else not token.sent
                )
                if fits:
                    return token
        return None

    def _arrived(self, seen: Captured) -> None:
        t, interface, frame = seen.t, seen.interface, seen.frame
        pkt, _ = self.land(t, interface, frame)
        if not pkt:
            pkt = self.journal.new()
            self.journal.introduce(t, self._node[interface], -1, pkt, frame, "")
            self._settle(Token(pkt, t, interface), self._of(self._key(frame), t))
        data = (self._peer[interface], len(frame), self.journal.kept(frame))
        self.journal.add(t, "wire.rx", self._node[interface], interface, -1, pkt, data)

    def _settle(self, token: Token, tokens: list[Token]) -> None:
        """The token's packet is in the node now; a host keeps it, others may send it on."""
        token.node = self._node[token.interface]
        if token in tokens:
            tokens.remove(token)
        if token.node in self._forwards and token.node not in self.native.nodes:
            tokens.append(token)

    def _of(self, key: bytes, t: int) -> list[Token]:
        """The tokens of a key, less those that nothing will come of any more."""
        tokens = self._tokens.get(key)
        if tokens is None:
            if len(self._tokens) >= KEYS:
                del self._tokens[next(iter(self._tokens))]
                self.forgotten += 1
            tokens = self._tokens[key] = []
        elif tokens and tokens[0].t < t - PATIENCE:
            tokens[:] = [token for token in tokens if token.t >= t - PATIENCE]
        return tokens

    # ---- the other teller of the nodes that run our own stack ----

    def land(self, t: int, interface: str, frame: bytes) -> tuple[int, int]:
        """The journey that is under way to ``interface`` with these bytes (0: none known), and ``t``."""
        tokens = self._of(self._key(frame), t)
        for token in tokens:
            if token.interface == interface and not token.node:
                token.t = t
                self._settle(token, tokens)
                return token.pkt, t
        return 0, t

    def launch(self, t: int, interface: str, frame: bytes, pkt: int) -> None:
        """A frame of journey ``pkt`` leaves by ``interface``."""
        self._of(self._key(frame), t).append(Token(pkt, t, self._peer[interface]))


def _captured_at(frame: Captured) -> int:
    return frame.t
