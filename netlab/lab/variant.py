"""A student's own variant of a lab: numbers drawn from (lab, student, secret), the same in every process.

    numbers = stream("01-packet-path", "ada", secret, "variant")
    numbers.randrange(100)

Streams of different purpose don't know each other: a number more in one shifts nothing in another.
"""

from __future__ import annotations

import hmac
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netlab.lab.lab import Lab

PUBLIC = b"netlab: every student may know this"
"""The secret of the visible checks, which is none."""

Variant = Mapping[str, Any]
"""A lab's parameters by name: addresses, sizes, faults."""


def stream(lab: str, student: str, secret: bytes, purpose: str) -> random.Random:
    """A generator that depends on the four alone. Without the secret its numbers can't be foretold."""
    fields = (lab.encode(), student.encode(errors="surrogateescape"), purpose.encode())
    message = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return random.Random(int.from_bytes(hmac.digest(secret, message, "sha256"), "big"))


def variant(lab: Lab, student: str = "", secret: bytes = PUBLIC) -> Variant:
    """The lab's parameters for this student; with the public secret those of the visible checks."""
    return MappingProxyType(dict(lab.variant(stream(lab.slug, student, secret, "variant"))))


def hidden_seeds(lab: str, student: str, secret: bytes, count: int) -> tuple[int, ...]:
    """The seeds of the hidden checks."""
    numbers = stream(lab, student, secret, "seeds")
    return tuple(numbers.randrange(1, 1 << 31) for _ in range(count))
