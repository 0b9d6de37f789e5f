"""The Toeplitz hash of receive side scaling (Microsoft: RSS hashing functions; Krawczyk, EUROCRYPT 1995).

For every bit of the input that is set, the 32 bits of the key that begin at that bit are added without carry. So the
hash is linear: h(a ^ b) = h(a) ^ h(b). It spreads flows evenly; it is no random number, and no secret.
"""

from __future__ import annotations

from netlab.wire import Octets, ipv4
from netlab.wire.decode import layers

KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
"""Microsoft's example key, for which the published values hold; many drivers have it as their default."""
SYMMETRIC_KEY = bytes.fromhex("6d5a") * 20
"""With this key both directions of a flow have one hash (Woo and Park, KAIST 2012)."""
LONGEST = 36
"""Bytes of the longest input: two IPv6 addresses and two ports."""


class Toeplitz:
    """The hash under one key of 40 bytes; ValueError for a shorter one."""

    __slots__ = ("_table", "key")

    def __init__(self, key: bytes = KEY) -> None:
        if len(key) < LONGEST + 4:
            raise ValueError(f"a key has {LONGEST + 4} bytes, and this one {len(key)}")
        self.key = key
        # By linearity, a byte's part is the sum of its bits': so 256 values for each place give a look-up a byte.
        self._table = [_byte_table(int.from_bytes(key[at : at + 5], "big")) for at in range(LONGEST)]

    def __call__(self, data: bytes) -> int:
        """32 bits for up to 36 bytes of input."""
        result = 0
        for table, octet in zip(self._table, data, strict=False):
            result ^= table[octet]
        return result


def _byte_table(window: int) -> list[int]:
    """What each value of a byte adds, for the 40 bits of the key that begin at it."""
    values = [0] * 256
    for bit in range(8):
        part = window >> (8 - bit) & 0xFFFFFFFF
        for octet in range(256):
            if octet & 0x80 >> bit:
                values[octet] ^= part
    return values


def rss_input(frame: Octets, link: str = "ethernet") -> bytes:
    """Source address, destination address and, of whole TCP and UDP packets, source and destination port.

    Empty for what is no IP packet: its hash is 0, and it goes to the first ring.
    """
    found, whole = b"", True
    for name, header, _ in layers(frame, link):
        if name in ("udp", "tcp") and found:
            return found + (header.src << 16 | header.dst).to_bytes(4, "big") if whole else found
        if name in ("ipv4", "ipv6"):
            if found:
                break
            width = 4 if name == "ipv4" else 16
            found = header.src.to_bytes(width, "big") + header.dst.to_bytes(width, "big")
            whole = not (isinstance(header, ipv4.Header) and header.is_fragment)
        whole = whole and name != "ipv6.fragment"
    return found
