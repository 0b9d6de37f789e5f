"""Plays a script: its events in order, in virtual time."""

from __future__ import annotations

import re
from typing import Any

from netlab.packetdrill import commands
from netlab.packetdrill.blocking import Blocks, Done
from netlab.packetdrill.calls import Program
from netlab.packetdrill.compare import Numbers, as_script, differences, text
from netlab.packetdrill.constants import Symbols
from netlab.packetdrill.parser import parse
from netlab.packetdrill.preprocess import DEFINED, preprocess
from netlab.packetdrill.returns import check_result
from netlab.packetdrill.script import (
    BadScript,
    Call,
    Code,
    Command,
    Datagram,
    Event,
    Icmp,
    Packet,
    Refused,
    Script,
    TcpOption,
    Time,
)
from netlab.packetdrill.verdict import Failed, Verdict
from netlab.packetdrill.world import World
from netlab.stack.tcp.layer import Tunnel
from netlab.stack.tcp.segment import Segment
from netlab.stack.tcp.sequence import WRAP
from netlab.wire import tcp

TOLERANCE_US = 4000
"""packetdrill's own default."""
PATIENCE = 3600 * 1_000_000_000
"""ns that a packet without a time ("*") is waited for."""
VERSIONS = {"ipv4": 4, "ipv6": 6, "ipv4-mapped-ipv6": 4, "ipv4_mapped_ipv6": 4}
IGNORED_OPTIONS = frozenset(
    {
        "local_ip",
        "remote_ip",
        "local_ipv4",
        "remote_ipv4",
        "local_ipv6",
        "remote_ipv6",
        "netmask_ip",
        "gateway_ip",
        "local_linklocal_ip",
        "connect_port",
        "bind_port",
        "speed",
        "wire_client",
        "wire_server",
        "non_fatal",
        "send_omit_free",
        "dry_run",
        "verbose",
        "v",
        "init_scripts",
        "code_command",
        "code_format",
        "code_sockopt",
        "tun_speed",
        "is_anyip",
        "debug",
        "persistent_tun_dev",
        "tun_dev",
    }
)
"""Options of packetdrill that say how it reaches a kernel; here there is none."""


