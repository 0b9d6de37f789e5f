"""Plain tables and JSON for the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, indent: str = "") -> str:
    """Columns as wide as their widest cell, two spaces between, a rule under the head."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *texts, strict=True)]
    lines = [head, ["─" * width for width in widths], *texts]
    return "\n".join(
        (indent + "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))).rstrip()
        for line in lines
    )


def print_json(value: Any) -> None:
    """Indented, in the order it was made."""
    print(json.dumps(value, indent=2, ensure_ascii=False))
