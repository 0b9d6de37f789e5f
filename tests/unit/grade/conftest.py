"""A toy lab, and a way to write submissions to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netlab.lab.catalogue import load_folder
from netlab.lab.lab import Lab

TOY = """
from netlab.experiment.result import Result
from netlab.lab.check import Check, Need, Verdict
from netlab.lab.exercise import Exercise
from netlab.lab.lab import Lab
from netlab.trace.log import Header, Log


def _run(name, low):
    def run(variant, seed, slots):
        numbers = tuple(range(low * seed, low * seed + variant["count"]))
        log = Log(Header("sim", seed, {}))
        doubled = slots["double"](numbers)
        for t, (number, got) in enumerate(zip(numbers, doubled)):
            log.add((t, "app", "h1", "double", 0, number, (f"{number} -> {got}", got)))
        return Result(name, {"seed": seed, "count": variant["count"]}, {"asked": len(numbers)}, log)

    return run


def _doubles(experiment):
    def judge(results):
        for index, row in enumerate(results[experiment].log.rows):
            number, got = row[5], row[6][1]
            if got != 2 * number:
                return Verdict(False, f"{number} went in, {2 * number} is right, {got} came out", records=(index,))
        return Verdict(True)

    return judge


def _some(experiment):
    return Need("3 numbers that came back", lambda results: len(results[experiment].log) >= 3)


def _check(name, experiment, points, **more):
    return Check(name, points, f"{name} are doubled", (experiment,), _doubles(experiment), (_some(experiment),), **more)


LAB = Lab(
    slug="90-toy",
    title="Doubling",
    experiments={"small": _run("small", 1), "big": _run("big", 10**6)},
    exercises=(Exercise("double", "double(numbers) -> numbers", "Twice each number."),),
    checks=(
        _check("numbers", "small", 2),
        _check("big-numbers", "big", 1),
        _check("any-numbers", "small", 3, after=("numbers",), hidden=True),
    ),
    variant=lambda numbers: {"count": numbers.randrange(5, 20)},
)
"""

RIGHT = "def double(numbers):\n    return [2 * n for n in numbers]\n"


@pytest.fixture
def toy(tmp_path: Path) -> Lab:
    folder = tmp_path / "labs" / "90-toy"
    folder.mkdir(parents=True)
    (folder / "lab.py").write_text(TOY)
    return load_folder(folder)


@pytest.fixture
def submit(tmp_path: Path) -> Callable[..., Path]:
    """Write a submission: ``submit("ada", text)``; gives its path."""
    folder = tmp_path / "class"
    folder.mkdir()

    def write(student: str, text: str | bytes = RIGHT) -> Path:
        path = folder / (student if "." in student else f"{student}.py")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write
