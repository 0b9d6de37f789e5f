"""Backpressure: what happens between TCP, an interface's queue and its driver when more wants out than can leave.

Each policy is a file and a line in `POLICIES`. "accounted" is a connection's own limit; any other may be joined to it,
as in "accounted+scheduled".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netlab.errors import BadInput
from netlab.stack.pressure.accounted import Accounted
from netlab.stack.pressure.both import Both
from netlab.stack.pressure.boundary import Boundary, Counts, Outlet
from netlab.stack.pressure.dql import DynamicQueueLimit
from netlab.stack.pressure.endless import Endless
from netlab.stack.pressure.notify import Notify
from netlab.stack.pressure.policy import Policy
from netlab.stack.pressure.quench import Quench
from netlab.stack.pressure.rollback import Rollback
from netlab.stack.pressure.scheduled import Scheduled
from netlab.stack.pressure.wakeall import WakeAll

POLICIES: dict[str, Callable[..., Policy]] = {
    "drop": Policy,
    "rollback": Rollback,
    "quench": Quench,
    "wake all": WakeAll,
    "scheduled": Scheduled,
    "endless": Endless,
    "accounted": Accounted,
    "notify": Notify,
}


def policy_named(name: str, settings: Mapping[str, Mapping[str, Any]] | None = None, *, where: str = "") -> Policy:
    """A new policy; ``settings`` by the plain name of each. BadInput for a name or a setting that there is not."""
    parts = [part.strip() for part in name.split("+")]
    for part in (*parts, *(settings or {})):
        if part not in POLICIES:
            raise BadInput(f"there is no backpressure policy '{part}'", where=where, right=f"there are {_names()}")
    made = [_made(part, dict((settings or {}).get(part, {})), where) for part in parts]
    if len(made) == 1:
        return made[0]
    if len(made) > 2 or not isinstance(made[0], Accounted) or isinstance(made[1], Accounted):
        right = "join a connection's limit with one for the interface, as in accounted+scheduled"
        raise BadInput(f"policies cannot be joined as '{name}'", where=where, right=right)
    return Both(made[0], made[1])


def _made(name: str, settings: dict[str, Any], where: str) -> Policy:
    try:
        return POLICIES[name](**settings)
    except TypeError as error:
        raise BadInput(f"policy '{name}' has no such setting: {', '.join(settings)}", where=where) from error


def _names() -> str:
    return ", ".join(POLICIES)


__all__ = [
    "POLICIES",
    "Accounted",
    "Both",
    "Boundary",
    "Counts",
    "DynamicQueueLimit",
    "Endless",
    "Notify",
    "Outlet",
    "Policy",
    "Quench",
    "Rollback",
    "Scheduled",
    "WakeAll",
    "policy_named",
]
