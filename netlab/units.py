"""Quantities as ints: time in nanoseconds, rates in bits a second, sizes in bytes.

A quantity is written as people write it ("10 Mbit/s", "2 ms", "1500 B", "100 packets") and held as
an int. Bits use decimal prefixes; bytes take both decimal (kB) and binary (KiB) ones.
"""

from __future__ import annotations

import re

from netlab.errors import BadInput

NS, US, MS, SEC = 1, 1_000, 1_000_000, 1_000_000_000

TIME = {"ns": NS, "us": US, "µs": US, "ms": MS, "s": SEC}
RATE = {f"{prefix}bit/s": factor for prefix, factor in (("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9))}
SIZE = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
PACKETS = {"packets": 1, "packet": 1}

_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-zµ/%]+)\s*")


def parse(text: object, table: dict[str, int], what: str) -> int:
    """The int that ``text`` ("2 ms") stands for; BadInput names the units that would be right."""
    match = _QUANTITY.fullmatch(str(text))
    units = ", ".join(table)
    if match is None:
        raise BadInput(f"{what} '{text}' is not a number with a unit", right=f"units are {units}")
    number, unit = match.groups()
    if unit not in table:
        raise BadInput(f"{what} '{text}' has the unknown unit '{unit}'", right=f"units are {units}")
    return round(float(number) * table[unit])


def parse_time(text: object, what: str = "time") -> int:
    """Nanoseconds from "2 ms"."""
    return parse(text, TIME, what)


def parse_rate(text: object, what: str = "rate") -> int:
    """Bits a second from "10 Mbit/s"."""
    return parse(text, RATE, what)


def parse_size(text: object, what: str = "size") -> int:
    """Bytes from "1500 B"."""
    return parse(text, SIZE, what)


def format_time(ns: int) -> str:
    """Nanoseconds as people say them, to three digits: 1_500_000 is "1.5 ms"."""
    for unit, factor in (("s", SEC), ("ms", MS), ("µs", US)):
        if abs(ns) >= factor:
            return f"{ns / factor:.3g} {unit}" if abs(ns) < 1000 * factor else f"{ns // factor} {unit}"
    return f"{ns} ns"


def format_rate(bits: int) -> str:
    """Bits a second as people say them: 10_000_000 is "10 Mbit/s"."""
    for unit, factor in (("Gbit/s", 10**9), ("Mbit/s", 10**6), ("kbit/s", 10**3)):
        if bits >= factor:
            return f"{bits / factor:.4g} {unit}"
    return f"{bits} bit/s"
