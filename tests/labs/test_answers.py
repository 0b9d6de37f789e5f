"""Every lab's files, judged as a class's would be: the starter scores 0, the answer all, each wrong one as it says.

A fresh secret each time, so that no answer fits by luck of the numbers.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest

from netlab.grade.judge import grade_submission
from netlab.lab.catalogue import find_labs, load_folder
from netlab.lab.variant import variant

LABS = {lab.slug: load_folder(lab.path) for lab in find_labs()}
WRONG = [(slug, path) for slug, lab in LABS.items() for path in sorted((lab.folder or Path()).glob("wrong/*.py"))]


@pytest.mark.parametrize("slug", LABS)
def test_the_starter_scores_nothing(slug: str) -> None:
    lab = LABS[slug]
    rows = grade_submission(lab, lab.folder / "starter.py", "starter", secrets.token_bytes(16))  # type: ignore[operator]
    assert len(rows) == len(lab.checks)
    assert sum(row.points for row in rows) == 0
    assert not [row for row in rows if row.status == "passed"]


@pytest.mark.parametrize("slug", LABS)
def test_the_answer_scores_all(slug: str) -> None:
    lab = LABS[slug]
    rows = grade_submission(lab, lab.folder / "answer.py", "answer", secrets.token_bytes(16))  # type: ignore[operator]
    assert [(row.check, row.said) for row in rows if row.status != "passed"] == []
    assert sum(row.points for row in rows) == lab.points


@pytest.mark.parametrize(("slug", "path"), WRONG, ids=[f"{slug[:2]}-{path.stem}" for slug, path in WRONG])
def test_a_wrong_answer_fails_the_one_check_that_it_names(slug: str, path: Path) -> None:
    named = re.search(r"^Check: (\S+)$", path.read_text(), re.MULTILINE)
    assert named, f"{path.name} does not say which check it fails (a line 'Check: NAME')"
    rows = grade_submission(LABS[slug], path, path.stem, secrets.token_bytes(16))
    failed = [row for row in rows if row.status == "failed"]
    assert [row.check for row in failed] == [named.group(1)], [(r.check, r.status, r.said) for r in rows]
    assert all(row.status in ("passed", "blocked") for row in rows if row not in failed)
    assert len(failed[0].said) > 30 and failed[0].evidence, "a student is told what happened, and where"


@pytest.mark.parametrize("slug", LABS)
def test_there_are_at_least_four_misconceptions_and_each_check_has_one(slug: str) -> None:
    lab = LABS[slug]
    named = {
        found.group(1)
        for other, path in WRONG
        if other == slug and (found := re.search(r"^Check: (\S+)$", path.read_text(), re.MULTILINE))
    }
    assert len([path for other, path in WRONG if other == slug]) >= 4
    assert named == {check.name for check in lab.checks if not check.hidden}


@pytest.mark.parametrize("slug", LABS)
def test_variants_are_equally_hard(slug: str) -> None:
    """The traffic of 200 students: other numbers, the same amount of work."""
    lab = LABS[slug]
    experiment = lab.checks[0].experiments[0]
    build = lab.experiments[experiment].build  # type: ignore[attr-defined]
    seen, sizes = set(), set()
    for n in range(200):
        numbers = variant(lab, f"student{n}", b"secret")
        seen.add(tuple(sorted(numbers.items(), key=str)))
        made = build(numbers, 1)
        sizes.add((len(made.topology.nodes), sum(getattr(w, "count", 1) for w in made.workloads)))
    assert len(seen) > 190 and len(sizes) == 1


@pytest.mark.parametrize("slug", LABS)
def test_predictions_come_true_as_one_of_their_options_and_questions_have_an_answer(slug: str) -> None:
    lab = LABS[slug]
    numbers = variant(lab)
    results = {name: run(numbers, 1, {}) for name, run in lab.experiments.items()}
    for prediction in lab.predictions:
        assert prediction.came_true(results[prediction.experiment]) in prediction.options
    for question in lab.questions:
        result = results[question.experiment]
        right = [i for i in range(len(result.log)) if question.right(result, i).passed]
        assert 0 < len(right) < len(result.log) / 10, question.name
        assert all(question.right(result, i).said for i in range(len(result.log)))
