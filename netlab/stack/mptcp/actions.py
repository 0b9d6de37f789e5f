"""What a multipath connection answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netlab.stack.tcp.segment import Event, Segment

if TYPE_CHECKING:
    from netlab.stack.mptcp.subflow import Subflow


class Carry(NamedTuple):
    """Segments of a subflow; none says that only its deadlines have changed."""

    subflow: Subflow
    segments: list[Segment]


class Join(NamedTuple):
    """A subflow is to be opened; ``local`` 0 leaves the own address to the routes. The port is the peer's."""

    local: int
    remote: int
    port: int
    version: int
    local_id: int
    remote_id: int
    backup: bool = False


Act = Carry | Join | Event