class Player:
    """One run of one script."""

    def __init__(self, script: Script, system: str) -> None:
        self.script = script
        self.tolerance = TOLERANCE_US * 1000
        self.stamp_tick: int | None = None
        version, mtu = 4, 1500
        for name, value in script.options.items():
            if name == "ip_version":
                version = _version(value)
            elif name == "mtu":
                mtu = int(value)
            elif name == "tolerance_usecs":
                self.tolerance = int(float(value)) * 1000
            elif name == "tcp_ts_tick_usecs":
                self.stamp_tick = int(value) or None
            elif name == "udp_encapsulation":
                if value not in ("tcp", "udp", "none"):
                    raise Refused(f"--udp_encapsulation={value}")
            elif name not in IGNORED_OPTIONS:
                raise Refused(f"the option --{name}")
        self.world = World(system, version, mtu)
        self.layout = self.world.layer.knobs.layout
        self.program = Program(self.world, Symbols(system))
        self.world.owned = self.program.rows
        self.numbers = Numbers()
        self.last = 0
        """When the last event was."""
        self.waiting: list[Waiting] = []
        self.exchange: list[str] = []
        self.world.watchers.append(self._look)

    # ---- the run -----------------------------------------------------------------------------

    def run(self) -> Verdict:
        """Play to the end."""
        event: Event | None = None
        try:
            for event in self.script.before + self.script.events:
                self._play(event)
            self._finish()
        except Failed as failed:
            line = event.line if event else 0
            return Verdict(
                "failed",
                self.script.name,
                getattr(failed, "line", 0) or line,
                failed.said,
                failed.expected,
                failed.came,
                tuple(self.exchange),
            )
        except Refused as refused:
            return Verdict(
                "refused", self.script.name, event.line if event else 0, f"{refused.what} is not played here"
            )
        return Verdict("passed", self.script.name)

    def _play(self, event: Event) -> None:
        action = event.action
        if isinstance(action, Packet) and not action.inbound:
            self._expect(event, action)
            return
        if event.time.kind != "any":
            start, _ = self._when(event.time)
            if start < self.world.now and start < self.last:
                raise Failed(f"time goes backwards to {start / 1e9:g} s")
            self.world.run_until(start)
        self.last = self.world.now
        self._do(event, action)

    def _when(self, time: Time) -> tuple[int, int]:
        base = self.last if time.kind == "relative" else 0
        return base + time.start, base + time.end

    def _do(self, event: Event, action: Any) -> None:
        if isinstance(action, Packet):
            self._note(f"< {event.text.removeprefix('<').strip()}")
            self._inject(action)
        elif isinstance(action, Call):
            self._call(event, action)
        elif isinstance(action, Command):
            try:
                commands.run(self.world, action.text)
            except commands.CommandFailed as failed:
                raise Failed(str(failed)) from None
        elif isinstance(action, Icmp):
            self._note(event.text)
            self._icmp(action)
        elif isinstance(action, Code):
            raise Refused("an assertion in Python, %{ }%")
        elif isinstance(action, Datagram):
            raise Refused("a UDP datagram")

    def _note(self, said: str) -> None:
        self.exchange.append(f"{self.world.now / 1e9:10.6f}  {said}")

    # ---- packets that arrive -----------------------------------------------------------------

    def _inject(self, packet: Packet) -> None:
        if packet.flags & tcp.SYN and not packet.flags & tcp.ACK:
            self._new_connection()
        offset = self._offset()
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

    def _offset(self) -> int:
        isn = self.world.isn
        return 0 if isn is None else (isn - self.numbers.script_isn) % WRAP

    def _options(self, packet: Packet, offset: int) -> tcp.Options:
        if not packet.options:
            return tcp.NONE
        data = b"".join(self._pack(option, offset) for option in packet.options)
        if len(data) > tcp.MAXIMUM_OPTIONS:
            raise Failed(f"{len(data)} bytes of options don't fit into a header")
        data += bytes(-len(data) % 4)
        header = tcp.build(0, 0, 0, 0, 0, 0, b"", 0, 0, options=data)
        parsed = tcp.parse(header)
        assert parsed is not None
        return tcp.options(header, 0, parsed)

    def _pack(self, option: TcpOption, offset: int) -> bytes:
        if option.kind in (tcp.NOP, tcp.END):
            # An END inside a script's list pads; a NOP in its place lets what follows be read.
            return bytes((option.kind,))
        value = option.value
        if option.kind == tcp.TIMESTAMPS:
            echo = self.numbers.live_stamp(int.from_bytes(value[4:], "big"))
            value = value[:4] + echo.to_bytes(4, "big")
        elif option.kind == tcp.SACK:
            edges = (int.from_bytes(value[i : i + 4], "big") for i in range(0, len(value), 4))
            value = b"".join(((edge + offset) % WRAP).to_bytes(4, "big") for edge in edges)
        return tcp.option(option.kind, value)

    def _icmp(self, message: Icmp) -> None:
        found = _ICMP.get((message.type, message.code)) or _ICMP.get((message.type, "*"))
        if found is None:
            raise Refused(f"ICMP {message.type} {message.code}".strip())
        error, hard = found
        endpoint = self.world.layer.endpoints.get(self.world.pair)
        if endpoint is None:
            return
        if message.quotes_udp is not None:
            quoted = Tunnel(*message.quotes_udp)
            if endpoint.tunnel != quoted:
                return
        elif endpoint.tunnel is not None:
            return
        if error == "EMSGSIZE" and not message.mtu:
            return
        seq = (message.seq + self._offset()) % WRAP
        mtu = message.mtu if error == "EMSGSIZE" else 0
        self.world.follow(self.world.layer.icmp(self.world.pair, seq, self.world.now, error, hard=hard, mtu=mtu))

    # ---- packets that must leave -------------------------------------------------------------

    def _expect(self, event: Event, want: Packet) -> None:
        start, end = self._when(event.time) if event.time.kind != "any" else (0, self.world.now + PATIENCE)
        if not self.world.run_until_sent(max(end + self.tolerance, self.world.now)):
            raise Failed("nothing was sent", text(want), "nothing")
        sent = self.world.sent.popleft()
        if want.flags & tcp.SYN and sent.out.segment.flags & tcp.SYN:
            self.world.isn = sent.out.segment.seq
            self.numbers.script_isn = want.seq
        self._learn_stamp(want, sent.out.segment)
        got = as_script(sent, self._offset(), self.numbers, self.layout)
        self._note(text(got) if sent.at == self.world.now else f"{text(got)}   (sent at {sent.at / 1e9:.6f})")
        tolerance = self.tolerance // (self.stamp_tick * 1000) + 1 if self.stamp_tick else None
        wrong = differences(want, got, stamp_tolerance=tolerance)
        if wrong:
            raise Failed(f"not the packet that must leave: {'; '.join(wrong)}", text(want), text(got))
        if event.time.kind != "any" and not start - self.tolerance <= sent.at <= end + self.tolerance:
            raise Failed(
                f"the right packet, but at {sent.at / 1e9:.6f} s instead of {start / 1e9:.6f} s",
                f"{text(want)} at {start / 1e9:.6f} ± {self.tolerance / 1e9:g} s",
                f"the same at {sent.at / 1e9:.6f} s",
            )
        self.last = max(self.last, sent.at) if event.time.kind != "absolute" else start

    def _learn_stamp(self, want: Packet, segment: Segment) -> None:
        if segment.options.timestamps is None or not want.options:
            return
        for option in want.options:
            if option.kind == tcp.TIMESTAMPS:
                self.numbers.stamp_sent(int.from_bytes(option.value[:4], "big"), segment.options.timestamps[0])

    # ---- calls -------------------------------------------------------------------------------

    def _call(self, event: Event, call: Call) -> None:
        if any(w.thread_is_busy for w in self.waiting):
            self._wait_for_calls()
        waiting = Waiting(event, call, self.world.now)
        self.waiting.append(waiting)
        self._note(event.text)
        self._try(waiting)
        if waiting.done is None and call.ends is None:
            # It must return at once, but for the tolerance.
            limit = self.world.now + self.tolerance
            while waiting.done is None and self.world.now < limit and self.world.run_one(limit):
                pass
            if waiting.done is None:
                self.waiting.remove(waiting)
                raise Failed(f"{call.name}() blocks", event.text, "no return")

    def _look(self) -> None:
        for waiting in self.waiting:
            self._try(waiting)

    def _try(self, waiting: Waiting) -> None:
        if waiting.done is not None or waiting.trying:
            return
        waiting.trying = True
        try:
            waiting.done = self.program.call(waiting.call.name, waiting.call.args, waiting.call.result)
        except Blocks:
            return
        finally:
            waiting.trying = False
        waiting.returned = self.world.now
        self.waiting.remove(waiting)
        self._judge(waiting)

    def _judge(self, waiting: Waiting) -> None:
        call, done = waiting.call, waiting.done
        assert done is not None
        try:
            check_result(self.program.symbols, call, done)
            self._check_return_time(waiting)
        except Failed as failed:
            failed.line = waiting.event.line  # type: ignore[attr-defined]
            raise

    def _check_return_time(self, waiting: Waiting) -> None:
        if waiting.call.ends is None:
            return
        time = waiting.event.time
        due = waiting.call.ends + (waiting.began - time.start if time.kind == "relative" else 0)
        if abs(waiting.returned - due) > self.tolerance:
            said = f"{waiting.call.name}() returned at {waiting.returned / 1e9:.6f} s instead of {due / 1e9:.6f} s"
            raise Failed(said, waiting.event.text)

    def _wait_for_calls(self) -> None:
        limit = self.world.now + PATIENCE
        while self.waiting and self.world.run_one(limit):
            pass

    def _finish(self) -> None:
        """Calls that still block must return in the end."""
        while self.waiting:
            waiting = self.waiting[0]
            time = waiting.event.time
            assert waiting.call.ends is not None
            due = waiting.call.ends + (waiting.began - time.start if time.kind == "relative" else 0)
            self.world.run_until(due + self.tolerance)
            self._look()
            if waiting in self.waiting:
                raise Failed(f"{waiting.call.name}() never returns", waiting.event.text)


