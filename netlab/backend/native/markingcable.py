"""A hop before a device of the kernel that marks packets by ECN, as a queue above its threshold does, and counts."""

from __future__ import annotations

from collections import Counter
from struct import Struct
from typing import Any

from netlab.stack.drivers.api import Driver
from netlab.stack.drivers.faults import Chance
from netlab.stack.drivers.wrapper import Wrapper
from netlab.stack.offload import Places, places
from netlab.wire.checksum import internet
from netlab.wire.tcp import CWR, ECE, SYN

CE = 3
FLAGS = 13
_U16 = Struct("!H")


class MarkingCable(Wrapper):
    """Each ECN-capable packet is marked with probability ``share``, in both directions. Frames must be whole.

    ``seen`` counts for "out" and "in": marked packets with text, ECE and CWR on segments that are no SYN.
    """

    def __init__(self, inner: Driver, share: float, chance: Chance) -> None:
        super().__init__(inner)
        self._share, self._chance = share, chance
        self.seen: Counter[str] = Counter()

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """As the inner driver, with some frames marked."""
        return self.inner.transmit(self._passed(frame, "out"), queue)

    def receive(self, queue: int = 0) -> bytes | None:
        """As the inner driver, with some frames marked."""
        frame = self.inner.receive(queue)
        return frame if frame is None else self._passed(frame, "in")

    def filenos(self) -> list[int]:
        """The device's."""
        inner: Any = self.inner
        found: list[int] = inner.filenos()
        return found

    def _passed(self, frame: bytes, way: str) -> bytes:
        at = places(frame)
        if at is None:
            return frame
        flags = frame[at.l4 + FLAGS]
        if not flags & SYN:
            self.seen[f"{way} ECE"] += bool(flags & ECE)
            self.seen[f"{way} CWR"] += bool(flags & CWR)
        if not capable(frame, at) or not self._chance.chance(self._share):
            return frame
        self.seen[f"{way} marked"] += 1
        return marked(frame, at)


def capable(frame: bytes, at: Places) -> bool:
    """Whether a packet is of an ECN-capable transport, and not marked yet (RFC 3168 §5)."""
    return _codepoint(frame, at) in (1, 2)


def _codepoint(frame: bytes, at: Places) -> int:
    return frame[at.l3 + 1] >> 4 & 3 if at.six else frame[at.l3 + 1] & 3


def marked(frame: bytes, at: Places) -> bytes:
    """The same with CE, and IPv4's header checksum over it."""
    made = bytearray(frame)
    made[at.l3 + 1] |= CE << 4 if at.six else CE
    if not at.six:
        _U16.pack_into(made, at.l3 + 10, 0)
        _U16.pack_into(made, at.l3 + 10, internet(bytes(made[at.l3 : at.l4])))
    return bytes(made)
