"""What the `ping` command (iputils) says, line by line, as replies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from netlab.units import SEC
from netlab.workload.spec import Ping, Reply

_ANSWER = re.compile(r"(?:\[[\d.]+\] )?\d+ bytes from .*?icmp_seq=(\d+)(?:.*? time=([\d.]+) ms)?")
_ERROR = re.compile(r"(?:\[[\d.]+\] )?From (\S+) icmp_seq=(\d+) (.*)")
_WORDS = (
    ("Time to live exceeded", "time exceeded"),
    ("Frag reassembly time exceeded", "time exceeded"),
    ("Destination Net Unreachable", "network unreachable"),
    ("Destination Host Unreachable", "host unreachable"),
    ("Destination Protocol Unreachable", "protocol unreachable"),
    ("Destination Port Unreachable", "port unreachable"),
    ("Frag needed", "fragmentation needed"),
    ("Parameter problem", "parameter problem"),
    ("Destination unreachable: No route", "network unreachable"),
    ("Destination unreachable: Address unreachable", "host unreachable"),
    ("Destination unreachable: Port unreachable", "port unreachable"),
    ("Packet too big", "packet too big"),
    ("Time exceeded", "time exceeded"),
)


def command(workload: Ping, dst: str) -> list[str]:
    """The command line: numbers only, seconds as ping wants them."""
    words = ["ping", "-n", "-c", workload.count, "-i", workload.interval / SEC, "-s", workload.size]
    # Of itself ping sets DF, and a router could not cut what it may cut.
    words += ["-M", "do" if workload.df else "dont", "-t", workload.ttl, "-W", workload.timeout / SEC, dst]
    return [f"{word:.6f}" if isinstance(word, float) else str(word) for word in words]


def reply(line: str, timeout: int) -> Reply | None:
    """The reply that a line tells of; None for a line that tells of none. Later than ``timeout`` ns is silence."""
    if match := _ANSWER.match(line):
        seq, ms = match.groups()
        rtt = round(float(ms) * 1e6) if ms else 0
        return Reply(int(seq), "answered", rtt) if rtt <= timeout else Reply(int(seq), "silence")
    if match := _ERROR.match(line):
        sender, number, words = match.groups()
        said = next((ours for theirs, ours in _WORDS if words.startswith(theirs)), words.lower())
        return Reply(int(number), "error", said=f"{said} from {sender}")
    return None


def refused(stderr: str, count: int) -> Sequence[Reply]:
    """Replies of a ping that could not even send ("connect: Network is unreachable"); none when that's not so."""
    if "Network is unreachable" in stderr:
        return [Reply(seq, "error", said="network unreachable from this host") for seq in range(1, count + 1)]
    return []
