"""Segments that came before their turn (RFC 9293 §3.10.7.4), and what they are told as in SACK (RFC 2018)."""

from __future__ import annotations


class Run:
    """Bytes without a gap, from ``start``; ``serial`` grows with every arrival."""

    __slots__ = ("data", "serial", "start")

    def __init__(self, start: int, data: bytearray, serial: int) -> None:
        self.start, self.data, self.serial = start, data, serial

    @property
    def end(self) -> int:
        """One behind the last byte."""
        return self.start + len(self.data)


class Reassembly:
    """Runs in order of sequence, none touching another."""

    __slots__ = ("_serial", "runs")

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._serial = 0

    def add(self, start: int, data: bytes) -> None:
        """Keep bytes; what is held already wins over what comes later, so a byte never changes."""
        self._serial += 1
        run = Run(start, bytearray(data), self._serial)
        kept: list[Run] = []
        for other in self.runs:
            if other.end < run.start or other.start > run.end:
                kept.append(other)
            else:
                run = self._joined(other, run)
        kept.append(run)
        kept.sort(key=_start)
        self.runs = kept

    def _joined(self, old: Run, new: Run) -> Run:
        head = new.data[: max(0, old.start - new.start)]
        tail = new.data[max(0, old.end - new.start) :]
        return Run(min(old.start, new.start), head + old.data + tail, self._serial)

    def take(self, expected: int) -> bytes:
        """Remove and return what now follows in order at ``expected``; what came twice meanwhile is forgotten."""
        while self.runs and self.runs[0].end <= expected:
            self.runs.pop(0)
        if not self.runs or self.runs[0].start > expected:
            return b""
        run = self.runs.pop(0)
        return bytes(run.data[expected - run.start :])

    def holds(self, start: int, end: int) -> tuple[int, int] | None:
        """The part of ``start``..``end`` that is held already, where it is one piece at the front or the whole."""
        for run in self.runs:
            left, right = max(run.start, start), min(run.end, end)
            if left < right:
                return left, right
        return None

    def blocks(self) -> list[tuple[int, int]]:
        """(left edge, right edge) of each run, the one that changed last first (RFC 2018 §4)."""
        return [(run.start, run.end) for run in sorted(self.runs, key=_serial, reverse=True)]

    def __len__(self) -> int:
        """How many bytes are held."""
        return sum(len(run.data) for run in self.runs)


def _start(run: Run) -> int:
    return run.start


def _serial(run: Run) -> int:
    return run.serial
