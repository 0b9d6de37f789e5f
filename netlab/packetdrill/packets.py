"""Packet specifications: ``< S 0:0(0) win 1000 <mss 1460,nop,wscale 7>``, ICMP errors and UDP."""

from __future__ import annotations

from collections.abc import Callable

from netlab.packetdrill.reader import Reader
from netlab.packetdrill.script import BadScript, Datagram, Icmp, Packet, Refused, TcpOption
from netlab.wire import tcp

FLAGS = {
    "F": tcp.FIN,
    "S": tcp.SYN,
    "R": tcp.RST,
    "P": tcp.PSH,
    ".": tcp.ACK,
    "U": tcp.URG,
    "E": tcp.ECE,
    "W": tcp.CWR,
    "C": tcp.CWR,
    "A": tcp.AE,
}
ECN: dict[str, tuple[int, ...]] = {"noecn": (0,), "ect1": (1,), "ect0": (2,), "ce": (3,), "ect01": (1, 2)}
REFUSED = {
    "sctp": "SCTP",
    "udplite": "UDP-Lite",
    "gre": "GRE encapsulation",
    "mpls": "MPLS encapsulation",
    "ipv4": "IPv4 encapsulation",
    "ipv6": "IPv6 encapsulation",
    "vxlan": "VXLAN encapsulation",
    "psp": "PSP",
}
MAXIMUM = 1 << 32


def packet(reader: Reader) -> Packet | Icmp | Datagram:
    """What follows a time and begins with "<" or ">"."""
    inbound = reader.take().text == "<"
    ecn, tos, ttl, quoted = _around(reader)
    word = reader.peek().text
    if word in REFUSED:
        raise Refused(REFUSED[word], reader.line)
    if word == "icmp":
        return _icmp(reader, inbound, quoted)
    if word == "udp":
        return _datagram(reader, inbound)
    return _tcp(reader, inbound, ecn, tos, ttl)


Quoted = tuple[int, tuple[int, int] | None]


def _around(reader: Reader) -> tuple[tuple[int, ...] | None, int | None, int | None, Quoted | None]:
    """What stands before the flags: [ect0], (tos 0x10), (ttl 64), or the segment that an ICMP error quotes."""
    ecn: tuple[int, ...] | None = None
    tos: int | None = None
    ttl: int | None = None
    quoted: Quoted | None = None
    while reader.sees("[") or reader.sees("("):
        closing = "]" if reader.take().text == "[" else ")"
        while not reader.accept(closing):
            word = reader.peek().text
            if word in ECN:
                ecn = ECN[reader.take().text]
            elif word in ("tos", "ttl"):
                reader.take()
                number = reader.integer(f"a {word}")
                tos, ttl = (number, ttl) if word == "tos" else (tos, number)
            elif word == "flowlabel":
                raise Refused("an IPv6 flow label", reader.line)
            elif reader.accept(","):
                continue
            else:
                quoted = _quoted(reader)
    return ecn, tos, ttl, quoted


def _quoted(reader: Reader) -> Quoted:
    if reader.sees("udp"):
        raise Refused("an ICMP error about UDP", reader.line)
    seq, _ = _range(reader)
    return seq, _tunnel(reader)


def _tcp(reader: Reader, inbound: bool, ecn: tuple[int, ...] | None, tos: int | None, ttl: int | None) -> Packet:
    flags = _flags(reader)
    seq, size = _range(reader)
    ack = reader.integer("an acknowledgement number") if reader.accept("ack") else None
    window = reader.integer("a window") if reader.accept("win") else None
    urgent = reader.integer("an urgent pointer") if reader.accept("urg") else 0
    options = _options(reader)
    if reader.sees("["):
        raise Refused("payload that is spelled out", reader.line)
    return Packet(inbound, flags, seq, size, ack, window, options, ecn, tos, ttl, urgent, _tunnel(reader))


def _flags(reader: Reader) -> int:
    text = ""
    while reader.peek().kind == "word" or reader.peek().text in (".", "-"):
        if reader.peek().kind == "word" and text:
            break
        text += reader.take().text
    if text == "-":
        return 0
    unknown = [letter for letter in text if letter not in FLAGS]
    if not text or unknown:
        raise BadScript(reader.line, f"'{text or reader.peek().text}' are no TCP flags; flags are FSRP.UEWA")
    flags = 0
    for letter in text:
        flags |= FLAGS[letter]
    return flags


