"""Shapes of networks in two lines each; the files in ``topologies/`` are written with them.

Quantities are written as in a YAML file ("10 Mbit/s", "2 ms", "1 %", "100 packets"); "" leaves them out.
"""

from __future__ import annotations

from netlab.errors import BadInput
from netlab.topology import values
from netlab.topology.spec import Kind, Link, Node, StackKind

LARGEST = 1000
"""More nodes of one kind than this are surely a slip of the finger."""


def several(prefix: str, n: int, kind: Kind = "host", *, first: int = 1, stack: StackKind = "kernel") -> list[Node]:
    """``n`` nodes: h1, h2, …; ``prefix`` is the letter, and ``first`` the first number."""
    at_least(n, 1, f"the number of {kind}s")
    return [Node(f"{prefix}{number}", kind, stack) for number in range(first, first + n)]


def at_least(n: object, low: int, what: str) -> None:
    """BadInput unless ``n`` is a sensible whole number."""
    if not isinstance(n, int) or not low <= n <= LARGEST:
        raise BadInput(f"{what} is {n!r}", right=f"it is a whole number from {low} to {LARGEST}")


def cable(a: str, b: str, *, rate: str = "", delay: str = "", loss: str = "", queue: str = "", mark: str = "") -> Link:
    """A link between two nodes ("h1") or interfaces ("h1:eth0")."""
    what = f"of link {a}-{b}"
    return Link(
        values.end(a, "ends " + what),
        values.end(b, "ends " + what),
        rate=values.rate(rate, "rate " + what) if rate else 0,
        delay=values.time(delay, "delay " + what) if delay else 0,
        loss=values.loss(loss, "loss " + what) if loss else 0.0,
        queue=values.limit(queue, "queue " + what) if queue else None,
        mark=values.limit(mark, "mark " + what) if mark else None,
    )
