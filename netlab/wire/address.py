"""Addresses: text for people, ints (IPv4, IPv6) and 6 bytes (MAC) for everything else.

Text that is no address raises `BadInput` with a sentence; numbers are formatted without looking at their range.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from netlab.errors import BadInput

BROADCAST = b"\xff" * 6
NO_MAC = bytes(6)

_DECIMAL = tuple(str(n) for n in range(256))
_MAC = re.compile(r"[0-9a-fA-F]{1,2}([:-])[0-9a-fA-F]{1,2}(?:\1[0-9a-fA-F]{1,2}){4}")
_GROUP = re.compile(r"[0-9a-fA-F]{1,4}")
_ALL4 = (1 << 32) - 1
_ALL6 = (1 << 128) - 1


def parse_mac(text: str) -> bytes:
    """6 bytes from "02:00:00:00:00:01" (or with dashes)."""
    if _MAC.fullmatch(text) is None:
        raise BadInput(f"'{text}' is no MAC address", right="write six pairs of hex digits, like 02:00:00:00:00:01")
    return bytes(int(part, 16) for part in text.replace("-", ":").split(":"))


def format_mac(mac: bytes) -> str:
    """The text of a MAC address, like "02:00:00:00:00:01"."""
    return mac.hex(":")


def parse_ipv4(text: str) -> int:
    """An int from "10.0.1.1". A part with a leading zero is refused: some programs would read it as octal."""
    parts = text.split(".")
    if len(parts) != 4 or not all(part in _DECIMAL_SET for part in parts):
        raise BadInput(f"'{text}' is no IPv4 address", right="write four numbers from 0 to 255, like 10.0.1.1")
    a, b, c, d = map(int, parts)
    return a << 24 | b << 16 | c << 8 | d


_DECIMAL_SET = frozenset(_DECIMAL)


def format_ipv4(address: int) -> str:
    """The text of an IPv4 address, like "10.0.1.1"."""
    text = _DECIMAL
    return f"{text[address >> 24]}.{text[address >> 16 & 255]}.{text[address >> 8 & 255]}.{text[address & 255]}"


def parse_ipv6(text: str) -> int:
    """An int from "fd00::1"; the last 32 bits may be written as an IPv4 address (RFC 4291 §2.2)."""
    head, gap, tail = text.partition("::")
    front, back = _groups(head, last=not gap), _groups(tail, last=True)
    if front is None or back is None or "::" in tail:
        raise _bad_ipv6(text)
    missing = 8 - len(front) - len(back)
    if missing < 1 if gap else missing != 0:
        raise _bad_ipv6(text)
    number = 0
    for group in (*front, *[0] * missing, *back):
        number = number << 16 | group
    return number


def _groups(text: str, *, last: bool) -> list[int] | None:
    """The 16-bit groups of one side of "::"; None when one of them is none."""
    if not text:
        return []
    parts = text.split(":")
    groups: list[int] = []
    if last and "." in parts[-1]:
        try:
            four = parse_ipv4(parts.pop())
        except BadInput:
            return None
        groups = [four >> 16, four & 0xFFFF]
    if not all(_GROUP.fullmatch(part) for part in parts):
        return None
    return [int(part, 16) for part in parts] + groups


def _bad_ipv6(text: str) -> BadInput:
    return BadInput(f"'{text}' is no IPv6 address", right="write up to eight groups of hex digits, like fd00::1")


def format_ipv6(address: int) -> str:
    """The text of an IPv6 address, like "fd00::1": RFC 5952 §4, so the first longest run of zero groups is cut."""
    if address >> 32 == 0xFFFF:
        return "::ffff:" + format_ipv4(address & _ALL4)
    groups = [address >> shift & 0xFFFF for shift in range(112, -1, -16)]
    start, length = _longest_zero_run(groups)
    text = [f"{group:x}" for group in groups]
    if length < 2:
        return ":".join(text)
    return ":".join(text[:start]) + "::" + ":".join(text[start + length :])


def _longest_zero_run(groups: list[int]) -> tuple[int, int]:
    """(start, length) of the first longest run of zero groups."""
    best = (0, 0)
    start = 0
    for i, group in enumerate(groups):
        if group:
            start = i + 1
        elif i + 1 - start > best[1]:
            best = (start, i + 1 - start)
    return best


class Cidr(NamedTuple):
    """An address with its prefix length: ``version`` is 4 or 6."""

    version: int
    address: int
    length: int

    @property
    def network(self) -> int:
        """The address with all host bits cleared."""
        return self.address & (mask4(self.length) if self.version == 4 else mask6(self.length))

    @property
    def broadcast(self) -> int:
        """The address with all host bits set."""
        return self.address | (~mask4(self.length) & _ALL4 if self.version == 4 else ~mask6(self.length) & _ALL6)

    def __contains__(self, address: object) -> bool:
        """Whether an int of the same version lies in the prefix."""
        width = 32 if self.version == 4 else 128
        return isinstance(address, int) and not (address ^ self.address) >> (width - self.length)

    def __str__(self) -> str:
        text = format_ipv4 if self.version == 4 else format_ipv6
        return f"{text(self.address)}/{self.length}"


def parse_cidr(text: str) -> Cidr:
    """The parts of "10.0.1.1/24" or "fd00::1/64"; without a length it is one address (/32 or /128)."""
    head, slash, tail = text.partition("/")
    version, width, parse = (6, 128, parse_ipv6) if ":" in head else (4, 32, parse_ipv4)
    if slash and not (tail.isascii() and tail.isdigit() and int(tail) <= width):
        raise BadInput(f"'{text}' has no prefix length", right=f"write an address, a slash and a number up to {width}")
    return Cidr(version, parse(head), int(tail) if slash else width)


def mask4(length: int) -> int:
    """The IPv4 netmask with ``length`` leading ones."""
    return _ALL4 ^ (_ALL4 >> length)


def mask6(length: int) -> int:
    """The IPv6 netmask with ``length`` leading ones."""
    return _ALL6 ^ (_ALL6 >> length)


def is_multicast4(address: int) -> bool:
    """224.0.0.0/4 (RFC 5771)."""
    return address >> 28 == 0xE


def is_multicast6(address: int) -> bool:
    """ff00::/8 (RFC 4291 §2.7)."""
    return address >> 120 == 0xFF


def is_group_mac(mac: bytes) -> bool:
    """Whether a MAC address is broadcast or multicast (its first byte's lowest bit)."""
    return bool(mac[0] & 1)


def multicast_mac4(address: int) -> bytes:
    """The group's MAC: 01:00:5e and its low 23 bits (RFC 1112 §6.4)."""
    return (0x01005E000000 | address & 0x7FFFFF).to_bytes(6, "big")


def multicast_mac6(address: int) -> bytes:
    """The group's MAC: 33:33 and its low 32 bits (RFC 2464 §7)."""
    return (0x333300000000 | address & _ALL4).to_bytes(6, "big")


def link_local(mac: bytes) -> int:
    """fe80::/64 with the modified EUI-64 of a MAC address (RFC 4291 appendix A)."""
    return 0xFE80 << 112 | interface_id(mac)


def interface_id(mac: bytes) -> int:
    """The modified EUI-64 of a MAC address: ff:fe in its middle, the universal bit turned."""
    return int.from_bytes(bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:], "big")


def solicited_node(address: int) -> int:
    """ff02::1:ff00:0/104 with the low 24 bits of an address: where its neighbour solicitations go (RFC 4291 §2.7.1)."""
    return 0xFF02_0000_0000_0000_0000_0001_FF00_0000 | address & 0xFFFFFF
