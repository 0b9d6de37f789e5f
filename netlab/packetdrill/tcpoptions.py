"""TCP options by name: ``<mss 1460,nop,wscale 7>``. What our TCP doesn't know of can be sent to it all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from netlab.packetdrill.around import MAXIMUM
from netlab.packetdrill.reader import Reader
from netlab.packetdrill.script import BadScript, Refused, TcpOption
from netlab.packetdrill.world import LINUX_COOKIE
from netlab.wire import tcp

MD5, ACC_ECN_0, ACC_ECN_1, EXPERIMENT = 19, 172, 174, 254
"""RFC 2385, AccECN's two orders, RFC 6994's shared kind."""
EX_FAST_OPEN, EX_ACC_ECN_0, EX_ACC_ECN_1, EX_TARR = b"\xf9\x89", b"\xac\xc0", b"\xac\xc1", b"\x00\xac"
"""The two bytes that tell experiments apart (RFC 6994)."""


class Said(NamedTuple):
    """A list of options. ``any_stamp``: our timestamp may be whatever; ``raw_echo``: its echo is the wire's own."""

    options: tuple[TcpOption, ...] | None = ()
    """None: whatever they are ("<...>")."""
    any_stamp: bool = False
    raw_echo: bool = False


def options(reader: Reader) -> Said:
    """All options, or none where no "<" stands."""
    if not reader.accept("<"):
        return Said()
    if reader.peek().kind == "ellipsis":
        reader.take()
        reader.expect(">")
        return Said(None)
    found: list[TcpOption] = []
    any_stamp = raw_echo = False
    while not reader.accept(">"):
        if reader.sees("TS"):
            option, any_stamp, raw_echo = _timestamps(reader)
            found.append(option)
        else:
            found.append(_option(reader))
        reader.accept(",")
    return Said(tuple(found), any_stamp, raw_echo)


def _option(reader: Reader) -> TcpOption:
    token = reader.peek()
    if token.kind == "end":
        raise reader.wrong("a TCP option or '>'")
    if token.text not in OPTIONS:
        raise Refused(f"the TCP option '{token.text}'", token.line)
    reader.take()
    return OPTIONS[token.text](reader)


def _timestamps(reader: Reader) -> tuple[TcpOption, bool, bool]:
    """``TS val 100 ecr 7``; ``val ...`` is whatever, ``ecr 7!`` is not translated."""
    reader.take()
    reader.expect("val")
    any_stamp = reader.peek().kind == "ellipsis"
    val = 0 if any_stamp and reader.take() else reader.integer("a timestamp")
    reader.expect("ecr")
    ecr = reader.integer("a timestamp")
    value = (val % MAXIMUM).to_bytes(4, "big") + (ecr % MAXIMUM).to_bytes(4, "big")
    return TcpOption(tcp.TIMESTAMPS, value), any_stamp, reader.accept("!")


def _number(kind: int, size: int) -> Callable[[Reader], TcpOption]:
    def read(reader: Reader) -> TcpOption:
        return TcpOption(kind, (reader.integer("a number") % (1 << 8 * size)).to_bytes(size, "big"))

    return read


def _bare(kind: int) -> Callable[[Reader], TcpOption]:
    return lambda reader: TcpOption(kind)


def _sack(reader: Reader) -> TcpOption:
    value = b""
    while reader.peek().kind == "integer":
        left = reader.integer("a sequence number")
        reader.expect(":")
        right = reader.integer("a sequence number")
        value += (left % MAXIMUM).to_bytes(4, "big") + (right % MAXIMUM).to_bytes(4, "big")
    return TcpOption(tcp.SACK, value)


def _hexadecimal(reader: Reader) -> bytes:
    """Bytes in hexadecimal without quotes; b"" where nothing of the kind stands."""
    token = reader.peek()
    if token.kind not in ("integer", "word", "hex") or token.text in OPTIONS:
        return b""
    text = COOKIES.get(reader.take().text, token.text).removeprefix("0x")
    if len(text) % 2:
        raise BadScript(token.line, f"the cookie '{text}' has half a byte too many")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadScript(token.line, f"the cookie '{text}' is not hexadecimal") from None


COOKIES = {"TFO_COOKIE": LINUX_COOKIE.hex(), "TFO_COOKIE_ZERO": "b7c12350a90dc8f5"}
"""Cookies that scripts for Linux know by name."""


def _blob(kind: int, lead: bytes = b"") -> Callable[[Reader], TcpOption]:
    return lambda reader: TcpOption(kind, lead + _hexadecimal(reader))


def _counters(kind: int, names: tuple[str, ...], lead: bytes = b"") -> Callable[[Reader], TcpOption]:
    """AccECN's byte counters, 24 bits each, in this order; those behind the last that is said are not there."""

    def read(reader: Reader) -> TcpOption:
        value = lead
        for name in names:
            if reader.accept(name):
                value += (reader.integer("a counter") % (1 << 24)).to_bytes(3, "big")
        return TcpOption(kind, value)

    return read


def _acc_ecn(reader: Reader) -> TcpOption:
    """``ECN e1b 1 ceb 0 e0b 1``: Google's spelling, in which the order of the counters tells the kind."""
    if reader.sees("e0b"):
        return _counters(ACC_ECN_0, ("e0b", "ceb", "e1b"))(reader)
    return _counters(ACC_ECN_1, ("e1b", "ceb", "e0b"))(reader)


def _rate(reader: Reader) -> TcpOption:
    """``exp-tarr 4``: the ACK rate that is asked for, 11 bits."""
    if reader.peek().kind != "integer":
        return TcpOption(EXPERIMENT, EX_TARR)
    return TcpOption(EXPERIMENT, EX_TARR + (reader.integer("a rate") << 5 & 0xFFFF).to_bytes(2, "big"))


_FORTH, _BACK = ("ee0b", "eceb", "ee1b"), ("ee1b", "eceb", "ee0b")
OPTIONS: dict[str, Callable[[Reader], TcpOption]] = {
    "mss": _number(tcp.MSS, 2),
    "wscale": _number(tcp.WINDOW_SCALE, 1),
    "nop": _bare(tcp.NOP),
    "eol": _bare(tcp.END),
    "sackOK": _bare(tcp.SACK_OK),
    "sack": _sack,
    "FO": _blob(tcp.FAST_OPEN),
    "FOEXP": _blob(EXPERIMENT, EX_FAST_OPEN),
    "exp-FO": _blob(EXPERIMENT, EX_FAST_OPEN),
    "md5": _blob(MD5),
    "ECN": _acc_ecn,
    "AccECN0": _counters(ACC_ECN_0, _FORTH),
    "AccECN1": _counters(ACC_ECN_1, _BACK),
    "exp-AccECN0": _counters(EXPERIMENT, _FORTH, EX_ACC_ECN_0),
    "exp-AccECN1": _counters(EXPERIMENT, _BACK, EX_ACC_ECN_1),
    "exp-tarr": _rate,
}
