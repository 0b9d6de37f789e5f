"""Kernel events and captured frames -> records with journeys. Pure: tuples in, rows out, no clock, no kernel.

A packet's buffer keeps its address all the way through veths, bridges and forwarding, so a journey is a chain of events
with one address. Addresses are used again at once, so a chain is cut where the kernel lets go of the buffer, and where
a new packet is queued. A copy (a bridge floods) has an address of its own and is the same journey, on another branch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from netlab.probe.capture import Captured
from netlab.probe.causes import ICMPV6, TCP, UDP, protocol
from netlab.probe.event import HEADER, Event
from netlab.probe.journal import Journal
from netlab.probe.native import NativeNodes
from netlab.probe.pairing import Pairing
from netlab.topology.spec import Plan
from netlab.trace.record import Row
from netlab.wire.decode import flow_key

QUEUED, SENT, ARRIVED = range(3)

CHAINS = 100_000
"""Packets under way that are remembered; past it the oldest is forgotten."""
AT_WORK = 2_000_000
"""ns after arrival within which the end of a packet is the end of the work that began at its arrival."""
BELIEVED = 10_000_000
"""ns after which the end of a buffer that the kernel frees silently (TCP's) may be another packet's."""
HELD = 10_000_000_000
"""ns for which any other packet may wait in a socket and still be believed to be the same."""
TRAIL = 64
"""Frames sent to an interface that are remembered in case they arrive in another buffer."""
NATIVE_LAG = 1_000_000_000
"""ns that a frame may be under way between a kernel and a node that runs our own stack."""


SOCKET_INPUT = {TCP: "tcp.input", UDP: "udp.input"}
"""The stage that puts a packet of a protocol into a socket."""

PLAIN = {
    "NO_SOCKET": "no socket",
    "SOCKET_RCVBUFF": "socket's receive buffer is full",
    "QDISC_DROP": "queue is full",
    "OTHERHOST": "frame is for another station",
    "ip.forward IP_INHDR": "time to live ran out",
    "IP_INHDR": "IP header is wrong",
    "IP_CSUM": "IP checksum is wrong",
    "IP_INNOROUTES": "no route",
    "IP_OUTNOROUTES": "no route",
    "IP_RPFILTER": "source address is not reached that way",
    "PKT_TOO_BIG": "packet is larger than the MTU",
    "UDP_CSUM": "UDP checksum is wrong",
    "NEIGH_FAILED": "nobody answers ARP for the next hop",
    "NETFILTER_DROP": "packet filter says no",
    "CPU_BACKLOG": "receiver's backlog is full",
    "BRIDGE_INGRESS_STP_STATE": "bridge port does not forward yet",
    "UNHANDLED_PROTO": "EtherType is not spoken here",
}
"""The kernel's reasons in words, some of them for one stage only."""


class Chain:
    """One buffer's way: which journey it is, where it was last, and what its bytes are."""

    __slots__ = (
        "copied",
        "cpu",
        "frame",
        "interface",
        "length",
        "node",
        "pkt",
        "proto",
        "said",
        "shown",
        "state",
        "t",
        "wire",
    )

    def __init__(self, pkt: int, said: bool = False) -> None:
        self.pkt, self.said = pkt, said
        self.state, self.t, self.cpu, self.node, self.interface = QUEUED, 0, -1, "", ""
        self.length = self.wire = 0
        """Bytes as the kernel counts them, and as a wire carries them (with a VLAN tag that travelled beside)."""
        self.frame: bytes | None = None
        self.shown: bytes | None = None
        """The frame as records show it: None when the run keeps no more bytes."""
        self.copied = False
        """A bridge made copies: what becomes of this buffer is not the packet's end."""
        self.proto = -1
        """The IPv4 protocol, -1 where it is not known."""

    @property
    def silent(self) -> bool:
        """The kernel frees such a buffer without a word, so that its address can be another's by now."""
        return self.proto in SOCKET_INPUT

    def carries(self, frame: bytes | None, shown: bytes | None) -> None:
        """The bytes are these now."""
        self.frame, self.shown = frame, shown
        self.proto = protocol(frame) if frame is not None else self.proto

    def branch(self) -> Chain:
        """Another buffer with the same packet in it."""
        chain = Chain(self.pkt, self.said)
        chain.frame, chain.shown, chain.proto, chain.wire = self.frame, self.shown, self.proto, self.wire
        return chain


class KernelJoiner:
    """Feed it what was drained; ``advance`` tells all that happened up to a moment, in order."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        *,
        stage_at: Callable[[int], str],
        reasons: Mapping[int, str],
        captured: Iterable[str] = (),
        shares: int = 1,
    ) -> None:
        """``stage_at``: address in the kernel -> stage or "". ``captured``: the interfaces whose frames are fed.

        ``shares``: how many sockets the capture has on each (see `Pairing`).
        """
        self.journal = journal
        self.native = NativeNodes(plan, journal)
        self._stage_at, self._reasons = stage_at, reasons
        self._node = {i.name: i.node for i in plan.interfaces()}
        self._peer = {i.name: i.peer for i in plan.interfaces()}
        kinds = {node.name: node.kind for node in plan.nodes}
        self._switch = frozenset(name for name, kind in kinds.items() if kind == "switch")
        self._forwards = frozenset(name for name, kind in kinds.items() if kind != "host")
        self._events: list[Event] = []
        self._pairing = Pairing(captured, shares)
        self._chains: dict[int, Chain] = {}
        self._here: dict[int, Chain] = {}
        """What each core last received: a copy that a bridge sends is of this."""
        self._trail: dict[str, deque[Chain]] = {name: deque(maxlen=TRAIL) for name in self._node}
        self._landing: dict[str, deque[Chain]] = {name: deque(maxlen=4096) for name in self.native.interfaces}
        self._launched: dict[str, deque[tuple[int, bytes, int]]] = {name: deque() for name in self.native.interfaces}
        self._tell = (
            self._queue,
            self._xmit,
            self._receive,
            self._consume,
            self._kfree,
            self._copy,
            self._ready,
        )
        self.forgotten = 0

    def feed(self, events: list[Event], frames: Iterable[Captured] = ()) -> None:
        """What was drained. Frames must not come later than the events they belong to."""
        self._events += events
        self._events.sort()
        self._pairing.feed(frames)

    @property
    def ambiguous(self) -> int:
        """Frames whose bytes may be those of another that left at the same moment."""
        return self._pairing.ambiguous

    def add_native(self, rows: Iterable[Row]) -> None:
        """Rows of a node that runs our own stack: ``t`` CLOCK_MONOTONIC ns, ``pkt`` that node's own number."""
        self.native.add(rows)

    def advance(self, until: int) -> None:
        """Tell what happened up to ``until`` (CLOCK_MONOTONIC ns)."""
        events = self._events
        cut = bisect_right(events, until, key=_event_at)
        self._events = events[cut:]
        tell, native = self._tell, self.native
        for t, what, cpu, skb, at, n in events[:cut]:
            if native.next <= t:
                native.process(t, self)
            tell[what](t, cpu, skb, at, n)
        native.process(until, self)

    def finish(self) -> None:
        """Tell the rest, and introduce the packets that still wait in a queue."""
        self.advance(1 << 62)
        for chain in self._chains.values():
            if not chain.said:
                self._introduce(chain, None)
        self._chains.clear()

    # ---- on its way out ----

    def _queue(self, t: int, cpu: int, skb: int, interface: str, length: int) -> None:
        node = self._node[interface]
        chain = self._chains.get(skb)
        if chain is None or not self._goes_on(chain, node, length):
            chain = self._begin(t, cpu, skb, interface, length)
        chain.state, chain.t, chain.cpu, chain.length = QUEUED, t, cpu, length
        chain.node, chain.interface = node, interface
        if interface not in self._launched:
            self.journal.add(t, "stage", node, "ifq", cpu, chain.pkt, (interface, None))

    def _goes_on(self, chain: Chain, node: str, length: int) -> bool:
        """Whether a buffer that is queued is the packet that arrived in it, forwarded, or a new one in its place."""
        return chain.state == ARRIVED and chain.node == node and node in self._forwards and chain.length == length

    def _begin(self, t: int, cpu: int, skb: int, interface: str, length: int) -> Chain:
        self._forget(skb)
        chain = self._copied(t, cpu, interface, length) or self._launch(t, interface, length)
        if chain is None:
            chain = Chain(self.journal.new())
        chain.t, chain.cpu = t, cpu
        chain.node, chain.interface, chain.length = self._node[interface], interface, length
        self._chains[skb] = chain
        return chain

    def _forget(self, skb: int) -> None:
        """Drop what this address was before, and the oldest chain when there are too many."""
        chain = self._chains.pop(skb, None)
        if chain is None and len(self._chains) >= CHAINS:
            chain = self._chains.pop(next(iter(self._chains)))
            self.forgotten += 1
        if chain is not None and not chain.said:
            self._introduce(chain, None)

    def _copied(self, t: int, cpu: int, interface: str, length: int) -> Chain | None:
        """A branch of what this core has just received, when a switch sends as many bytes out of another port."""
        source = self._here.get(cpu)
        node = self._node[interface]
        if source is None or node not in self._switch or source.node != node or source.length != length:
            return None
        if source.interface == interface or t - source.t > BELIEVED:
            return None
        source.copied = True
        return source.branch()

    def _launch(self, t: int, interface: str, length: int) -> Chain | None:
        """What a node that runs our own stack sent by this interface."""
        launched = self._launched.get(interface)
        if launched is None:
            return None
        while launched and launched[0][0] < t - NATIVE_LAG:
            launched.popleft()
        for i, (_, frame, pkt) in enumerate(launched):
            if len(frame) == length:
                del launched[i]
                chain = Chain(pkt, said=True)
                chain.carries(frame, frame)
                return chain
        return None

    def _xmit(self, t: int, cpu: int, skb: int, interface: str, length: int) -> None:
        chain = self._chains.get(skb)
        if chain is None or chain.state != QUEUED or chain.interface != interface:
            chain = self._begin(t, cpu, skb, interface, length)
        if interface in self._pairing:
            self._take_bytes(chain, t, cpu, interface, length)
        chain.wire = len(chain.frame) if chain.frame is not None else length
        if not chain.said:
            self._introduce(chain, chain.frame)
        peer = self._peer[interface]
        if interface not in self._launched:
            self.journal.add(
                t, "wire.tx", chain.node, interface, cpu, chain.pkt, (peer, chain.wire, None, None, chain.shown)
            )
        chain.state, chain.t, chain.interface, chain.length = SENT, t, peer, length
        self._trail[peer].append(chain)

    def _take_bytes(self, chain: Chain, t: int, cpu: int, interface: str, length: int) -> None:
        frame = self._pairing.take(interface, cpu, length, chain.t, t)
        # where the tap missed it, no bytes are better than those from before a router changed them
        chain.carries(frame, self.journal.kept(frame))

    def _introduce(self, chain: Chain, frame: bytes | None) -> None:
        chain.said = True
        otherwise = f"{chain.length} bytes from {chain.interface}"
        self.journal.introduce(chain.t, chain.node, chain.cpu, chain.pkt, frame, otherwise)

    # ---- at the other end ----

    def _receive(self, t: int, cpu: int, skb: int, interface: str, length: int) -> None:
        chain = self._chains.get(skb)
        if chain is None or chain.state != SENT or chain.interface != interface:
            chain = self._moved(t, cpu, skb, interface, length + HEADER)
        node = self._node[interface]
        chain.state, chain.t, chain.cpu, chain.node = ARRIVED, t, cpu, node
        self._here[cpu] = chain
        if interface in self._landing:
            self._landing[interface].append(chain)
            return
        add = self.journal.add
        add(t, "wire.rx", node, interface, cpu, chain.pkt, (self._peer[interface], chain.wire, chain.shown))
        add(t, "stage", node, "ether.input", cpu, chain.pkt, (interface, None))

    def _moved(self, t: int, cpu: int, skb: int, interface: str, length: int) -> Chain:
        """An arrival in a buffer that was not sent: the oldest frame of that length on its way here, else unknown."""
        self._forget(skb)
        sent = next((c for c in self._trail[interface] if _on_its_way(c, interface, length)), None)
        if sent is not None:
            chain = sent.branch()
            sent.state = ARRIVED
        else:
            chain = Chain(self.journal.new())
            chain.wire = length
        chain.t, chain.cpu, chain.node = t, cpu, self._node[interface]
        chain.interface, chain.length = interface, length
        if not chain.said:
            self._introduce(chain, None)
        self._chains[skb] = chain
        return chain

    # ---- its end ----

    def _consume(self, t: int, cpu: int, skb: int, address: int, _: int) -> None:
        chain = self._chains.pop(skb, None)
        if chain is None or chain.state != ARRIVED or not self._believed(chain, t, cpu):
            return
        stage = self._stage_of(chain, address)
        if stage:
            self._end_at(stage, chain, t, cpu)

    def _copy(self, t: int, cpu: int, skb: int, _: int, octets: int) -> None:
        """A program took the packet's bytes."""
        chain = self._chains.get(skb)
        if chain is None or chain.state != ARRIVED or octets > chain.wire:
            return
        if chain.node in self._switch or chain.interface in self._landing:
            return
        if t - chain.t < (BELIEVED if chain.proto == TCP else HELD):
            del self._chains[skb]
            self.journal.add(t, "stage", chain.node, "socket.deliver", cpu, chain.pkt, (chain.interface, None))

    def _ready(self, t: int, cpu: int, _: int, proto: int, __: int) -> None:
        """This core has put what it received into a socket."""
        chain = self._here.get(cpu)
        if chain is None or chain.state != ARRIVED or chain.proto != proto or t - chain.t > AT_WORK:
            return
        if chain.node in self._switch or chain.interface in self._landing:
            return
        del self._here[cpu]
        self._end_at(SOCKET_INPUT[proto], chain, t, cpu)

    def _stage_of(self, chain: Chain, address: int) -> str:
        """The stage at a place in the kernel; a socket for pings is the same for both versions of IP."""
        stage = self._stage_at(address)
        return "icmp6.input" if stage == "icmp.input" and chain.proto == ICMPV6 else stage

    def _end_at(self, stage: str, chain: Chain, t: int, cpu: int) -> None:
        """The stage that a packet ended in: it began when the packet came, unless that was long ago."""
        if chain.cpu == cpu and t - chain.t < AT_WORK and stage != "socket.deliver":
            t = chain.t + 1
        self.journal.add(t, "stage", chain.node, stage, cpu, chain.pkt, (chain.interface, None))

    def _believed(self, chain: Chain, t: int, cpu: int) -> bool:
        """Whether the end of a buffer is the end of the packet, on a node where the kernel knows such an end."""
        if chain.node in self._switch or chain.interface in self._landing:
            return False  # a switch's own stack looks at copies; a node with our own stack tells its end itself
        return t - chain.t < BELIEVED and chain.cpu == cpu if chain.silent else t - chain.t < HELD

    def _drop_words(self, where: str, reason: int) -> str:
        name = self._reasons.get(reason, f"reason {reason}")
        plain = PLAIN.get(f"{where} {name}") or PLAIN.get(name)
        return f"{plain} ({name})" if plain else name

    def _kfree(self, t: int, cpu: int, skb: int, address: int, reason: int) -> None:
        chain = self._chains.pop(skb, None)
        if chain is None or chain.copied:
            return
        name, stage = self._reasons.get(reason, ""), self._stage_of(chain, address)
        if stage in ("icmp.input", "icmp6.input") and name == "NO_SOCKET":
            # a program with a raw socket got a copy, and the kernel's own ICMP has nobody else to give it to
            if self._believed(chain, t, cpu):
                self._end_at(stage, chain, t, cpu)
            return
        if name == "QUEUE_PURGE" or (chain.state == ARRIVED and not self._droppable(chain, t, cpu, stage)):
            return
        if not chain.said:
            self._introduce(chain, None)
        where = stage or ("ether.input", "ifq", "nic.tx")[(ARRIVED, QUEUED, SENT).index(chain.state)]
        words = (self._drop_words(where, reason), chain.interface)
        self.journal.add(t, "drop", self._dropper(chain, where), where, cpu, chain.pkt, words)

    def _droppable(self, chain: Chain, t: int, cpu: int, stage: str) -> bool:
        own = chain.interface in self._landing  # a switch with our own stack tells its drops itself
        if chain.node in self._switch and not own and stage.split(".")[0] in ("bridge", "ether", ""):
            return chain.cpu == cpu and t - chain.t < BELIEVED
        return self._believed(chain, t, cpu)

    def _dropper(self, chain: Chain, where: str) -> str:
        """The node that dropped it: a packet that was sent is dropped by its receiver only in the receiver's queue."""
        if chain.state == SENT and where == "nic.rx":
            return self._node[chain.interface]
        return chain.node

    # ---- the other teller of the nodes that run our own stack ----

    def land(self, t: int, interface: str, frame: bytes) -> tuple[int, int]:
        """The journey that the kernel brought to ``interface`` with these bytes (0: none known), and when it did."""
        landing = self._landing.get(interface)
        if landing is None:
            return 0, t
        while landing and landing[0].t < t - NATIVE_LAG:
            landing.popleft()
        for i, chain in enumerate(landing):
            if chain.wire == len(frame) and (chain.frame is None or _same(chain.frame, frame)):
                del landing[i]
                return chain.pkt, chain.t
        return 0, t

    def launch(self, t: int, interface: str, frame: bytes, pkt: int) -> None:
        """A frame of journey ``pkt`` is handed to the kernel at ``interface``."""
        self._launched[interface].append((t, frame, pkt))


def _on_its_way(chain: Chain, interface: str, length: int) -> bool:
    return chain.state == SENT and chain.interface == interface and chain.length == length


def _same(a: bytes, b: bytes) -> bool:
    return a == b or flow_key(a) == flow_key(b)


def _event_at(event: Event) -> int:
    return event[0]
