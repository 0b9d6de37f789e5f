"""``#ifdef NAME``, ``#ifndef``, ``#else``, ``#endif``: the lines of a script that one system is to see.

Lines that are left out become empty, so that line numbers stay true.
"""

from __future__ import annotations

import re

from netlab.packetdrill.script import BadScript

DEFINED = {"freebsd": frozenset({"freebsd"}), "linux": frozenset({"linux"})}
_DIRECTIVE = re.compile(r"^\s*#\s*(ifdef|ifndef|else|endif|define|undef)\b\s*(\w*)")


def preprocess(text: str, defined: frozenset[str]) -> str:
    """The text with only the lines that hold for these names. BadScript where the directives don't nest."""
    if "#" not in text:
        return text
    names = {name.lower() for name in defined}
    open_since: list[tuple[int, bool, bool]] = []
    """(line, whether its branch holds, whether the lines around it do)."""
    kept: list[str] = []
    showing = True
    for number, line in enumerate(text.split("\n"), 1):
        match = _DIRECTIVE.match(line)
        if match is None:
            kept.append(line if showing else "")
            continue
        kept.append("")
        showing = _directive(match[1], match[2].lower(), names, open_since, number, showing)
    if open_since:
        raise BadScript(open_since[-1][0], "this #if has no #endif")
    return "\n".join(kept)


def _directive(
    word: str, name: str, names: set[str], open_since: list[tuple[int, bool, bool]], line: int, showing: bool
) -> bool:
    """Follow one directive; whether the lines behind it are shown."""
    if word in ("ifdef", "ifndef"):
        holds = (name in names) == (word == "ifdef")
        open_since.append((line, holds, showing))
        return showing and holds
    if word in ("define", "undef"):
        if showing:
            (names.add if word == "define" else names.discard)(name)
        return showing
    if not open_since:
        raise BadScript(line, f"this #{word} has no #if")
    began, holds, around = open_since.pop()
    if word == "endif":
        return around
    open_since.append((began, not holds, around))
    return around and not holds
