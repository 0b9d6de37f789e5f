"""Where a packet's headers begin, as long as that is known.

A layer's place follows from the bytes in front of it. So whatever changes those makes the place unknown, unless it
says what it did: a stale offset is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable

LAYERS = ("l2", "l3", "l4")


class Layers:
    """``l2``, ``l3``, ``l4``: offsets from the packet's first byte; None while unknown."""

    __slots__ = LAYERS

    def __init__(self, l2: int | None = None, l3: int | None = None, l4: int | None = None) -> None:
        self.l2, self.l3, self.l4 = l2, l3, l4

    def __repr__(self) -> str:
        return f"Layers(l2={self.l2}, l3={self.l3}, l4={self.l4})"

    def copy(self) -> Layers:
        """The same places, to go their own way."""
        return Layers(self.l2, self.l3, self.l4)

    def prepended(self, n: int, layer: str = "") -> None:
        """``n`` bytes came in front: that layer's header, behind which the higher layers stay; else all is unknown."""
        above = LAYERS[LAYERS.index(layer) + 1 :] if layer else ()
        for name in LAYERS:
            place = getattr(self, name)
            setattr(self, name, place + n if name in above and place is not None else None)
        if layer:
            setattr(self, layer, 0)

    def trimmed(self, n: int) -> None:
        """``n`` bytes went at the front, and the headers that began in them."""
        self._each(lambda place: place - n if place >= n else None)

    def cut(self, length: int) -> None:
        """The packet is ``length`` bytes long now."""
        self._each(lambda place: place if place < length else None)

    def written(self, offset: int) -> None:
        """Bytes from ``offset`` on changed: what begins behind them may begin elsewhere."""
        self._each(lambda place: place if place <= offset else None)

    def _each(self, moved: Callable[[int], int | None]) -> None:
        for name in LAYERS:
            place = getattr(self, name)
            if place is not None:
                setattr(self, name, moved(place))
