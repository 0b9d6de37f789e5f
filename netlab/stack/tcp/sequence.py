"""Sequence numbers (RFC 9293 §3.4).

On the wire they wrap at 2**32. Inside a connection they don't: each is held as an unbounded int, so that plain
comparison is right. `unwrap` turns one into the other: a wire number means the int nearest to one that is known.
"""

from __future__ import annotations

from typing import Final

WRAP: Final = 1 << 32
_HALF: Final = 1 << 31


def unwrap(near: int, number: int) -> int:
    """The int that is ``number`` modulo 2**32 and within 2**31 of ``near``."""
    return near + ((number - near + _HALF) % WRAP) - _HALF


def wire(number: int) -> int:
    """What stands in a header for ``number``."""
    return number % WRAP
