"""What the verbs' parsers have in common."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any


def described(says: str, example: str) -> dict[str, Any]:
    """The options of an ArgumentParser whose help ends with an example."""
    return {
        "description": says,
        "epilog": f"example:\n  {example}",
        "formatter_class": RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


def subverb(verbs: Any, name: str, says: str, example: str) -> ArgumentParser:
    """A subcommand, listed with ``says``, whose own help has an example."""
    parser: ArgumentParser = verbs.add_parser(name, help=says, **described(says, example))
    return parser


def backend_option(parser: ArgumentParser, default: str = "sim") -> None:
    """``--backend``: which world."""
    said = "sim (virtual time, needs nothing) or mininet (the real Linux stack)"
    parser.add_argument(
        "--backend", choices=["sim", "mininet"], default=default, help=f"{said}; {default} if not given"
    )