def _range(reader: Reader) -> tuple[int, int]:
    """``1:1001(1000)``: the first number and the length."""
    seq = reader.integer("a sequence number")
    reader.expect(":")
    end = reader.integer("a sequence number")
    reader.expect("(")
    size = reader.integer("a length")
    reader.expect(")")
    if (seq + size) % MAXIMUM != end % MAXIMUM:
        raise BadScript(reader.line, f"{seq}:{end} has {(end - seq) % MAXIMUM} bytes, not {size}")
    return seq, size


def _tunnel(reader: Reader) -> tuple[int, int] | None:
    """``/udp(9811 > 1)``."""
    if not reader.accept("/"):
        return None
    reader.expect("udp")
    reader.expect("(")
    src = reader.integer("a port")
    reader.expect(">")
    dst = reader.integer("a port")
    reader.expect(")")
    return src, dst


# ---- options -------------------------------------------------------------------------------------


def _options(reader: Reader) -> tuple[TcpOption, ...] | None:
    if not reader.accept("<"):
        return ()
    if reader.peek().kind == "ellipsis":
        reader.take()
        reader.expect(">")
        return None
    found: list[TcpOption] = []
    while not reader.accept(">"):
        found.append(_option(reader))
        reader.accept(",")
    return tuple(found)


def _option(reader: Reader) -> TcpOption:
    word = reader.peek().text
    if word not in OPTIONS:
        raise Refused(f"the TCP option '{word}'", reader.line)
    reader.take()
    return OPTIONS[word](reader)


def _number(kind: int, size: int) -> Callable[[Reader], TcpOption]:
    def read(reader: Reader) -> TcpOption:
        return TcpOption(kind, (reader.integer("a number") % (1 << 8 * size)).to_bytes(size, "big"))

    return read


def _bare(kind: int) -> Callable[[Reader], TcpOption]:
    return lambda reader: TcpOption(kind)


def _timestamps(reader: Reader) -> TcpOption:
    reader.expect("val")
    val = reader.integer("a timestamp")
    reader.expect("ecr")
    ecr = reader.integer("a timestamp")
    return TcpOption(tcp.TIMESTAMPS, (val % MAXIMUM).to_bytes(4, "big") + (ecr % MAXIMUM).to_bytes(4, "big"))


def _sack(reader: Reader) -> TcpOption:
    value = b""
    while reader.peek().kind == "integer":
        left = reader.integer("a sequence number")
        reader.expect(":")
        right = reader.integer("a sequence number")
        value += (left % MAXIMUM).to_bytes(4, "big") + (right % MAXIMUM).to_bytes(4, "big")
    return TcpOption(tcp.SACK, value)


def _fast_open(reader: Reader) -> TcpOption:
    token = reader.peek()
    if token.kind not in ("integer", "word", "hex") or token.text in OPTIONS:
        return TcpOption(tcp.FAST_OPEN)
    text = reader.take().text.removeprefix("0x")
    if len(text) % 2:
        raise BadScript(token.line, f"the cookie '{text}' has half a byte too many")
    try:
        return TcpOption(tcp.FAST_OPEN, bytes.fromhex(text))
    except ValueError:
        raise BadScript(token.line, f"the cookie '{text}' is not hexadecimal") from None


OPTIONS: dict[str, Callable[[Reader], TcpOption]] = {
    "mss": _number(tcp.MSS, 2),
    "wscale": _number(tcp.WINDOW_SCALE, 1),
    "nop": _bare(tcp.NOP),
    "eol": _bare(tcp.END),
    "sackOK": _bare(tcp.SACK_OK),
    "sack": _sack,
    "TS": _timestamps,
    "FO": _fast_open,
}


# ---- the others ----------------------------------------------------------------------------------


def _icmp(reader: Reader, inbound: bool, quoted: Quoted | None) -> Icmp:
    reader.take()
    kind = reader.take().text
    code = reader.take().text if reader.peek().kind == "word" and not reader.sees("mtu") else ""
    mtu = reader.integer("an MTU") if reader.accept("mtu") else 0
    if not inbound:
        raise Refused("an ICMP message that must leave", reader.line)
    if quoted is None:
        raise Refused("an ICMP message that quotes nothing", reader.line)
    return Icmp(inbound, kind, code, quoted[0], mtu, quoted[1])


def _datagram(reader: Reader, inbound: bool) -> Datagram:
    reader.take()
    reader.expect("(")
    size = reader.integer("a length")
    reader.expect(")")
    return Datagram(inbound, size)
