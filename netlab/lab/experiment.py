"""An experiment of a lab: built from a variant and a seed, run in either world with the student's part in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netlab.experiment.result import Result
from netlab.experiment.run import run_experiment
from netlab.experiment.spec import Experiment
from netlab.lab.variant import Variant
from netlab.stack.slot import SlotCall, SlotFailure


@dataclass(frozen=True)
class LabExperiment:
    """``build(variant, seed)`` says what is run; calling this runs it in the simulated world, as a judge does."""

    build: Callable[[Variant, int], Experiment]

    def __call__(self, variant: Variant, seed: int, slots: Mapping[str, SlotCall], *, backend: str = "sim") -> Result:
        """The Result of one run with ``slots`` (slot name to function) filled.

        SlotFailure when a function broke down; one that gave back nonsense only loses the packets that it was given.
        """
        result = run_experiment(self.build(variant, seed), backend=backend, seed=seed, part=slots)
        for failure in result.facts["slot_failures"]:
            if failure["kind"] != "invalid":
                raise SlotFailure(failure["kind"], failure["said"])
        return result
