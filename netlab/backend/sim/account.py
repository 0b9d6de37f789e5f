"""An executor that keeps account: every mbuf that a host receives or makes ends, or is held in a place with a name.

An mbuf ends when it is delivered or consumed, dropped, or handed to an interface's queue. One that a stage was given,
and that comes out of it nowhere, has leaked; one that ends twice was used after its end.
"""

from __future__ import annotations

from typing import ClassVar

from netlab.backend.sim.executor import HostExecutor, RxRing, Work
from netlab.sim.core import Core
from netlab.stack.holdings import held
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop


class AccountedExecutor(HostExecutor):
    """As `HostExecutor`, somewhat slower. It sees what passes between stages, not what a stage makes and forgets."""

    keeps_books: ClassVar[bool] = True
    """False in a subclass that needs what is here, and not the account."""
    _alive: dict[int, tuple[Mbuf, str]] | None = None
    """Every mbuf under way, and where it was last; by id, for it is the object that counts."""
    _ended: dict[int, tuple[Mbuf, str]]
    _again: list[str]

    def unaccounted(self) -> tuple[str, ...]:
        """A sentence for each mbuf that got lost, and for each that ended more than once."""
        alive, _, again = self._books()
        known = {id(m) for _, m in held(self.host)}
        lost = [
            f"{self.host.name}: packet {m.pkt or 'without a number'} went into {where} and never came out: {_words(m)}"
            for m, where in alive.values()
            if id(m) not in known
        ]
        return (*lost, *again)

    def _books(self) -> tuple[dict[int, tuple[Mbuf, str]], dict[int, tuple[Mbuf, str]], list[str]]:
        if self._alive is None:
            self._alive, self._ended, self._again = {}, {}, []
        return self._alive, self._ended, self._again

    def _poll(self, ring: RxRing) -> list[Mbuf]:
        vector = super()._poll(ring)
        if self.keeps_books:
            for m in vector:
                self._goes(m, "nic.rx")
        return vector

    def _next(self, hops: list[Hop], core: Core, where: str) -> Work | None:
        if not self.keeps_books:
            return super()._next(hops, core, where)
        works = self._sort(hops, core, where)  # never past it: that is where is counted
        core.submit_first(works[1:])
        return works[0] if works else None

    def _go(self, hop: Hop, core: Core, where: str) -> Work | None:
        return self._next([hop], core, where) if self.keeps_books else super()._go(hop, core, where)

    def _sort(self, hops: list[Hop], core: Core, where: str) -> list[Work]:
        for target, m, reason in hops if self.keeps_books else ():
            if target in ("", "nic.tx"):
                self._ends(m, "dropped" if reason else "sent" if target else f"at its end in {where}")
            else:
                self._goes(m, target)
        return super()._sort(hops, core, where)

    def _goes(self, m: Mbuf, target: str) -> None:
        alive, ended, again = self._books()
        if id(m) in ended:
            again.append(f"{self.host.name}: packet {m.pkt} goes to {target}, and was {ended[id(m)][1]}: {_words(m)}")
        alive[id(m)] = m, target

    def _ends(self, m: Mbuf, how: str) -> None:
        alive, ended, again = self._books()
        if id(m) in ended:
            again.append(f"{self.host.name}: packet {m.pkt} is {how}, and was {ended[id(m)][1]}: {_words(m)}")
        alive.pop(id(m), None)
        ended[id(m)] = m, how


def _words(m: Mbuf) -> str:
    return f"{len(m.data)} bytes {m.data[:20].hex()}"
