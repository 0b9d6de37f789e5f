"""Words for messages: lists of names, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 12
"""More names than this are not listed in a message."""


def listing(names: Iterable[str]) -> str:
    """Names with commas; a long list is cut and counted."""
    all_names = list(names)
    more = f" and {len(all_names) - SHOWN} more" if len(all_names) > SHOWN else ""
    return ", ".join(all_names[:SHOWN]) + more


def nearest(word: str, known: Iterable[str], intro: str) -> str:
    """ "did you mean 'links'?" when something known is close, and the known names anyway after ``intro``."""
    from difflib import get_close_matches

    names = list(known)
    close = get_close_matches(word, names, n=1)
    return (f"did you mean '{close[0]}'? " if close else "") + f"{intro} {listing(names)}"
