"""A bad cable: frames are lost, doubled, overtaken, spoilt and late, by chance that is handed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from netlab.stack.drivers.api import Driver
from netlab.stack.drivers.wrapper import Wrapper


class Chance(Protocol):
    """Where random numbers come from; a named stream of `netlab.sim.rng` is one."""

    def chance(self, probability: float) -> bool: ...

    def below(self, n: int) -> int: ...


@dataclass(frozen=True)
class Faults:
    """Probabilities from 0 to 1, for each frame on its own; times in ns. ValueError for what can be no probability."""

    loss: float = 0.0
    duplicate: float = 0.0
    """It comes twice."""
    reorder: float = 0.0
    """It is held for ``reorder_by``, so that later ones overtake it."""
    corrupt: float = 0.0
    """One of its bits is turned over."""
    delay: int = 0
    """What every frame is late by."""
    jitter: int = 0
    """What it may be later still: anything below this. Frames may overtake each other."""
    reorder_by: int = 1_000_000

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder", "corrupt"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"Faults({name}={getattr(self, name)}): a probability is from 0 to 1")
        for name in ("delay", "jitter", "reorder_by"):
            if getattr(self, name) < 0:
                raise ValueError(f"Faults({name}={getattr(self, name)}): a time is not negative")


class Injector:
    """Decides what becomes of each frame. Its numbers are drawn in the order of the frames."""

    __slots__ = ("_chance", "faults")

    def __init__(self, faults: Faults, chance: Chance) -> None:
        self.faults, self._chance = faults, chance

    def fate(self, frame: bytes) -> list[tuple[int, bytes]]:
        """What comes out, as (ns late, frame): nothing when it is lost."""
        faults, chance = self.faults, self._chance
        if faults.loss and chance.chance(faults.loss):
            return []
        twice = faults.duplicate and chance.chance(faults.duplicate)
        return [self._one(frame) for _ in range(2 if twice else 1)]

    def _one(self, frame: bytes) -> tuple[int, bytes]:
        faults, chance = self.faults, self._chance
        late = faults.delay + (chance.below(faults.jitter) if faults.jitter else 0)
        if faults.reorder and chance.chance(faults.reorder):
            late += faults.reorder_by
        if faults.corrupt and frame and chance.chance(faults.corrupt):
            frame = _spoilt(frame, chance.below(len(frame) * 8))
        return late, frame


def _spoilt(frame: bytes, bit: int) -> bytes:
    at = bit >> 3
    return frame[:at] + bytes((frame[at] ^ (1 << (bit & 7)),)) + frame[at + 1 :]


class Faulty(Wrapper):
    """A driver behind a bad cable, in the direction of sending. ``clock`` gives ns; what is late is sent by `run`."""

    def __init__(self, inner: Driver, faults: Faults, chance: Chance, clock: Callable[[], int]) -> None:
        super().__init__(inner)
        self._injector, self._clock = Injector(faults, chance), clock
        self._late: list[tuple[int, int, bytes, int]] = []
        self._now: deque[tuple[bytes, int]] = deque()
        self._numbers = count()
        self._running = False

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """True also for a frame that is then lost: a cable tells nobody. False while the driver has no room."""
        self.run()
        if self._now or not self._running:
            return False
        now, copies = self._clock(), self._injector.fate(frame)
        if len(copies) == 1 and not copies[0][0]:
            return self.inner.transmit(copies[0][1], queue)
        for late, copy in copies:
            if late:
                heappush(self._late, (now + late, next(self._numbers), copy, queue))
            else:
                self._now.append((copy, queue))
        self._send()
        return True

    def receive(self, queue: int = 0) -> bytes | None:
        """As the inner driver; what is due to be sent goes meanwhile."""
        self.run()
        return self.inner.receive(queue)

    def due(self) -> int | None:
        """When the next late frame is to be sent, None when there is none."""
        return self._late[0][0] if self._late else None

    def run(self) -> None:
        """Send what is due."""
        while self._late and self._late[0][0] <= self._clock():
            _, _, frame, queue = heappop(self._late)
            self._now.append((frame, queue))
        self._send()

    def _send(self) -> None:
        while self._now and self.inner.transmit(*self._now[0]):
            self._now.popleft()

    def up(self) -> None:
        """As the inner driver."""
        self._running = True
        self.inner.up()

    def down(self) -> None:
        """What was on its way is lost."""
        self._stop()
        self.inner.down()

    def close(self) -> None:
        """What was on its way is lost."""
        self._stop()
        self.inner.close()

    def _stop(self) -> None:
        self._running = False
        self._late.clear()
        self._now.clear()
