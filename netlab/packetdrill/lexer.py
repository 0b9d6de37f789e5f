"""Text to tokens. White space matters nowhere but inside quotes."""

from __future__ import annotations

import re
from typing import NamedTuple

from netlab.packetdrill.script import BadScript


class Token(NamedTuple):
    """``kind`` is one of the names below; ``at`` and ``end`` are offsets in the text."""

    kind: str
    text: str
    line: int
    at: int
    end: int


_PATTERN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>//[^\n]*|/\*.*?\*/|\#(?![{])[^\n]*)
  | (?P<code>%\{.*?\}%)
  | (?P<command>`(?:\\.|[^`\\])*`)
  | (?P<string>"(?:\\.|[^"\\])*")
  | (?P<option>--[A-Za-z0-9_]+)
  | (?P<address>\d+\.\d+\.\d+\.\d+(?:/\d+)?)
  | (?P<ellipsis>\.\.\.)
  | (?P<hex>0[xX][0-9a-fA-F]+(?![A-Za-z_]))
  | (?P<float>-?\d*\.\d+(?![A-Za-z_]))
  | (?P<dashed>exp-(?:FO|AccECN[01]|tarr)\b|I-DATA\b)
  | (?P<word>[A-Za-z_0-9]*[A-Za-z_][A-Za-z_0-9]*(?:-DATA)?)
  | (?P<integer>-?\d+)
  | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> list[Token]:
    """All tokens but space and comments. BadScript for a quote without an end."""
    found: list[Token] = []
    line = 1
    for match in _PATTERN.finditer(text):
        kind = (match.lastgroup or "").replace("dashed", "word")
        if kind == "symbol" and match[0] in '`"':
            raise BadScript(line, f"a {match[0]} has no partner")
        if kind not in ("space", "comment"):
            found.append(Token(kind, match[0], line, match.start(), match.end()))
        line += match[0].count("\n")
    return found
