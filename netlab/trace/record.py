"""One observation, as people meet it. On hot paths the same seven values travel as a bare tuple."""

from __future__ import annotations

from typing import Any, NamedTuple


class Record(NamedTuple):
    """What was seen: ``t`` ns since the run's start, ``kind`` from the catalogue, at ``node``.

    ``obj`` is what the kind's entry says (a stage, an interface, a queue), ``cpu`` the core (-1 where
    unknown), ``pkt`` the journey (0 for none), ``data`` the kind's fields in order.
    """

    t: int
    kind: str
    node: str
    obj: str
    cpu: int
    pkt: int
    data: tuple[Any, ...]


Row = tuple[int, str, str, str, int, int, tuple[Any, ...]]
"""A record on the hot path."""
