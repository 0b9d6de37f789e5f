"""A student's guesses, kept beside his answer: they were made once, and a new kernel is no new chance."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from netlab.files import whole


class Guesses:
    """By the prediction's name. A file that cannot be read holds none; one that cannot be written loses only itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.made: dict[str, str] = {}
        with suppress(OSError, ValueError):
            found = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                self.made = {str(name): str(guess) for name, guess in found.items()}

    def keep(self, name: str, guess: str) -> None:
        """Commit to a guess."""
        self.made[name] = guess
        with suppress(OSError), whole(self._path) as file:
            file.write_text(json.dumps(self.made), encoding="utf-8")
