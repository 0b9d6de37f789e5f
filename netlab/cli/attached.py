"""A command in a node that has this terminal: its keys, its Ctrl-C, its exit code."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netlab.backend.mininet.command import Running


def exit_code(job: Running) -> int:
    """Wait for the command's end; its exit code, 128 + n when signal n ended it.

    Ctrl-C goes to the command, which may have last words (a ping's summary), and does not end us.
    """

    def pass_on(number: int, _frame: Any) -> None:
        job.signal(number)

    previous = signal.signal(signal.SIGINT, pass_on)
    try:
        code = job.wait().code
    finally:
        signal.signal(signal.SIGINT, previous)
    return code if code >= 0 else 128 - code
