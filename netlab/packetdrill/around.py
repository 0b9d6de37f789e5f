"""What stands between a packet's direction and its flags: IP fields in brackets, a quoted segment, ports."""

from __future__ import annotations

from typing import Any, NamedTuple

from netlab.packetdrill.constants import DSCP
from netlab.packetdrill.reader import Reader
from netlab.packetdrill.script import BadScript, Refused

MAXIMUM = 1 << 32
ECN: dict[str, tuple[int, ...]] = {"noecn": (0,), "ect1": (1,), "ect0": (2,), "ce": (3,), "ect01": (1, 2)}


class Sequence(NamedTuple):
    """``1:1001(1000)``. ``absolute``: the number on the wire itself ("!"); ``any``: whatever it is ("...(1000)")."""

    start: int
    size: int
    absolute: bool = False
    any: bool = False


class Quoted(NamedTuple):
    """The segment of ours that an ICMP error quotes, and the UDP ports around it."""

    seq: int = 0
    udp: tuple[int, int] | None = None
    protocol: str = "tcp"


class Around(NamedTuple):
    """IP fields that are said: None where the script doesn't care."""

    ecn: tuple[int, ...] | None = None
    tos: int | None = None
    dscp: int | None = None
    ttl: int | None = None
    flow_label: int | None = None
    quoted: Quoted | None = None


def around(reader: Reader) -> Around:
    """``[ect0]``, ``(tos 0x10, ttl 64)``, ``(dscp EF, ecn ce)``, ``[1:1461(1460)]``: none, one or several."""
    found = Around()
    while reader.sees("[") or reader.sees("("):
        closing = "]" if reader.take().text == "[" else ")"
        while not reader.accept(closing):
            if not reader.accept(","):
                found = found._replace(**_field(reader))
    return found


def _field(reader: Reader) -> dict[str, Any]:
    word = reader.peek().text
    if word in ECN:
        return {"ecn": ECN[reader.take().text]}
    if word == "ecn" and reader.peek(1).text in ECN:
        reader.take()
        return {"ecn": ECN[reader.take().text]}
    if word == "dscp":
        reader.take()
        return {"dscp": _dscp(reader)}
    if word in _NUMBERS:
        reader.take()
        return {_NUMBERS[word]: reader.integer(f"the number of the {word}")}
    return {"quoted": quoted(reader)}


_NUMBERS = {"tos": "tos", "class": "tos", "ttl": "ttl", "hlim": "ttl", "flowlabel": "flow_label"}
_DSCP = {**DSCP, "VOICE_ADMIT": 44}


def _dscp(reader: Reader) -> int:
    """``dscp 0x2e`` or ``dscp EF`` (RFC 2474, 2597, 3246, 5865, 8622)."""
    token = reader.peek()
    if token.kind != "word":
        return reader.integer("a DSCP")
    if token.text not in _DSCP:
        raise BadScript(token.line, f"'{token.text}' is no DSCP; known are {', '.join(sorted(_DSCP))}")
    return _DSCP[reader.take().text]


def quoted(reader: Reader) -> Quoted:
    """What is inside the brackets of an ICMP message: ``1:1461(1460)``, ``udp (100)``."""
    word = reader.peek().text
    if reader.peek().kind == "word":
        reader.take()
        while not reader.sees("]") and reader.more:
            reader.take()
        return Quoted(protocol=word)
    return Quoted(sequence(reader).start, tunnel(reader))


def sequence(reader: Reader) -> Sequence:
    """``1:1001(1000)``, ``1:1001(1000)!`` or ``...(1000)``."""
    if reader.peek().kind == "ellipsis":
        reader.take()
        return Sequence(0, _size(reader), any=True)
    start = reader.integer("a sequence number")
    reader.expect(":")
    end = reader.integer("a sequence number")
    size = _size(reader)
    if (start + size) % MAXIMUM != end % MAXIMUM:
        raise BadScript(reader.line, f"{start}:{end} has {(end - start) % MAXIMUM} bytes, not {size}")
    return Sequence(start, size, reader.accept("!"))


def _size(reader: Reader) -> int:
    reader.expect("(")
    size = reader.integer("a length")
    reader.expect(")")
    return size


def tunnel(reader: Reader) -> tuple[int, int] | None:
    """``/udp(9811 > 1)``."""
    if not reader.accept("/"):
        return None
    if not reader.sees("udp"):
        raise Refused(f"encapsulation in '{reader.peek().text}'", reader.line)
    reader.take()
    reader.expect("(")
    found = ports(reader)
    reader.expect(")")
    return found


def ports(reader: Reader) -> tuple[int, int]:
    """``9811 > 1``: source and destination."""
    source = _port(reader)
    reader.expect(">")
    return source, _port(reader)


def _port(reader: Reader) -> int:
    line, number = reader.line, reader.integer("a port")
    if not 0 <= number < 65536:
        raise BadScript(line, f"{number} is no port; ports go from 0 to 65535")
    return number
