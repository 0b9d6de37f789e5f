"""The exercise cell: what is written in it is the submission, and it is judged as the grader will judge it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from netlab.errors import BadInput
from netlab.experiment.result import Result
from netlab.files import said, whole
from netlab.grade.judge import Graded, check_file
from netlab.grade.sandbox import Sandbox
from netlab.lab.lab import Lab
from netlab.lab.variant import variant
from netlab.stack.slot import SlotCall

_UNWRITTEN = "raise NotImplementedError"
"""Python's own word for a function that is still to be written: the starter's."""


class Answer:
    """A student's file for a lab's slot."""

    def __init__(self, lab: Lab, path: Path, student: str = "") -> None:
        self.lab, self.path, self.student = lab, path, student
        self._written = ""
        """What the cell wrote last: to be replaced without a word."""

    def write(self, text: str) -> str:
        """Keep the text, whole or not at all; what was done, in a sentence. Nothing that somebody wrote is lost."""
        before = self._before()
        if _UNWRITTEN in text and before and _UNWRITTEN not in before:
            return f"{self.path.name} holds an answer and this cell none: the file stays as it is."
        try:
            kept = self._set_aside(before) if before not in ("", text, self._written, self._starter()) else ""
            with whole(self.path) as file:
                file.write_text(text, encoding="utf-8")
        except OSError as error:
            right = "the cell's text is still in the notebook; make room or choose another folder"
            raise BadInput(f"the answer cannot be kept ({said(error)})", where=str(self.path), right=right) from error
        self._written = text
        return f"{self.path.name}: {len(text.splitlines())} lines kept. Now check it below.{kept}"

    def _before(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def _starter(self) -> str:
        path = (self.lab.folder or Path()) / self.lab.exercises[0].starter
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _set_aside(self, text: str) -> str:
        number = 1
        while (path := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        with whole(path) as file:
            file.write_text(text, encoding="utf-8")
        return f" What was in the file before is kept in {path.name}."

    def check(self) -> Graded:
        """The visible checks."""
        if not self.path.is_file():
            right = "run the exercise cell first: it writes the file"
            raise BadInput("there is no answer yet", where=self.path.name, right=right)
        return check_file(self.lab, self.path, self.student)

    def replay(self, experiment: str, seed: int) -> Result:
        """The run that a check judged, once more."""
        with self.called(True) as part:
            run: Any = self.lab.experiments[experiment]
            result: Result = run(variant(self.lab, self.student), seed, part)
            return result

    @contextmanager
    def called(self, mine: bool = True) -> Iterator[Mapping[str, SlotCall]]:
        """The slots filled with this file's functions, run in the grader's sandbox; none when not ``mine``."""
        if not mine:
            yield {}
            return
        with Sandbox(self.path) as box:
            yield {exercise.slot: partial(box.call, exercise.slot) for exercise in self.lab.exercises}


_answers: dict[str, Answer] = {}
"""By slot: where an exercise cell of this notebook is written. A notebook's kernel works on one lab."""


def register(answer: Answer) -> None:
    """Let ``%%exercise`` write this answer."""
    from IPython import get_ipython

    for exercise in answer.lab.exercises:
        _answers[exercise.slot] = answer
    shell = get_ipython()
    if shell is not None:
        shell.register_magic_function(exercise_cell, "cell", "exercise")


def exercise_cell(line: str, cell: str) -> None:
    """``%%exercise forward``: keep the cell as the answer, if it is Python at all."""
    slot = line.strip()
    if slot not in _answers:
        right = f"write %%exercise {next(iter(_answers), 'NAME')} on its first line"
        raise BadInput(f"this lab has no slot '{slot}'", where="exercise cell", right=right)
    answer = _answers[slot]
    try:
        compile(cell, answer.path.name, "exec")
    except SyntaxError as error:
        what = f"line {error.lineno} is no Python ({error.msg}), so {answer.path.name} stays as it was"
        raise BadInput(what, where="exercise cell", right="mend it and run the cell again") from None
    print(answer.write(cell))
