"""Whether a segment that our TCP sent is the one that a script expects, and how both are written."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.packetdrill.around import ECN
from netlab.packetdrill.script import Packet, TcpOption
from netlab.packetdrill.world import Sent
from netlab.stack.tcp.options import PACK
from netlab.stack.tcp.sequence import WRAP
from netlab.wire import tcp

LETTERS = (
    (tcp.FIN, "F"),
    (tcp.SYN, "S"),
    (tcp.RST, "R"),
    (tcp.PSH, "P"),
    (tcp.URG, "U"),
    (tcp.ECE, "E"),
    (tcp.CWR, "W"),
    (tcp.AE, "A"),
    (tcp.ACK, "."),
)
NAMES = {tcp.MSS: "mss", tcp.WINDOW_SCALE: "wscale", tcp.NOP: "nop", tcp.END: "eol", tcp.SACK_OK: "sackOK"}


def options_as_sent(sent: Sent, layout: str) -> tuple[TcpOption, ...]:
    """The options of a segment one by one, NOPs and padding among them."""
    data = PACK[layout](sent.out.segment.options)
    found: list[TcpOption] = []
    at = 0
    while at < len(data):
        kind = data[at]
        size = 1 if kind in (tcp.NOP, tcp.END) else data[at + 1]
        found.append(TcpOption(kind, data[at + 2 : at + size]))
        at += size
    return tuple(found)


class Numbers:
    """How a script's numbers stand to ours: local sequence numbers and our timestamps count from elsewhere."""

    def __init__(self) -> None:
        self.script_isn = 0
        self._stamps: dict[int, int] = {}
        self.stamp_offset: int | None = None

    def stamp_sent(self, script: int, live: int) -> None:
        """Our timestamp ``live`` is what the script calls ``script``."""
        self._stamps[script] = live
        if self.stamp_offset is None:
            self.stamp_offset = (live - script) % WRAP

    def live_stamp(self, script: int) -> int:
        """The timestamp of ours that a script's echo means."""
        if script in self._stamps:
            return self._stamps[script]
        return (script + (self.stamp_offset or 0)) % WRAP if script else 0

    def script_stamp(self, live: int) -> int:
        """One of our timestamps as the script counts."""
        return (live - (self.stamp_offset or 0)) % WRAP


def as_script(sent: Sent, offset: int, numbers: Numbers, layout: str) -> Packet:
    """A segment that left, in the script's numbers."""
    out = sent.out
    s = out.segment
    # A RST for no connection has the sequence number 0 and nothing to count from (RFC 9293 §3.10.7.1).
    seq = 0 if s.seq == 0 and s.flags == tcp.RST | tcp.ACK else (s.seq - offset) % WRAP
    options = tuple(_option_as_script(o, offset, numbers) for o in options_as_sent(sent, layout))
    ack = s.ack if s.flags & tcp.ACK else None
    udp = (out.tunnel.local, out.tunnel.remote) if out.tunnel else None
    return Packet(
        False, s.flags, seq, len(s.payload), ack, s.window, options, (out.tos & 3,), out.tos, out.ttl, s.urgent, udp
    )


def whole(first: Sent, others: Sequence[Sent], size: int) -> Sent | None:
    """``first`` and the segments right behind it as the one long segment that they were before they were cut.

    Scripts for Linux look at segments before segmentation offload. None when they make no segment of this size.
    """
    segment = first.out.segment
    held = len(segment.payload)
    for sent in others:
        s = sent.out.segment
        behind = s.seq == (segment.seq + held) % WRAP and s.ack == segment.ack and s.payload
        if held >= size or sent.at != first.at or not behind or segment.flags & (tcp.FIN | tcp.SYN):
            break
        segment = segment._replace(payload=bytes(held + len(s.payload)), flags=segment.flags | s.flags)
        held = len(segment.payload)
    return first._replace(out=first.out._replace(segment=segment)) if held == size else None


def _option_as_script(option: TcpOption, offset: int, numbers: Numbers) -> TcpOption:
    if option.kind != tcp.TIMESTAMPS:
        return option
    live = int.from_bytes(option.value[:4], "big")
    return TcpOption(option.kind, numbers.script_stamp(live).to_bytes(4, "big") + option.value[4:])


