"""How one interface steers: filters first, then spraying if it is on, then the hash and its table."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.stack.steering.filters import Filter, FilterTable
from netlab.stack.steering.reta import SIZE, default_table, rebalance
from netlab.stack.steering.spray import Spray
from netlab.stack.steering.toeplitz import KEY, Toeplitz, rss_input
from netlab.wire import Octets
from netlab.wire.address import format_ipv4
from netlab.wire.decode import five_tuple


class Steering:
    """``rings`` receive rings of one interface; counts what went where, by ring and by entry of the table."""

    def __init__(self, rings: int, *, key: bytes = KEY, table: Sequence[int] | None = None) -> None:
        self.rings = rings
        self.hash = Toeplitz(key)
        self.filters = FilterTable()
        self.spray: Spray | None = None
        self.by_ring = [0] * rings
        self.by_filter = 0
        self.table = default_table(rings)
        self.by_entry = [0] * len(self.table)
        if table is not None:
            self.set_table(table)

    def set_table(self, table: Sequence[int]) -> None:
        """Replace the indirection table (``ethtool -X``). ValueError for a wrong size, or a ring that is not there."""
        if not table or len(table) & (len(table) - 1) or len(table) > SIZE:
            raise ValueError(f"a table of {len(table)} entries: the number must be a power of two, at most {SIZE}")
        if not all(0 <= ring < self.rings for ring in table):
            raise ValueError(f"the table names a ring that is not one of 0 to {self.rings - 1}")
        self.table, self.by_entry = list(table), [0] * len(table)

    def direct(self, filter_: Filter) -> int:
        """Take a filter (``ethtool -N``); its number. ValueError for a ring that is not there."""
        if not 0 <= filter_.ring < self.rings:
            raise ValueError(f"the filter names ring {filter_.ring}, which is not one of 0 to {self.rings - 1}")
        return self.filters.add(filter_)

    def ring(self, frame: Octets) -> int:
        """The ring of a frame."""
        ring = self._directed(frame)
        self.by_ring[ring] += 1
        return ring

    def _directed(self, frame: Octets) -> int:
        flow = five_tuple(frame) if self.filters.filters else None
        chosen = self.filters.ring(flow) if flow is not None else None
        if chosen is not None:
            self.by_filter += 1
            return chosen
        if self.spray is not None:
            return self.spray.ring()
        entry = self.hash(rss_input(frame)) & (len(self.table) - 1)
        self.by_entry[entry] += 1
        return self.table[entry]

    def rebalance(self, *, bound: float = 1.1) -> tuple[int, ...]:
        """Make the table even for what it carried since the last time; the entries that moved."""
        new = rebalance(self.table, self.by_entry, self.rings, bound=bound)
        self.set_table(new.table)
        return new.moved

    def text(self, name: str = "") -> str:
        """As ``ethtool -l``, ``-x``, ``-n`` and ``-S`` would say it, in one."""
        lines = [f"Channel parameters for {name}:", f"RX: {self.rings}", "RX flow hash indirection table:"]
        lines += [
            f"{at:5}: " + " ".join(f"{ring:5}" for ring in self.table[at : at + 8])
            for at in range(0, len(self.table), 8)
        ]
        lines += ["RSS hash key:", self.hash.key.hex(":"), f"{len(self.filters.filters)} filters"]
        for number, filter_ in self.filters.filters.items():
            lines.append(f"Filter {number}: {_words(filter_)}")
        lines.append("Statistics:")
        lines += [f"     rx_queue_{ring}_packets: {count}" for ring, count in enumerate(self.by_ring)]
        return "\n".join(lines)


def _words(filter_: Filter) -> str:
    """ "src 10.0.0.1, dst_port 80, ring 3": what it wants, then what it does."""
    given = {field: value for field, value in filter_._asdict().items() if value is not None}
    given |= {field: format_ipv4(given[field]) for field in ("src", "dst") if given.get(field, 1 << 32) >> 32 == 0}
    order = [field for field in given if field not in ("ring", "priority")] + ["ring", "priority"]
    return ", ".join(f"{field} {given[field]}" for field in order)
