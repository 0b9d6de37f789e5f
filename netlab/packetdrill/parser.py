"""A script's text to `Script`."""

from __future__ import annotations

from collections.abc import Mapping

from netlab.packetdrill.packets import packet
from netlab.packetdrill.reader import Reader
from netlab.packetdrill.script import (
    ANYTHING,
    Action,
    BadScript,
    Call,
    Code,
    Command,
    Datagram,
    Event,
    Icmp,
    Packet,
    Script,
    Time,
)
from netlab.packetdrill.values import arguments, value

SECOND = 1_000_000_000
_NOW = Time("relative")


def parse(text: str, name: str = "script", defines: Mapping[str, str] | None = None) -> Script:
    """BadScript for what is no script, Refused for what can be no part of one here.

    ``defines``: word -> what it stands for, as on a command line; the script's own ``--define`` wins.
    """
    reader = Reader(text)
    own: dict[str, str] = {}
    options = _options(reader, own)
    reader.substitute({**(defines or {}), **own})
    before: list[Event] = []
    while reader.peek().kind == "command":
        before.append(_event(reader, _NOW))
    events: list[Event] = []
    while reader.more:
        events.append(_event(reader, _time(reader)))
    return Script(name, options, tuple(before), tuple(events))


def _options(reader: Reader, defines: dict[str, str]) -> dict[str, str]:
    """``--ip_version=ipv4`` and the like; ``--define=WORD=VALUE`` goes into ``defines``."""
    found: dict[str, str] = {}
    while reader.peek().kind == "option":
        name = reader.take().text[2:]
        found[name] = ""
        if reader.accept("="):
            start = end = reader.take()
            # The value ends where white space does: 192.168.0.1/24, 0.5, ipv4-mapped-ipv6, a string.
            while reader.more and reader.peek().at == end.end:
                end = reader.take()
            found[name] = reader.text[start.at : end.end].strip('"')
        if name == "define":
            word, _, value = found.pop(name).partition("=")
            defines[word] = value
    return found


# ---- times ---------------------------------------------------------------------------------------


def _time(reader: Reader) -> Time:
    if reader.accept("*"):
        return Time("any")
    relative = reader.accept("+")
    if not relative and reader.peek().kind not in ("integer", "float"):
        # An event without a time follows at once.
        return _NOW
    line = reader.line
    start = end = _seconds(reader)
    if reader.accept("~"):
        reader.accept("+")
        end = _seconds(reader)
        if end < start:
            raise BadScript(line, f"the time range ends before it begins ({start / SECOND:g} to {end / SECOND:g} s)")
    return Time("relative" if relative else "absolute", start, end)


def _seconds(reader: Reader) -> int:
    token = reader.take()
    if token.kind not in ("integer", "float"):
        raise BadScript(token.line, f"a time in seconds is wanted here, not '{token.text}'")
    if token.text.startswith("-"):
        raise BadScript(token.line, f"{token.text} s is before the start; times are not negative")
    return round(float(token.text) * SECOND)


# ---- events --------------------------------------------------------------------------------------


def _event(reader: Reader, time: Time) -> Event:
    first = reader.peek()
    if first.kind == "end":
        raise reader.wrong("an event")
    action = _action(reader)
    _fits(first.line, time, action)
    end = reader.peek(-1).end
    return Event(first.line, time, action, " ".join(reader.text[first.at : end].split()))


def _fits(line: int, time: Time, action: Action) -> None:
    """Only what our TCP does can come at some time or other: what the script does itself has one time."""
    leaves = isinstance(action, Packet | Icmp | Datagram) and not action.inbound
    if not leaves and (time.kind == "any" or time.start != time.end):
        raise BadScript(line, "'*' and a range of times are for packets that leave; give one time")


def _action(reader: Reader) -> Action:
    token = reader.peek()
    if token.text in ("<", ">"):
        return packet(reader)
    if token.kind == "command":
        return Command(reader.take().text[1:-1])
    if token.kind == "code":
        return Code(reader.take().text[2:-2].strip())
    return _call(reader)


def _call(reader: Reader) -> Call:
    ends: int | None = None
    if reader.peek().kind == "ellipsis":
        reader.take()
        reader.accept("+")
        ends = _seconds(reader)
    token = reader.take()
    if token.kind != "word":
        raise BadScript(token.line, f"'{token.text}' begins no event: a packet, a call, a command or code does")
    args = arguments(reader)
    if not reader.accept("="):
        return Call(token.text, args, ANYTHING, "", ends)
    result = value(reader)
    errno = ""
    if reader.peek().kind == "word" and reader.peek().text.isupper() and reader.peek().text.startswith("E"):
        errno = reader.take().text
    _note(reader)
    return Call(token.text, args, result, errno, ends)


def _note(reader: Reader) -> None:
    """``(Operation now in progress)``: words for the reader."""
    if reader.accept("("):
        while reader.more and not reader.accept(")"):
            reader.take()