class Waiting:
    """A call that is under way."""

    def __init__(self, event: Event, call: Call, began: int) -> None:
        self.event, self.call, self.began = event, call, began
        self.done: Done | None = None
        self.returned = 0
        self.trying = False

    @property
    def thread_is_busy(self) -> bool:
        """The program has one thread for calls: a second call waits for the first."""
        return self.done is None


def _version(value: str) -> int:
    if value not in VERSIONS:
        raise Refused(f"--ip_version={value}")
    return VERSIONS[value]


_SOFT = ("EHOSTUNREACH", False)
_ICMP: dict[tuple[str, str], tuple[str, bool]] = {
    ("unreachable", "net_unreachable"): _SOFT,
    ("unreachable", "host_unreachable"): _SOFT,
    ("unreachable", "net_unknown"): _SOFT,
    ("unreachable", "host_unknown"): _SOFT,
    ("unreachable", "source_route_failed"): _SOFT,
    ("unreachable", "source_host_isolated"): _SOFT,
    ("unreachable", "tos_net_unreachable"): _SOFT,
    ("unreachable", "tos_host_unreachable"): _SOFT,
    ("unreachable", "net_unreachable_for_tos"): _SOFT,
    ("unreachable", "host_unreachable_for_tos"): _SOFT,
    ("unreachable", "proto_unreachable"): ("ECONNREFUSED", True),
    ("unreachable", "protocol_unreachable"): ("ECONNREFUSED", True),
    ("unreachable", "port_unreachable"): ("ECONNREFUSED", True),
    ("unreachable", "net_prohibited"): ("ECONNREFUSED", True),
    ("unreachable", "host_prohibited"): ("ECONNREFUSED", True),
    ("unreachable", "packet_filtered"): ("ECONNREFUSED", True),
    ("unreachable", "communication_prohibited"): ("ECONNREFUSED", True),
    ("unreachable", "admin_prohibited"): ("ECONNREFUSED", True),
    ("unreachable", "comm_prohibited"): ("ECONNREFUSED", True),
    ("unreachable", "address_unreachable"): _SOFT,
    ("unreachable", "addr_unreachable"): _SOFT,
    ("unreachable", "no_route"): _SOFT,
    ("unreachable", "not_neighbour"): _SOFT,
    ("unreachable", "frag_needed"): ("EMSGSIZE", False),
    ("packet_too_big", ""): ("EMSGSIZE", False),
    ("time_exceeded", "exc_fragtime"): _SOFT,
    ("time_exceeded", "fragment_reassembly_time_exceeded"): _SOFT,
    ("time_exceeded", "*"): ("EHOSTUNREACH", True),
    ("source_quench", ""): ("", False),
    ("parameter_problem", "*"): _SOFT,
    ("packet_too_big", "*"): ("EMSGSIZE", False),
}
"""(type, code) -> the error that it stands for, and whether it is a hard one (RFC 1122 §4.2.3.9)."""


# ---- from outside --------------------------------------------------------------------------------


_LINUX = re.compile(r"net\.(?:ipv4|ipv6|core)\b|/proc/sys|defaults\.sh|set_sysctls")
_FREEBSD = re.compile(r"net\.inet6?\.|kern\.ipc\.|sockstat|tcpdrop")


def system_of(source: str) -> str:
    """Which system a script was written for, as its commands suggest; FreeBSD when nothing does."""
    return "linux" if _LINUX.search(source) and not _FREEBSD.search(source) else "freebsd"


def play(source: str, name: str = "script", *, system: str = "") -> Verdict:
    """Read a script and play it. ``system`` is freebsd or linux; empty: as the script suggests."""
    try:
        system = system or system_of(source)
        script = parse(preprocess(source, DEFINED[system]), name)
        return Player(script, system).run()
    except BadScript as bad:
        return Verdict("unreadable", name, bad.line, bad.said)
    except Refused as refused:
        return Verdict("refused", name, refused.line, f"{refused.what} is not played here")
