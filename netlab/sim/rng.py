"""Random numbers from named streams: a new consumer shifts nobody else's numbers.

A stream is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014), seeded by
SHA-256 of the seed and the stream's names. It is ours so that a trace does not depend on a Python release.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1


class Stream:
    """An endless sequence of numbers that only its names and the seed decide."""

    __slots__ = ("_state",)

    def __init__(self, state: int) -> None:
        self._state = state & _MASK

    def bits64(self) -> int:
        """The next 64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def random(self) -> float:
        """A float in [0, 1)."""
        return (self.bits64() >> 11) * (1.0 / (1 << 53))

    def below(self, n: int) -> int:
        """An int in [0, n); ValueError unless n is positive."""
        if n <= 0:
            raise ValueError(f"below({n}): there is no such number")
        return (self.bits64() * n) >> 64

    def between(self, low: int, high: int) -> int:
        """An int in [low, high], both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self.random() < probability

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def shuffle(self, items: list[T]) -> None:
        """Put the items in a random order, in place (Fisher and Yates)."""
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]


class Streams:
    """The streams of one run. Asking twice for the same names gives the same stream object."""

    def __init__(self, seed: int | str) -> None:
        self.seed = seed
        self._streams: dict[tuple[str, ...], Stream] = {}

    def stream(self, *names: str) -> Stream:
        """The stream of these names."""
        if names not in self._streams:
            digest = hashlib.sha256("\x1f".join((str(self.seed), *names)).encode()).digest()
            self._streams[names] = Stream(int.from_bytes(digest[:8], "big"))
        return self._streams[names]
