"""Lock plans: which virtual locks, in which mode, a stage needs for a vector. Swapping the plan is the experiment."""

from __future__ import annotations

from collections.abc import Callable

from netlab.sim.lock import Mode
from netlab.stack.mbuf import Mbuf

Needs = tuple[tuple[str, Mode], ...]
"""Lock names within the host, in the order in which they are taken."""
LockPlan = Callable[[str, list[Mbuf]], Needs]

NOTHING: Needs = ()
_GIANT: Needs = (("giant", "write"),)
_DEVICE_STAGES = frozenset({"nic.rx", "ifq"})


def none(stage: str, vector: list[Mbuf]) -> Needs:
    """Nothing is locked: right for one core a host."""
    return NOTHING


def giant(stage: str, vector: list[Mbuf]) -> Needs:
    """One lock around everything above the driver, as in FreeBSD 4."""
    return NOTHING if stage in _DEVICE_STAGES else _GIANT


PLANS: dict[str, LockPlan] = {"none": none, "giant": giant}
