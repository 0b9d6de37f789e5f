"""What a lab's notebook imports: ``from netlab.notebook import open_lab``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netlab.notebook.labbench import LabBench, open_lab
    from netlab.notebook.widget import PathWidget

__all__ = ["LabBench", "PathWidget", "open_lab"]

_PLACES = {"LabBench": "labbench", "open_lab": "labbench", "PathWidget": "widget"}


def __getattr__(name: str) -> Any:
    """Widgets load when they are first asked for: importing the package alone stays light."""
    if name not in _PLACES:
        raise AttributeError(f"module 'netlab.notebook' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"netlab.notebook.{_PLACES[name]}"), name)