def differences(want: Packet, got: Packet, *, stamp_tolerance: int | None) -> list[str]:
    """What is wrong, a phrase each; ``stamp_tolerance`` None: our timestamps are not looked at."""
    wrong: list[str] = []
    if want.flags != got.flags:
        wrong.append(f"flags {flags_text(got.flags)} instead of {flags_text(want.flags)}")
    if not want.seq_any and want.seq % WRAP != got.seq:
        wrong.append(f"sequence number {got.seq} instead of {want.seq}")
    if want.size != got.size:
        wrong.append(f"{got.size} bytes of data instead of {want.size}")
    if want.ack is not None and want.ack % WRAP != (got.ack or 0):
        wrong.append(f"ack {got.ack} instead of {want.ack}")
    if want.window is not None and want.window != got.window:
        wrong.append(f"window {got.window} instead of {want.window}")
    if want.urgent and want.urgent != got.urgent:
        wrong.append(f"urgent pointer {got.urgent} instead of {want.urgent}")
    tolerance = None if want.any_stamp else stamp_tolerance
    return wrong + _options_differ(want, got, tolerance) + _ip_differs(want, got)


def _options_differ(want: Packet, got: Packet, stamp_tolerance: int | None) -> list[str]:
    if want.options is None:
        return []
    assert got.options is not None
    same = len(want.options) == len(got.options) and all(
        _same_option(a, b, stamp_tolerance) for a, b in zip(want.options, got.options, strict=True)
    )
    return [] if same else [f"options <{options_text(got.options)}> instead of <{options_text(want.options)}>"]


def _same_option(want: TcpOption, got: TcpOption, stamp_tolerance: int | None) -> bool:
    if want.kind != got.kind:
        return False
    if want.kind != tcp.TIMESTAMPS:
        return want.value == got.value
    if want.value[4:] != got.value[4:]:
        return False
    away = int.from_bytes(want.value[:4], "big") - int.from_bytes(got.value[:4], "big")
    return stamp_tolerance is None or abs(away) <= stamp_tolerance


def _ip_differs(want: Packet, got: Packet) -> list[str]:
    wrong: list[str] = []
    assert got.ecn is not None and got.tos is not None
    if want.ecn is not None and got.ecn[0] not in want.ecn:
        wrong.append(f"{ecn_text(got.ecn)} instead of {ecn_text(want.ecn)}")
    if want.tos is not None and want.tos != got.tos:
        wrong.append(f"tos {got.tos:#x} instead of {want.tos:#x}")
    if want.dscp is not None and want.dscp != got.tos >> 2:
        wrong.append(f"dscp {got.tos >> 2:#x} instead of {want.dscp:#x}")
    if want.ttl is not None and want.ttl != got.ttl:
        wrong.append(f"ttl {got.ttl} instead of {want.ttl}")
    if want.udp != got.udp:
        wrong.append(f"{_tunnel(got)} instead of {_tunnel(want)}")
    return wrong


# ---- text ----------------------------------------------------------------------------------------


def flags_text(flags: int) -> str:
    """ "S." for SYN and ACK, "-" for none."""
    return "".join(letter for bit, letter in LETTERS if flags & bit) or "-"


def ecn_text(ecn: tuple[int, ...]) -> str:
    """ "[ect0]"."""
    return next((f"[{name}]" for name, codes in ECN.items() if codes == ecn), str(ecn))


def options_text(options: tuple[TcpOption, ...]) -> str:
    """ "mss 1460,nop,wscale 6"."""
    return ",".join(_option_text(o) for o in options)


def _option_text(option: TcpOption) -> str:
    numbers = [int.from_bytes(option.value[i : i + 4], "big") for i in range(0, len(option.value), 4)]
    if option.kind == tcp.TIMESTAMPS and len(numbers) == 2:
        return f"TS val {numbers[0]} ecr {numbers[1]}"
    if option.kind == tcp.SACK:
        return "sack " + " ".join(f"{a}:{b}" for a, b in zip(numbers[::2], numbers[1::2], strict=False))
    if option.kind == tcp.FAST_OPEN:
        return f"FO {option.value.hex()}".strip()
    name = NAMES.get(option.kind, f"kind {option.kind}")
    return f"{name} {int.from_bytes(option.value, 'big')}" if option.value else name


def _tunnel(p: Packet) -> str:
    return f"/udp({p.udp[0]} > {p.udp[1]})" if p.udp else "no UDP around it"


def text(p: Packet) -> str:
    """A packet as a script would write it."""
    around = f"{ecn_text(p.ecn)} " if p.ecn and p.ecn != (0,) else ""
    ack = f" ack {p.ack}" if p.ack is not None else ""
    win = f" win {p.window}" if p.window is not None else ""
    options = "" if p.options == () else f" <{'...' if p.options is None else options_text(p.options)}>"
    urgent = f" urg {p.urgent}" if p.urgent else ""
    tunnel = _tunnel(p) if p.udp else ""
    direction = "<" if p.inbound else ">"
    body = f"{flags_text(p.flags)} {p.seq}:{(p.seq + p.size) % WRAP}({p.size}){ack}{win}{urgent}"
    return f"{direction} {around}{body}{options}{tunnel}"
