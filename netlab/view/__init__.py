"""Pictures from a log, and what draws them. A picture is data; this table names the views there are.

To add a view: write a function ``Log -> Picture`` and a line here. A test fails for a record kind that no view shows.
"""

from __future__ import annotations

from collections.abc import Callable

from netlab.trace.log import Log
from netlab.view.path import packet_path
from netlab.view.picture import Picture

__all__ = ["VIEWS", "Picture", "packet_path"]

VIEWS: dict[str, Callable[[Log], Picture]] = {
    "path": packet_path,
}
