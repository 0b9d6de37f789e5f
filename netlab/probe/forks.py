"""What must not live on in a fork of this process.

A fork inherits every descriptor. One of a trace instance would keep it busy, one of a namespace's socket would keep the
namespace, when this process has long been killed and only the fork (a pool's worker, say) is left.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forgetful(Protocol):
    """Holds descriptors that belong to this process alone."""

    def forget(self) -> None:
        """Close them, and nothing else: this is a fork, and its parent still works with what they stand for."""


def forget_in_forks(holder: Forgetful) -> None:
    """Have every later fork forget, for as long as ``holder`` lives. Starting a program is no such fork."""
    held = weakref.ref(holder)

    def forget() -> None:
        alive = held()
        if alive is not None:
            alive.forget()

    os.register_at_fork(after_in_child=forget)
