"""Plain data as bytes and back: all that may cross between netlab and a student's code.

Plain means None, bool, int, float, bytes, str, and tuples, lists and dicts of those. A named tuple crosses as a tuple.
`decode` survives any bytes: it gives a value or raises `NotPlain`, and builds nothing bigger than its input warrants.

This module imports nothing of netlab, because its text is also sent into the sandbox (see `netlab.grade.child`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 32
MAX_INT_BYTES = 1024
"""So that any int that has crossed can also be printed: Python refuses more than 4300 digits."""
MAX_KEYS = 1024
"""Of one dict: keys made to have one hash cost the square of their number, in our process."""

_LONG = struct.Struct(">q")
_DOUBLE = struct.Struct(">d")
_SIZE = struct.Struct(">I")

_Out = Callable[[bytes], None]


class NotPlain(ValueError):
    """A value that is no plain data, or bytes that stand for none."""


# ---- value -> bytes -------------------------------------------------------------------------------


def encode(value: object) -> bytes:
    """The value as bytes; NotPlain names the first thing in it that cannot cross."""
    parts: list[bytes] = []
    _put(value, parts.append, 0)
    return b"".join(parts)


def _put(value: Any, out: _Out, depth: int) -> None:
    kind = type(value)
    write = _WRITERS.get(kind)
    if write is None:
        write = next((w for base, w in _BASES if isinstance(value, base)), None)
        if write is None:
            raise NotPlain(
                f"a value of type {kind.__name__} is not bytes, int, float, str, bool, None, tuple, list or dict"
            )
    write(value, out, depth)


def _put_none(value: object, out: _Out, depth: int) -> None:
    out(b"N")


def _put_bool(value: object, out: _Out, depth: int) -> None:
    out(b"T" if value else b"F")


def _put_int(value: int, out: _Out, depth: int) -> None:
    if -(1 << 63) <= value < 1 << 63:
        out(b"i" + _LONG.pack(value))
        return
    size = value.bit_length() // 8 + 1
    if size > MAX_INT_BYTES:
        raise NotPlain(f"an int of {size} bytes is too big to cross (limit {MAX_INT_BYTES})")
    out(b"I" + _SIZE.pack(size) + value.to_bytes(size, "big", signed=True))


def _put_float(value: float, out: _Out, depth: int) -> None:
    out(b"f" + _DOUBLE.pack(value))


def _put_bytes(value: bytes, out: _Out, depth: int) -> None:
    octets = bytes(value)
    out(b"b" + _SIZE.pack(len(octets)))
    out(octets)


def _put_str(value: str, out: _Out, depth: int) -> None:
    try:
        octets = value.encode()
    except UnicodeEncodeError as error:
        raise NotPlain("a str with half a surrogate pair cannot cross") from error
    out(b"s" + _SIZE.pack(len(octets)))
    out(octets)


def _put_items(tag: bytes) -> Callable[[Any, _Out, int], None]:
    def put(value: Any, out: _Out, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise NotPlain(f"data nested more than {MAX_DEPTH} deep cannot cross")
        out(tag + _SIZE.pack(len(value)))
        for item in value:
            _put(item, out, depth + 1)

    return put


def _put_dict(value: dict[Any, Any], out: _Out, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise NotPlain(f"data nested more than {MAX_DEPTH} deep cannot cross")
    if len(value) > MAX_KEYS:
        raise NotPlain(f"a dict of {len(value)} keys is too big to cross (limit {MAX_KEYS}); a list of pairs may")
    out(b"d" + _SIZE.pack(len(value)))
    for key, item in value.items():
        _put(key, out, depth + 1)
        _put(item, out, depth + 1)


_put_tuple, _put_list = _put_items(b"t"), _put_items(b"l")

_WRITERS: dict[type, Callable[[Any, _Out, int], None]] = {
    type(None): _put_none,
    bool: _put_bool,
    int: _put_int,
    float: _put_float,
    bytes: _put_bytes,
    str: _put_str,
    tuple: _put_tuple,
    list: _put_list,
    dict: _put_dict,
}

_BASES: tuple[tuple[Any, Callable[[Any, _Out, int], None]], ...] = (
    (tuple, _put_tuple),
    ((bytes, bytearray, memoryview), _put_bytes),
    (int, _put_int),
    (str, _put_str),
    (float, _put_float),
    (list, _put_list),
    (dict, _put_dict),
)
"""What a subclass crosses as: a named tuple as its tuple, an IntEnum as its int, a bytearray as bytes."""


# ---- bytes -> value -------------------------------------------------------------------------------


def decode(data: bytes) -> Any:
    """The value that the bytes stand for, all of them; NotPlain for any others."""
    try:
        value, end = _get(data, 0, 0)
    except (struct.error, IndexError, KeyError, UnicodeDecodeError, TypeError) as error:
        raise NotPlain(f"these bytes stand for no plain data ({type(error).__name__})") from error
    if end != len(data):
        raise NotPlain(f"{len(data) - end} bytes are left over behind the value")
    return value


def _get(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    return _READERS[data[at]](data, at + 1, depth)


def _get_long(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    return _LONG.unpack_from(data, at)[0], at + 8


def _get_double(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    return _DOUBLE.unpack_from(data, at)[0], at + 8


def _octets(data: bytes, at: int) -> tuple[bytes, int]:
    start = at + 4
    end = start + _SIZE.unpack_from(data, at)[0]
    if end > len(data):
        raise NotPlain("a length points past the end")
    return data[start:end], end


def _get_big(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    octets, end = _octets(data, at)
    if len(octets) > MAX_INT_BYTES:
        raise NotPlain("an int is too big")
    return int.from_bytes(octets, "big", signed=True), end


def _get_str(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    octets, end = _octets(data, at)
    return octets.decode(), end


def _items(data: bytes, at: int, depth: int, each: int) -> tuple[list[Any], int]:
    count = _SIZE.unpack_from(data, at)[0] * each
    at += 4
    if count > len(data) - at or depth >= MAX_DEPTH:
        raise NotPlain("a collection is longer or deeper than its bytes allow")
    items = []
    for _ in range(count):
        item, at = _READERS[data[at]](data, at + 1, depth + 1)
        items.append(item)
    return items, at


def _get_tuple(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    items, at = _items(data, at, depth, 1)
    return tuple(items), at


def _get_list(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    return _items(data, at, depth, 1)


def _get_dict(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if _SIZE.unpack_from(data, at)[0] > MAX_KEYS:
        raise NotPlain("a dict has too many keys")
    items, at = _items(data, at, depth, 2)
    return dict(zip(items[::2], items[1::2], strict=True)), at


_READERS: dict[int, Callable[[bytes, int, int], tuple[Any, int]]] = {
    ord("N"): lambda data, at, depth: (None, at),
    ord("T"): lambda data, at, depth: (True, at),
    ord("F"): lambda data, at, depth: (False, at),
    ord("i"): _get_long,
    ord("I"): _get_big,
    ord("f"): _get_double,
    ord("b"): lambda data, at, depth: _octets(data, at),
    ord("s"): _get_str,
    ord("t"): _get_tuple,
    ord("l"): _get_list,
    ord("d"): _get_dict,
}
