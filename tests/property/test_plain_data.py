"""Plain data crosses unchanged, and no bytes whatever do more than be refused."""

from __future__ import annotations

from collections import namedtuple
from contextlib import suppress
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.backend.plain import MAX_DEPTH, MAX_KEYS, NotPlain, decode, encode

KEYS = st.one_of(st.none(), st.booleans(), st.integers(), st.binary(), st.text(st.characters(codec="utf-8")))
LEAVES = st.one_of(KEYS, st.floats(allow_nan=False))
PLAIN = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=30,
)


def same(a: Any, b: Any) -> bool:
    """Equal and of equal types, all the way down: True is not 1 here."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    return bool(a == b)


@given(PLAIN)
def test_what_goes_in_comes_out(value: Any) -> None:
    assert same(decode(encode(value)), value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_refused(data: bytes) -> None:
    with suppress(NotPlain):
        decode(data)


@given(PLAIN, st.data())
def test_a_value_that_is_cut_or_damaged_is_a_value_or_refused(value: Any, data: st.DataObject) -> None:
    octets = bytearray(encode(value))
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] = data.draw(st.integers(0, 255))
    for damaged in (bytes(octets), bytes(octets[:place])):
        with suppress(NotPlain):
            decode(damaged)


@given(PLAIN)
def test_bytes_left_over_are_refused(value: Any) -> None:
    with pytest.raises(NotPlain, match="1 bytes are left over"):
        decode(encode(value) + b"N")


def test_relatives_cross_as_what_they_stem_from() -> None:
    class Colour(IntEnum):
        RED = 3

    route = namedtuple("route", "prefix length")
    value = [route(1, 24), Colour.RED, bytearray(b"ab"), memoryview(b"cd")]
    assert same(decode(encode(value)), [(1, 24), 3, b"ab", b"cd"])


@pytest.mark.parametrize("value", [object(), {1, 2}, [len], {"x": 1j}, "\ud800"])
def test_what_is_not_plain_is_refused_on_the_way_out(value: object) -> None:
    with pytest.raises(NotPlain):
        encode(value)


def test_an_int_has_a_bound() -> None:
    assert decode(encode(-1 << 8_000)) == -1 << 8_000
    with pytest.raises(NotPlain):
        encode(1 << 9_000)


def test_depth_is_bounded_both_ways() -> None:
    nested: Any = 1
    for _ in range(MAX_DEPTH):
        nested = [nested]
    assert same(decode(encode(nested)), nested)
    with pytest.raises(NotPlain):
        encode([nested])
    with pytest.raises(NotPlain):
        decode(b"l\0\0\0\1" * 100_000 + b"N")


def test_a_claimed_length_costs_no_memory() -> None:
    for tag in b"bsItld":
        with pytest.raises(NotPlain):
            decode(bytes([tag]) + b"\xff\xff\xff\xff" + b"N" * 20)


def test_a_dict_that_would_cost_the_square_of_its_keys_does_not_cross() -> None:
    # every key has the hash 0: Python's modulus for the hash of a number is 2**61 - 1
    keys = [n * ((1 << 61) - 1) for n in range(MAX_KEYS + 1)]
    forged = b"d" + len(keys).to_bytes(4, "big") + b"".join(encode(key) + encode(None) for key in keys)
    with pytest.raises(NotPlain, match="too many keys"):
        decode(forged)
    with pytest.raises(NotPlain, match="a list of pairs may"):
        encode(dict.fromkeys(range(MAX_KEYS + 1)))
    assert len(decode(encode(dict.fromkeys(range(MAX_KEYS))))) == MAX_KEYS
