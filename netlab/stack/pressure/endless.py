"""Queue for ever, as storage does: entry never fails, the oldest goes as the hardware is free."""

from __future__ import annotations

from netlab.stack.pressure.policy import Policy


class Endless(Policy):
    """The interface's queue has no limit; only the windows of the peers bound it."""

    endless = True
