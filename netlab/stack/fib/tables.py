"""Several tables in one host, and what chooses one for a packet.

A packet's table is, in this order: its socket's (setfib(2), FreeBSD), the arrival interface's (ifconfig fib, FreeBSD),
that of the first rule which fits it (ip rule, Linux), and table 0. Where that table has no route, there is no route:
nothing is looked up in another one. (Linux goes on to the next rule; a table there ends so when its last route is an
"unreachable default", which is how the Mininet world writes ours.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from netlab.stack.fib.protocol import Fib
from netlab.stack.fib.route import Route, mask

if TYPE_CHECKING:
    from netlab.stack.mbuf import Mbuf

MAIN = 0
"""The table of packets that nothing gives another."""


class Rule(NamedTuple):
    """Packets of ``source``/``length``, with ``mark`` (None: any), come in by ``iif`` ("": anyhow) go by ``table``."""

    priority: int
    table: int
    source: int = 0
    length: int = 0
    mark: int | None = None
    iif: str = ""

    def fits(self, mark_: int, iif: str, src: int) -> bool:
        """Whether the rule is about such a packet."""
        return (
            (self.mark is None or self.mark == mark_)
            and (not self.iif or self.iif == iif)
            and src & mask(self.length) == self.source
        )


class Fibs:
    """A host's tables by number; ``interfaces`` gives an interface's packets a table without a rule."""

    def __init__(
        self,
        main: Fib,
        tables: Mapping[int, Fib] | None = None,
        rules: Iterable[Rule] = (),
        interfaces: Mapping[str, int] | None = None,
    ) -> None:
        self.tables: dict[int, Fib] = {**(tables or {}), MAIN: main}
        self.rules = tuple(sorted(rules, key=lambda rule: rule.priority))
        self.interfaces = dict(interfaces or {})

    @property
    def main(self) -> Fib:
        """Table 0."""
        return self.tables[MAIN]

    def given(self, m: Mbuf) -> int | None:
        """The table that a packet's socket or arrival interface gives it: what an answer to it inherits."""
        return self.interfaces.get(m.rcvif.name) if m.fib is None and m.rcvif is not None else m.fib

    def choose(self, *, fib: int | None = None, mark: int = 0, iface: str = "", src: int = 0) -> int:
        """The number of a packet's table; ``fib`` is its socket's, ``iface`` where it came in ("" if made here)."""
        if fib is None:
            fib = self.interfaces.get(iface)
        if fib is None:
            fib = next((rule.table for rule in self.rules if rule.fits(mark, iface, src)), MAIN)
        return fib

    def lookup(self, dst: int, *, fib: int | None = None, mark: int = 0, iface: str = "", src: int = 0) -> Route | None:
        """The route of a packet to ``dst``; None when its table has none, or is not there at all."""
        if fib is None and not self.rules and not self.interfaces:
            return self.tables[MAIN].lookup(dst)
        table = self.tables.get(self.choose(fib=fib, mark=mark, iface=iface, src=src))
        return table.lookup(dst) if table is not None else None
