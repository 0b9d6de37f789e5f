"""How a call ends: with a result, with an errno, or not yet."""

from __future__ import annotations

from typing import Any, NamedTuple


class Done(NamedTuple):
    """A call returned ``result``; -1 goes with ``errno``'s name. ``filled``: argument number -> what was written."""

    result: Any
    errno: str = ""
    filled: dict[int, Any] | None = None


class Fails(Exception):
    """A call returns -1 with this errno."""

    def __init__(self, errno: str) -> None:
        super().__init__(errno)
        self.errno = errno


class Blocks(Exception):
    """A call cannot return yet."""
