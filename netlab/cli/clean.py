"""`nlab clean`: what interrupted runs left behind. Networks that are up are left alone."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from netlab.cli.table import print_json
from netlab.errors import Unavailable

EXAMPLE = "nlab clean"


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--json", action="store_true", help="what was swept as JSON")


def run(options: Namespace) -> int:
    """The exit code."""
    swept = {"run folders": _folders(), "trace instances": _instances()}
    if options.json:
        print_json(swept)
        return 0
    for what, names in swept.items():
        print(f"{what}: {', '.join(names) if names else 'nothing to sweep'}")
    for name in _up():
        print(f"still up, and left alone: {name}")
    return 0


def _folders() -> list[str]:
    if sys.platform != "linux":
        return []
    from netlab.backend.mininet.runs import sweep

    return sweep()


def _instances() -> list[str]:
    if sys.platform != "linux":
        return []
    from netlab.probe.tracefs import sweep

    try:
        return sweep()
    except Unavailable:
        return []  # who may not read the tracer has made no instance


def _up() -> list[str]:
    if sys.platform != "linux":
        return []
    from netlab.backend.mininet.runs import live

    return [f"{run.name} ({run.plan}, {len(run.nodes)} nodes)" for run in live()]
