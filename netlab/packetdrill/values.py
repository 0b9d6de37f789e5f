"""Arguments and results of system calls: numbers, symbols, strings, arrays, structures."""

from __future__ import annotations

from typing import Any

from netlab.packetdrill.reader import Reader
from netlab.packetdrill.script import ANYTHING, Either, Name


def value(reader: Reader) -> Any:
    """An expression; symbols joined by "|" become `Either`."""
    parts = [_one(reader)]
    while reader.accept("|"):
        parts.append(_one(reader))
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def arguments(reader: Reader) -> tuple[Any, ...]:
    """What stands between the parentheses of a call."""
    reader.expect("(")
    return tuple(_until(reader, ")"))


def _until(reader: Reader, closing: str) -> list[Any]:
    found: list[Any] = []
    while not reader.accept(closing):
        found.append(value(reader))
        if not reader.accept(","):
            reader.expect(closing)
            break
    return found


def _one(reader: Reader) -> Any:
    token = reader.peek()
    if token.kind == "ellipsis":
        reader.take()
        return ANYTHING
    if token.kind in ("integer", "hex"):
        return reader.integer("a number")
    if token.kind == "float":
        return float(reader.take().text)
    if token.kind == "string":
        return _string(reader)
    if token.kind == "address":
        return reader.take().text
    if token.kind == "word":
        return _symbol(reader)
    return _compound(reader)


def _compound(reader: Reader) -> Any:
    if reader.accept("["):
        return _until(reader, "]")
    if reader.accept("{"):
        return _structure(reader)
    if reader.accept("("):
        inner = value(reader)
        reader.expect(")")
        return inner
    if reader.accept("-"):
        return -_one(reader)
    if reader.accept("&") or reader.accept("!"):
        return _one(reader)
    raise reader.wrong("a value")


def _string(reader: Reader) -> Any:
    text = reader.take().text[1:-1]
    if reader.peek().kind == "ellipsis":
        # "abc"...: a string and whatever follows it.
        reader.take()
        return ANYTHING
    return text.encode("latin-1", "replace").decode("unicode_escape")


def _symbol(reader: Reader) -> Any:
    name = reader.take().text
    if not reader.sees("("):
        return Name(name)
    inside = arguments(reader)
    # htons(8080), inet_addr("192.0.2.1"): the value inside says it all. sizeof(x) is what the call itself knows.
    return inside[0] if inside and name != "sizeof" else ANYTHING


def _structure(reader: Reader) -> Any:
    """``{a=1, b={…}}`` as a dict; ``{..., 1}`` or ``{1, 2}`` as a tuple; ``{...}`` as anything."""
    named: dict[str, Any] = {}
    listed: list[Any] = []
    while not reader.accept("}"):
        _member(reader, named, listed)
        if not (reader.accept(",") or reader.accept(";")):
            reader.expect("}")
            break
    if named:
        return named
    return ANYTHING if listed == [ANYTHING] else tuple(listed)


def _member(reader: Reader, named: dict[str, Any], listed: list[Any]) -> None:
    if reader.peek().kind != "word":
        listed.append(value(reader))
        return
    if reader.sees(reader.peek().text, "="):
        name = reader.take().text
        reader.expect("=")
        named[name] = value(reader)
    elif reader.sees(reader.peek().text, "(") and _names_member(reader):
        name = reader.take().text
        arguments(reader)
        reader.expect("=")
        named[name] = value(reader)
    else:
        listed.append(value(reader))


def _names_member(reader: Reader) -> bool:
    """``msg_name(...)=`` and the like: a member with a length."""
    ahead = 2
    while reader.peek(ahead).text not in (")", ""):
        ahead += 1
    return reader.peek(ahead + 1).text == "="
