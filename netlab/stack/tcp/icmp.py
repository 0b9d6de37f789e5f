"""What ICMP says of a connection (RFC 5461, RFC 5927 §4: only if it quotes a sequence number that is in flight)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.tcp import output
from netlab.stack.tcp.sequence import unwrap
from netlab.stack.tcp.state import ESTABLISHED, SENDING, SYN_SENT

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection


ENOUGH_RETRIES = 3
"""After so many BSD believes an ICMP error that is said twice."""


def concerns(c: Connection, seq: int) -> bool:
    """Whether a quoted sequence number is in flight."""
    number = unwrap(c.snd_una, seq)
    return c.snd_una <= number < c.snd_max or (c.state == SYN_SENT and number == c.iss)


def unreachable(c: Connection, error: str, *, hard: bool) -> None:
    """A hard error ends an attempt to connect (RFC 1122 §4.2.3.9), with Linux any; else it is remembered (RFC 5461).

    BSD remembers none while a connection is established, nor a hard one ever; an attempt to connect that was repeated
    four times in vain is ended by its second error.
    """
    connecting = c.state == SYN_SENT
    if connecting and (hard or c.knobs.unreachable_ends_connect) and c.knobs.icmp_may_reset:
        c.die("receive RST", "refused", error)
        return
    if c.bsd:
        if (hard and c.knobs.icmp_may_reset) or (c.state == ESTABLISHED and error == "EHOSTUNREACH"):
            return
        if connecting and c.retries > ENOUGH_RETRIES and c.soft_error:
            c.die("receive RST", "refused", error)
            return
    c.soft_error = error


def too_big(c: Connection, mss: int) -> None:
    """Packets of more than ``mss`` bytes of payload don't fit: smaller ones from now on, and at once (RFC 1191 §6)."""
    if not c.knobs.path_mtu_discovery or c.state not in SENDING:
        return
    mss = max(mss, c.knobs.minimum_mss)
    if mss >= c.send_mss:
        return
    c.send_mss = mss
    c.control.set_mss(mss)
    for segment in list(c.board.segments):
        if len(segment) - segment.fin > output.segment_room(c):
            c.board.mark_lost(segment)
    c.force = True
    output.push(c)
