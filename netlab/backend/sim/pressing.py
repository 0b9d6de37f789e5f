"""Which interfaces of a simulated network have a backpressure policy, a transmit ring, a limit on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from netlab.backend.sim.account import AccountedExecutor
from netlab.backend.sim.executor import HostExecutor, Port
from netlab.backend.sim.pressured import AccountedPressuredExecutor, PressuredExecutor
from netlab.backend.sim.queues import Scheduling
from netlab.backend.sim.txring import Ring
from netlab.errors import BadInput
from netlab.topology.spec import Plan
from netlab.topology.words import listing

T = TypeVar("T")


@dataclass(frozen=True)
class Pressure:
    """A policy (`netlab.stack.pressure.POLICIES`, two joined with "+"), and settings by the name of each."""

    policy: str
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Pressing:
    """What was asked for, by interface. A node's name stands for all of its interfaces; BadInput for any other name."""

    def __init__(
        self,
        plan: Plan,
        pressure: Mapping[str, Pressure | str] | None = None,
        ring: Mapping[str, Ring | int] | None = None,
        bql: Collection[str] = (),
    ) -> None:
        self._plan = plan
        self._policies = self._spread(pressure or {})
        self._rings = self._spread(ring or {})
        self._limited = self._spread(dict.fromkeys(bql, True))
        for name in self._limited:
            if name not in self._rings:
                right = "give it one: ring={'" + name + "': 256}"
                raise BadInput("a dynamic queue limit needs a ring, which it limits", where=name, right=right)

    def _spread(self, given: Mapping[str, T]) -> dict[str, T]:
        found: dict[str, T] = {}
        names = [interface.name for interface in self._plan.interfaces()]
        nodes = [node.name for node in self._plan.nodes]
        for name, what in given.items():
            own = [i.name for i in self._plan.interfaces() if i.node == name] if name in nodes else [name]
            if name not in nodes and name not in names:
                right = f"nodes are {listing(nodes)}; interfaces are {listing(names)}"
                raise BadInput(f"no node or interface is called '{name}'", where=self._plan.name, right=right)
            found.update(dict.fromkeys(own, what))
        return found

    def executor(self, node: str, *, account: bool) -> type[HostExecutor]:
        """The plainest executor that can do what this node needs."""
        asked = {*self._policies, *self._rings}
        if any(interface.node == node and interface.name in asked for interface in self._plan.interfaces()):
            return AccountedPressuredExecutor if account else PressuredExecutor
        return AccountedExecutor if account else HostExecutor

    def press(self, executor: HostExecutor, port: Port, scheduling: Scheduling | None) -> None:
        """Give a port what was asked for it."""
        name = port.ifp.name
        if not isinstance(executor, PressuredExecutor) or not (name in self._policies or name in self._rings):
            return
        asked = self._policies.get(name, "drop")
        policy = Pressure(asked) if isinstance(asked, str) else asked
        ring = self._rings.get(name)
        executor.press(
            port,
            policy.policy,
            policy.settings,
            Ring(ring) if isinstance(ring, int) else ring,
            bql=name in self._limited,
            scheduling=scheduling,
        )
