"""What a lab asks of its reader besides code: a guess before the run, an explanation after it, and what if.

All three are judged by records: a prediction comes true or not in a run, and the answer to a question is a record that
the student picks in the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from netlab.experiment.result import Result
from netlab.experiment.spec import Experiment
from netlab.lab.check import Verdict


@dataclass(frozen=True)
class Prediction:
    """A guess that unlocks the run of an experiment."""

    name: str
    ask: str
    options: tuple[str, ...]
    experiment: str
    came_true: Callable[[Result], str]
    """Which of the options a run shows, read from its records."""
    because: str
    """Why, in a sentence or two, for after the run."""


@dataclass(frozen=True)
class Question:
    """A question whose answer is a record of an experiment's log."""

    name: str
    ask: str
    experiment: str
    right: Callable[[Result, int], Verdict]
    """(result, index of the record that was picked) -> whether it is one, and what it shows or why it is not."""


@dataclass(frozen=True)
class Knob:
    """A number that a reader may turn: shown as ``label`` with its unit."""

    name: str
    label: str
    low: int
    high: int
    value: int
    step: int = 1


@dataclass(frozen=True)
class WhatIf:
    """An experiment with knobs: ``build(variant, seed, **values)``."""

    ask: str
    build: Callable[..., Experiment]
    knobs: tuple[Knob, ...]

    def values(self, **turned: Any) -> dict[str, int]:
        """The value of every knob, as turned or as given."""
        return {knob.name: int(turned.get(knob.name, knob.value)) for knob in self.knobs}
