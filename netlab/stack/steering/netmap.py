"""Rings that a program owns, as in netmap (Rizzo: netmap: a novel framework for fast packet I/O, USENIX ATC 2012).

A slot holds the number of a buffer. To forward without a copy, a program swaps the numbers of two slots and marks both
as changed, so that the driver maps the new buffers. What a program doesn't want goes to the host rings, and with it
the host's own stack still works.
"""

from __future__ import annotations

from collections.abc import Callable

BUF_CHANGED = 1
"""NS_BUF_CHANGED: the slot holds another buffer than the driver knows of."""
BUFFER = 2048


class Slot:
    """A buffer's number, how many bytes of it are a frame, and what the driver must know."""

    __slots__ = ("buf", "flags", "length")

    def __init__(self, buf: int) -> None:
        self.buf, self.length, self.flags = buf, 0, 0


class Memory:
    """The buffers that all rings of a program share."""

    __slots__ = ("buffers", "copies")

    def __init__(self) -> None:
        self.buffers: list[bytearray] = []
        self.copies = 0
        """How many frames were written into a buffer by a processor (a device's DMA doesn't count)."""

    def more(self, n: int) -> range:
        """The numbers of ``n`` new buffers."""
        first = len(self.buffers)
        self.buffers += [bytearray(BUFFER) for _ in range(n)]
        return range(first, first + n)


class NetmapRing:
    """Slots from ``head`` up to, but without, ``tail`` are the program's; the others are the kernel's.

    On a receive ring the program's slots hold frames that have come; on a transmit ring they are free. The program
    gives slots back by moving ``head``; nothing else says so until it calls for a sync.
    """

    def __init__(self, memory: Memory, size: int, *, transmit: bool) -> None:
        self.memory, self.size = memory, size
        self.slots = [Slot(buf) for buf in memory.more(size)]
        self.mapped = [slot.buf for slot in self.slots]
        """The buffers that the device knows, by slot."""
        self.head = self._done = 0
        self.tail = size - 1 if transmit else 0

    def available(self) -> int:
        """How many slots are the program's."""
        return (self.tail - self.head) % self.size

    def frame(self, at: int) -> bytes:
        """The frame in a slot of the program's."""
        slot = self.slots[at]
        return bytes(self.memory.buffers[slot.buf][: slot.length])

    def write(self, frame: bytes) -> bool:
        """Copy a frame into the next free slot and give that to the kernel; False when there is none."""
        if not self.available():
            return False
        slot = self.slots[self.head]
        self.memory.buffers[slot.buf][: len(frame)] = frame
        self.memory.copies += 1
        slot.length = len(frame)
        self.advance()
        return True

    def advance(self) -> None:
        """Give the first of the program's slots to the kernel."""
        self.head = (self.head + 1) % self.size

    # ---- the kernel's side -----------------------------------------------------------------------

    def received(self, frame: bytes) -> bool:
        """The device writes a frame into the next slot that is its own; False when there is none."""
        if (self.tail + 1) % self.size == self._done:
            return False
        self._remap(self.tail)
        self.memory.buffers[self.mapped[self.tail]][: len(frame)] = frame
        self.slots[self.tail].length = len(frame)
        self.tail = (self.tail + 1) % self.size
        return True

    def rxsync(self) -> None:
        """NIOCRXSYNC: slots that the program gave back are the device's again."""
        while self._done != self.head:
            self._remap(self._done)
            self._done = (self._done + 1) % self.size

    def txsync(self, send: Callable[[bytes], None]) -> int:
        """NIOCTXSYNC: send what the program gave, in one go; how many frames that was."""
        count = 0
        while self._done != self.head:
            self._remap(self._done)
            slot = self.slots[self._done]
            send(bytes(self.memory.buffers[self.mapped[self._done]][: slot.length]))
            self._done = (self._done + 1) % self.size
            count += 1
        self.tail = (self._done - 1) % self.size
        return count

    def _remap(self, at: int) -> None:
        """Without the flag the device goes on with the buffer that it knows: which may be somebody else's by now."""
        slot = self.slots[at]
        if slot.flags & BUF_CHANGED:
            self.mapped[at] = slot.buf
            slot.flags &= ~BUF_CHANGED


def swap(a: Slot, b: Slot) -> None:
    """Exchange the buffers of two slots, lengths and all, and mark both: forwarding without a copy."""
    a.buf, b.buf = b.buf, a.buf
    a.length, b.length = b.length, a.length
    a.flags |= BUF_CHANGED
    b.flags |= BUF_CHANGED


def owned_twice(rings: list[NetmapRing]) -> set[int]:
    """Buffers that two slots hold or two devices know: there must be none."""
    seen: set[int] = set()
    twice: set[int] = set()
    for ring in rings:
        for buf in (slot.buf for slot in ring.slots):
            (twice if buf in seen else seen).add(buf)
    known = [buf for ring in rings for buf in ring.mapped]
    return twice | {buf for buf in known if known.count(buf) > 1}


class NetmapPort:
    """An interface in netmap mode: rings of the program, and a pair of host rings that lead to the host's stack."""

    def __init__(self, memory: Memory, *, rings: int = 1, size: int = 256) -> None:
        self.rx = [NetmapRing(memory, size, transmit=False) for _ in range(rings)]
        self.tx = [NetmapRing(memory, size, transmit=True) for _ in range(rings)]
        self.from_host = NetmapRing(memory, size, transmit=False)
        self.to_host = NetmapRing(memory, size, transmit=True)

    @property
    def all_rings(self) -> list[NetmapRing]:
        """Those of the program and those of the host."""
        return [*self.rx, *self.tx, self.from_host, self.to_host]


def forward(source: NetmapRing, choose: Callable[[bytes], NetmapRing | None]) -> tuple[int, int]:
    """Move every frame that has come to the ring that ``choose`` names, by swapping; (moved, dropped)."""
    moved = dropped = 0
    while source.available():
        target = choose(source.frame(source.head))
        if target is not None and target.available():
            swap(source.slots[source.head], target.slots[target.head])
            target.advance()
            moved += 1
        else:
            dropped += 1
        source.advance()
    return moved, dropped
