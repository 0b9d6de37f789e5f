"""Which user a sandbox runs as when root starts it: one that owns nothing and runs nothing else.

The kernel never refuses root a process, however low RLIMIT_NPROC is; and what one user's sandboxes run is counted
together. So each sandbox that root starts gets a user id of its own.
"""

from __future__ import annotations

import itertools
import os
from functools import cache

HIGH = 1_000_000_000
"""Above every range that distributions, containers and directories hand out by default."""

CAP_SETUID_SETGID = 1 << 7 | 1 << 6

_serial = itertools.count()


def spare_uid() -> int:
    """A user id for the next sandbox, 0 when this process may not change its own."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not _may_change():
        return 0
    first, count = _range()
    return first + (os.getpid() * 64 + next(_serial) % 64) % count if count else 0


@cache
def _may_change() -> bool:
    """Whether root has kept the capabilities to become somebody else: a container may have taken them."""
    try:
        with open("/proc/self/status") as file:
            held = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff:"))
    except OSError:
        return True  # a system without capabilities
    return held & CAP_SETUID_SETGID == CAP_SETUID_SETGID


@cache
def _range() -> tuple[int, int]:
    """(first, how many) spare ids among those that this user namespace maps."""
    mapped = _mapped()
    if mapped > HIGH + (1 << 28):
        return HIGH, 1 << 28
    if mapped >= 65536:
        return 64000, 1000  # below nobody (65534), above what a small namespace's users have
    return 0, 0


def _mapped() -> int:
    """The end of the range of ids that is mapped from 0 on without a gap."""
    try:
        with open("/proc/self/uid_map") as file:
            ranges = sorted((int(a), int(c)) for a, _, c in (line.split() for line in file))
    except OSError:
        return 1 << 31  # no user namespaces on this system
    end = 0
    for first, count in ranges:
        if first > end:
            break
        end = max(end, first + count)
    return end
