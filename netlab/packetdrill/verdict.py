"""How a script went."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["passed", "failed", "refused", "unreadable"]
EXIT = {"passed": 0, "failed": 1, "unreadable": 2, "refused": 3}


class Verdict(NamedTuple):
    """``said`` is one sentence; ``expected`` and ``came`` where something was compared; ``exchange`` so far."""

    kind: Kind
    name: str
    line: int = 0
    said: str = ""
    expected: str = ""
    came: str = ""
    exchange: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "passed":
            return f"{self.name}: passed"
        head = f"{self.name}:{self.line}: {self.said}" if self.line else f"{self.name}: {self.said}"
        if self.kind != "failed":
            return f"{head} ({self.kind})"
        lines = [head]
        if self.expected:
            lines.append(f"  expected  {self.expected}")
        if self.came:
            lines.append(f"  came      {self.came}")
        if self.exchange:
            lines += ["  so far:", *(f"    {line}" for line in self.exchange)]
        return "\n".join(lines)


class Failed(Exception):
    """A script's expectation was not met."""

    def __init__(self, said: str, expected: str = "", came: str = "") -> None:
        super().__init__(said)
        self.said, self.expected, self.came = said, expected, came


def exit_code(verdicts: list[Verdict]) -> int:
    """1 when a script failed, else 2 when one is unreadable, else 3 when one was refused, else 0."""
    kinds = {v.kind for v in verdicts}
    return next((EXIT[k] for k in ("failed", "unreadable", "refused") if k in kinds), 0)
