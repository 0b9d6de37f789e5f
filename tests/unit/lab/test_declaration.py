"""A lab that is declared wrongly is refused where it is declared, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from netlab.errors import BadInput
from netlab.experiment.result import Result
from netlab.lab.check import Check, Need, Verdict
from netlab.lab.exercise import Exercise
from netlab.lab.lab import Lab

SOME = Need("3 journeys that crossed r1", lambda results: True)


def never(*_: object) -> Result:
    raise AssertionError("a declaration runs nothing")


def check(name: str, **more: Any) -> Check:
    fields: dict[str, Any] = {"experiments": ("line",), "needs": (SOME,), **more}
    return Check(name, 1, f"{name} holds", judge=lambda results: Verdict(True), **fields)


def lab(*checks: Check, **more: Any) -> Lab:
    fields: dict[str, Any] = {"experiments": {"line": never}, "variant": lambda numbers: {}, **more}
    return Lab("07-x", "X", exercises=(Exercise("f", "f(x) -> y", "What f does."),), checks=checks, **fields)


def test_a_good_lab_knows_its_checks_and_points() -> None:
    good = lab(check("a"), check("b", after=("a",)))
    assert good.check("b").after == ("a",)
    assert good.points == 2
    with pytest.raises(KeyError):
        good.check("c")


@pytest.mark.parametrize(
    ("checks", "more", "said"),
    [
        ((check("a"), check("a")), {}, "07-x: check 'a' is there twice; give each check a name of its own"),
        ((check("a", needs=()),), {}, "07-x: check 'a' has no need, so an empty run could pass it"),
        ((check("a", after=("b",)), check("b")), {}, "07-x: check 'a' comes after 'b', which is no check before it"),
        ((check("a", experiments=("star",)),), {}, "07-x: check 'a' asks for experiment 'star'; experiments are line"),
        ((check("a", experiments=()),), {}, "07-x: check 'a' asks for experiment ''"),
        ((check("a"),), {"seeds": (1, 2)}, "07-x: 2 seeds are too few; give at least 3"),
    ],
)
def test_a_wrong_one_says_what_and_where(checks: tuple[Check, ...], more: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        lab(*checks, **more)
    assert str(caught.value).startswith(said)


def test_a_changed_copy_is_examined_again() -> None:
    with pytest.raises(BadInput, match="too few"):
        replace(lab(check("a")), seeds=(1,))
