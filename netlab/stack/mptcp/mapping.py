"""Mappings: which bytes of a subflow are which of the stream (RFC 8684 §3.3.1)."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter

_start = attrgetter("start")


class Mapping:
    """Bytes ``start`` to ``end`` of a subflow's sequence space; the first is ``dsn`` of the data's."""

    __slots__ = ("again", "checksum", "dsn", "end", "fin", "start")

    def __init__(self, start: int, end: int, dsn: int, checksum: int | None = None, fin: bool = False) -> None:
        self.start, self.end, self.dsn, self.checksum = start, end, dsn, checksum
        self.fin = fin
        """Whether DATA_FIN follows: the option's length, and so the checksum, counts it."""
        self.again = False
        """Whether another subflow was asked to carry it too."""

    def __len__(self) -> int:
        return self.end - self.start

    def __repr__(self) -> str:
        return f"Mapping({self.start}..{self.end} is {self.dsn})"

    @property
    def data_end(self) -> int:
        """One behind its last byte, in the data's sequence space."""
        return self.dsn + self.end - self.start


class Mappings:
    """Mappings of one direction of a subflow, in order, none overlapping another."""

    __slots__ = ("all",)

    def __init__(self) -> None:
        self.all: list[Mapping] = []

    def add(self, mapping: Mapping) -> bool:
        """Keep one; False when it contradicts one that is known. The same again is no news, a longer one is."""
        at = bisect_right(self.all, mapping.start, key=_start)
        before = self.all[at - 1] if at else None
        if before is not None and before.end > mapping.start:
            if before.dsn - before.start != mapping.dsn - mapping.start:
                return False
            before.end = max(before.end, mapping.end)
            return True
        if at < len(self.all) and self.all[at].start < mapping.end:
            return False
        self.all.insert(at, mapping)
        return True

    def covering(self, seq: int) -> Mapping | None:
        """The mapping that ``seq`` lies in."""
        at = bisect_right(self.all, seq, key=_start)
        if at and self.all[at - 1].end > seq:
            return self.all[at - 1]
        return None

    def forget(self, seq: int, dsn: int) -> None:
        """Drop those that lie below ``seq`` and below ``dsn``, from the front on."""
        kept = self.all
        n = 0
        while n < len(kept) and kept[n].end <= seq and kept[n].data_end <= dsn:
            n += 1
        del kept[:n]
