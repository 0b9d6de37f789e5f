"""A lab as its ``lab.py`` declares it, once: the notebook, ``nlab run``, ``check`` and ``grade`` are doors to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netlab.backend.base import SlotCall
from netlab.errors import BadInput
from netlab.experiment.result import Result
from netlab.lab.check import Check
from netlab.lab.exercise import Exercise
from netlab.lab.rhythm import Prediction, Question, WhatIf
from netlab.lab.variant import Variant

MIN_SEEDS = 3

Slots = Mapping[str, SlotCall]
"""Slot name -> the student's function; a slot not named keeps netlab's own implementation."""

Experiment = Callable[[Variant, int, Slots], Result]
"""``experiment(variant, seed, slots)``: build the topology and the traffic from the variant, run, give the result.

A `netlab.backend.base.SlotFailure` passes through it; whoever judges makes a row of it.
"""


@dataclass(frozen=True)
class Lab:
    """A lab: what is run, what the student builds, how it is checked, and what differs between students."""

    slug: str
    """The folder's name: "01-packet-path"."""
    title: str
    experiments: Mapping[str, Experiment]
    exercises: tuple[Exercise, ...]
    checks: tuple[Check, ...]
    """In the order in which they are asked; a check comes behind those that it depends on."""
    variant: Callable[[random.Random], Mapping[str, Any]]
    predictions: tuple[Prediction, ...] = ()
    """Each unlocks the run of its experiment."""
    questions: tuple[Question, ...] = ()
    what_if: WhatIf | None = None
    seeds: tuple[int, ...] = (1, 2, 3)
    """Of the visible checks."""
    folder: Path | None = field(default=None, compare=False)
    """Where it was loaded from."""

    def __post_init__(self) -> None:
        if len(self.seeds) < MIN_SEEDS:
            raise self._wrong(f"{len(self.seeds)} seeds are too few", f"give at least {MIN_SEEDS}")
        seen: set[str] = set()
        for check in self.checks:
            self._examine(check, seen)
            seen.add(check.name)

    def check(self, name: str) -> Check:
        """The check of that name (KeyError when there is none)."""
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    @property
    def points(self) -> int:
        """What a perfect answer gets."""
        return sum(check.points for check in self.checks)

    def _examine(self, check: Check, before: set[str]) -> None:
        where = f"check '{check.name}'"
        if check.name in before:
            raise self._wrong(f"{where} is there twice", "give each check a name of its own")
        if not check.needs:
            raise self._wrong(f"{where} has no need, so an empty run could pass it", "say what a run must contain")
        for name in check.after:
            if name not in before:
                raise self._wrong(f"{where} comes after '{name}', which is no check before it", "put that one first")
        for name in check.experiments or ("",):
            if name not in self.experiments:
                known = ", ".join(self.experiments)
                raise self._wrong(f"{where} asks for experiment '{name}'", f"experiments are {known}")

    def _wrong(self, what: str, right: str) -> BadInput:
        return BadInput(what, where=self.slug, right=right)
