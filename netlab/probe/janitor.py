"""The process that takes a trace instance down when its owner is gone, however it went.

A trace instance outlives a SIGKILL of its owner, still switched on. So a janitor runs beside the owner in a session of
its own, and waits for either of two things: end of file on its standard input (the owner closed the pipe, or died), or
the end of the owner's process (which also holds when a fork of the owner still has the pipe open). Then it switches
tracing off and removes the instance, trying again while a reader keeps it busy.

It is run as a script, so it imports the standard library alone: ``python -I -S janitor.py INSTANCE OWNER``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import sys
import time

PATIENCE = 30.0
"""Seconds during which a busy instance is tried again."""


def main(instance: str, owner: int) -> int:
    """Wait for the owner's end, remove ``instance``; 0 when it is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever ends the session politely must not leave the instance behind
    with contextlib.suppress(BrokenPipeError):  # the owner died before it could hear it: then all the more
        os.write(1, b"ready\n")
    os.close(1)
    wait_for_end(owner)
    return 0 if remove(instance, PATIENCE) else 1


def wait_for_end(owner: int) -> None:
    """Return when standard input ends or ``owner`` is no more."""
    watched = select.poll()
    watched.register(0, select.POLLIN | select.POLLHUP)
    try:
        watched.register(os.pidfd_open(owner), select.POLLIN)
    except ProcessLookupError:
        return
    except OSError:
        pass  # a kernel without pidfd: the pipe alone has to do
    if os.getppid() == owner:  # else it died before the pidfd was open, and the pid may be another's by now
        watched.poll()


def remove(instance: str, patience: float) -> bool:
    """Switch tracing off in ``instance`` and remove it; False when it is still busy after ``patience`` seconds."""
    give_up = time.monotonic() + patience
    while True:
        try:
            switch_off(instance)
            os.rmdir(instance)
            return True
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > give_up:
                return False
        time.sleep(0.02)


def switch_off(instance: str) -> None:
    """Nothing is recorded in ``instance`` any more, and no tracepoint runs for it."""
    for name in ("tracing_on", "events/enable"):
        fd = os.open(f"{instance}/{name}", os.O_WRONLY)
        try:
            os.write(fd, b"0")
        finally:
            os.close(fd)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
