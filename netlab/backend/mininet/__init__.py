"""The Mininet world: the real Linux stack in namespaces of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netlab.backend.mininet.session import MininetBackend, MininetSession

__all__ = ["MininetBackend", "MininetSession"]


def __getattr__(name: str) -> Any:
    # Late: an arena's own processes import from this package, and would wait for all that a session needs.
    if name in __all__:
        from netlab.backend.mininet import session

        return getattr(session, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
