"""Filters that direct flows to rings before any hash (Flow Director, ntuple: ``ethtool -N``)."""

from __future__ import annotations

from typing import NamedTuple

from netlab.wire.flow import FiveTuple

Fields = tuple[int, ...]


class Filter(NamedTuple):
    """Packets that have all of what is not None go to ``ring``; the lowest ``priority`` wins, then the oldest."""

    ring: int
    priority: int = 0
    src: int | None = None
    dst: int | None = None
    proto: int | None = None
    src_port: int | None = None
    dst_port: int | None = None

    @property
    def wanted(self) -> tuple[int | None, ...]:
        """The five fields."""
        return tuple(self[2:])


class FilterTable:
    """Filters by which fields they look at, so that a lookup costs one probe for each such set, not for each filter."""

    __slots__ = ("_groups", "_number", "filters")

    def __init__(self) -> None:
        self.filters: dict[int, Filter] = {}
        """By the number that `add` gave."""
        self._groups: dict[Fields, dict[Fields, list[tuple[int, int]]]] = {}
        """Indices of the fields looked at -> their values -> (priority, number), sorted."""
        self._number = 0

    def add(self, filter_: Filter) -> int:
        """Take a filter; the number by which it is removed."""
        number, self._number = self._number, self._number + 1
        self.filters[number] = filter_
        used, key = _key(filter_)
        entries = self._groups.setdefault(used, {}).setdefault(key, [])
        entries.append((filter_.priority, number))
        entries.sort()
        return number

    def remove(self, number: int) -> None:
        """Give up a filter; KeyError when there is none of that number."""
        filter_ = self.filters.pop(number)
        used, key = _key(filter_)
        self._groups[used][key].remove((filter_.priority, number))
        if not self._groups[used][key]:
            del self._groups[used][key]
        if not self._groups[used]:
            del self._groups[used]

    def ring(self, flow: FiveTuple) -> int | None:
        """The ring that the first filter which fits names; None when none does."""
        best: tuple[int, int] | None = None
        for used, entries in self._groups.items():
            found = entries.get(tuple(flow[index] for index in used))
            if found and (best is None or found[0] < best):
                best = found[0]
        return None if best is None else self.filters[best[1]].ring


def _key(filter_: Filter) -> tuple[Fields, Fields]:
    used = tuple(index for index, value in enumerate(filter_.wanted) if value is not None)
    return used, tuple(value for value in filter_.wanted if value is not None)
