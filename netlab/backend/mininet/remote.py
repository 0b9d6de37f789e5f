"""Mininet's interface from outside the arena: ``net.get('h1').cmd('ip a')``, ``net['h1'].popen(…)``.

The objects themselves live inside; these pass on what was said.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from netlab.backend.mininet.arena import Arena
from netlab.backend.mininet.command import Completed, Running
from netlab.backend.names import node_named
from netlab.topology.spec import PlanNode


class RemoteNode:
    """A node: its shell keeps its variables and its working directory from one ``cmd`` to the next."""

    def __init__(self, arena: Arena, spec: PlanNode) -> None:
        self._arena, self._spec = arena, spec
        self.name = spec.name

    def cmd(self, *words: str) -> str:
        """A line for the node's shell; what it printed, errors among it. Without a time limit, as in Mininet."""
        return self._arena.mininet(self.name, " ".join(str(word) for word in words))

    def popen(self, *words: str | Sequence[str]) -> Running:
        """Start a command in the node: words, a list, or one string that is split."""
        return self._arena.start(self.name, _argv(words))

    def pexec(self, *words: str | Sequence[str]) -> tuple[str, str, int]:
        """Run a command in the node to its end: output, errors, exit code."""
        done: Completed = self.popen(*words).wait()
        return done.stdout, done.stderr, done.code

    def IP(self) -> str | None:
        """The node's first address, without its prefix length."""
        return next(iter(self._spec.addresses), None)

    def MAC(self) -> str | None:
        """The first interface's address."""
        return next((interface.mac for interface in self._spec.interfaces), None)

    def intfNames(self) -> list[str]:
        """The names of the node's interfaces."""
        return [interface.name for interface in self._spec.interfaces]

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<{self._spec.kind} {self.name}: {', '.join(self.intfNames())}>"


class RemoteNet:
    """The network: ``net['h1']`` and ``net.get('h1')`` give its nodes."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena

    def __getitem__(self, name: str) -> RemoteNode:
        """The node of that name; BadInput lists the ones that there are."""
        assert self._arena.plan is not None
        return RemoteNode(self._arena, node_named(self._arena.plan, name))

    def get(self, name: str) -> RemoteNode:
        """The node of that name."""
        return self[name]

    def __iter__(self) -> Iterator[str]:
        assert self._arena.plan is not None
        return (node.name for node in self._arena.plan.nodes)

    def __len__(self) -> int:
        assert self._arena.plan is not None
        return len(self._arena.plan.nodes)

    @property
    def hosts(self) -> list[RemoteNode]:
        """Hosts and routers."""
        assert self._arena.plan is not None
        return [self[node.name] for node in self._arena.plan.nodes if node.kind != "switch"]

    @property
    def switches(self) -> list[RemoteNode]:
        """Switches."""
        assert self._arena.plan is not None
        return [self[node.name] for node in self._arena.plan.nodes if node.kind == "switch"]


def _argv(words: Sequence[str | Sequence[str]]) -> list[str]:
    if len(words) == 1 and isinstance(words[0], str):
        return shlex.split(words[0])
    return [str(word) for part in words for word in ([part] if isinstance(part, str) else part)]
