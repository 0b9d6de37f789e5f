"""Congestion controls, a file each; the connection knows only `Control`, and this table knows them all."""

from __future__ import annotations

from collections.abc import Callable

from netlab.stack.tcp.congestion.control import Control
from netlab.stack.tcp.congestion.cubic import Cubic
from netlab.stack.tcp.congestion.dctcp import Dctcp
from netlab.stack.tcp.congestion.lia import Lia
from netlab.stack.tcp.congestion.newreno import NewReno

CONTROLS: dict[str, Callable[[int, int], Control]] = {
    "newreno": NewReno,
    "reno": NewReno,
    "cubic": Cubic,
    "dctcp": Dctcp,
    "lia": Lia,
}
"""Name -> (MSS, initial window in segments) -> control."""
