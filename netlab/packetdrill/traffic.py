"""A script's packets and ours: sequence numbers and timestamps of one side in the other's terms."""

from __future__ import annotations

from netlab.packetdrill.compare import Numbers, as_script, whole
from netlab.packetdrill.icmps import meaning
from netlab.packetdrill.script import Icmp, Packet, Refused, TcpOption
from netlab.packetdrill.verdict import Failed
from netlab.packetdrill.world import Sent, World
from netlab.stack.tcp.layer import Tunnel
from netlab.stack.tcp.segment import Segment
from netlab.stack.tcp.sequence import WRAP
from netlab.wire import tcp


class Traffic:
    """What comes in from a script, and what left, to be compared with it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.numbers = Numbers()
        self.layout = world.layer.knobs.layout

    # ---- packets that arrive -----------------------------------------------------------------

    def inject(self, packet: Packet) -> None:
        """A packet of the script reaches our TCP."""
        if packet.flags & tcp.SYN and not packet.flags & tcp.ACK:
            self._new_connection()
        offset = self.offset
        ack = ((packet.ack or 0) + (offset if packet.flags & tcp.ACK else 0)) % WRAP
        segment = Segment(
            packet.seq % WRAP,
            ack,
            packet.flags,
            packet.window if packet.window is not None else 0,
            bytes(packet.size),
            self._options(packet, offset),
            packet.urgent,
            packet.ecn[0] if packet.ecn else (packet.tos or 0) & 3,
        )
        tunnel = Tunnel(packet.udp[1], packet.udp[0]) if packet.udp else None
        self.world.deliver(segment, tunnel)

    def _new_connection(self) -> None:
        """A SYN for a listener whose last connection is gone begins to count afresh."""
        if self.world.pair not in self.world.layer.endpoints:
            self.world.isn = None

    @property
    def offset(self) -> int:
        """What is added to a local sequence number of the script to have the wire's."""
        isn = self.world.isn
        return 0 if isn is None else (isn - self.numbers.script_isn) % WRAP

    def _options(self, packet: Packet, offset: int) -> tcp.Options:
        if not packet.options:
            return tcp.NONE
        data = b"".join(self._pack(option, offset, packet.raw_echo) for option in packet.options)
        if len(data) > tcp.MAXIMUM_OPTIONS:
            raise Failed(f"{len(data)} bytes of options don't fit into a header")
        data += bytes(-len(data) % 4)
        header = tcp.build(0, 0, 0, 0, 0, 0, b"", 0, 0, options=data)
        parsed = tcp.parse(header)
        assert parsed is not None
        return tcp.options(header, 0, parsed)

    def _pack(self, option: TcpOption, offset: int, raw_echo: bool) -> bytes:
        if option.kind in (tcp.NOP, tcp.END):
            return bytes((option.kind,))
        value = option.value
        if option.kind == tcp.TIMESTAMPS and not raw_echo:
            echo = self.numbers.live_stamp(int.from_bytes(value[4:], "big"))
            value = value[:4] + echo.to_bytes(4, "big")
        elif option.kind == tcp.SACK:
            edges = (int.from_bytes(value[i : i + 4], "big") for i in range(0, len(value), 4))
            value = b"".join(((edge + offset) % WRAP).to_bytes(4, "big") for edge in edges)
        return tcp.option(option.kind, value)

    def icmp(self, message: Icmp) -> None:
        """An ICMP error about a segment of ours."""
        found = meaning(message, self.world.version)
        endpoint = self.world.layer.endpoints.get(self.world.pair)
        if endpoint is None or not found.error:
            return
        quoted = Tunnel(*message.quotes_udp) if message.quotes_udp is not None else None
        if endpoint.tunnel != quoted:
            return
        mtu = message.mtu if found.error == "EMSGSIZE" else 0
        if found.error == "EMSGSIZE" and not mtu:
            return
        seq = (message.seq + self.offset) % WRAP
        layer = self.world.layer
        step = layer.icmp(self.world.pair, seq, self.world.now, found.error, hard=found.hard, mtu=mtu)
        self.world.follow(step)

    # ---- packets that left -------------------------------------------------------------------

    def take(self, want: Packet) -> tuple[Packet, int]:
        """The oldest packet that left and was not looked at yet, in the script's numbers; and when that was.

        There must be one. ``want`` tells how the script counts.
        """
        sent = self._next(want)
        segment = sent.out.segment
        if want.flags & tcp.SYN and segment.flags & tcp.SYN:
            self.world.isn = segment.seq
            self.numbers.script_isn = want.seq
        self._learn_stamp(want, segment)
        if want.flow_label is not None:
            raise Refused("an IPv6 flow label that must be so and so")
        offset = 0 if want.seq_absolute else self.offset
        return as_script(sent, offset, self.numbers, self.layout), sent.at

    def _next(self, want: Packet) -> Sent:
        sent = self.world.sent.popleft()
        size = len(sent.out.segment.payload)
        if self.layout != "linux" or not size or want.size <= size:
            return sent
        found = whole(sent, list(self.world.sent), want.size)
        if found is None:
            return sent
        while size < want.size:
            size += len(self.world.sent.popleft().out.segment.payload)
        return found

    def _learn_stamp(self, want: Packet, segment: Segment) -> None:
        if segment.options.timestamps is None or not want.options or want.any_stamp:
            return
        for option in want.options:
            if option.kind == tcp.TIMESTAMPS:
                self.numbers.stamp_sent(int.from_bytes(option.value[:4], "big"), segment.options.timestamps[0])
