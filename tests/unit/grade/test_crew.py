"""A folder of submissions, judged by workers: a row for everything, in the order of the files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from netlab.errors import BadInput
from netlab.grade.crew import grade_folder, pack, passed_over, submissions, unpack
from netlab.grade.judge import Graded, judge
from netlab.grade.report import skipped, to_json
from netlab.grade.sandbox import Limits
from netlab.lab.lab import Lab

Submit = Callable[..., Path]

SECRET = bytes(range(32))
QUICK = Limits(wall=1.0, total=20.0)

CLASS: dict[str, tuple[str | bytes, list[str]]] = {
    "alloc": ("def double(n): return bytearray(10 * 2**30)", ["error", "error", "blocked"]),
    "answer": ("def double(n): return [2 * i for i in n]", ["passed"] * 3),
    "binary": (bytes(range(256)), ["error"] * 3),
    "bomb": ("import os\ndef double(n):\n while True: os.fork()", ["error", "error", "blocked"]),
    "empty": ("", ["absent"] * 3),
    "exit": ("import os\ndef double(n): os._exit(0)", ["error", "error", "blocked"]),
    "loop": ("def double(n):\n while True: pass", ["error", "error", "blocked"]),
    "missing": ("def triple(n): return n", ["absent"] * 3),
    "syntax": ("def double(n:", ["error"] * 3),
    "wrong": ("def double(n): return n", ["failed", "failed", "blocked"]),
}


@pytest.fixture
def folder(submit: Submit) -> Path:
    paths = [submit(name, text) for name, (text, _) in CLASS.items()]
    return paths[0].parent


def test_every_submission_gets_every_row_with_the_right_status(toy: Lab, folder: Path) -> None:
    graded = grade_folder(toy, folder, SECRET, workers=2, limits=QUICK)
    assert {one.student: [row.status for row in one.results] for one in graded} == {
        name: statuses for name, (_, statuses) in CLASS.items()
    }
    assert [one.student for one in graded] == sorted(CLASS)


def test_the_number_of_workers_changes_nothing(toy: Lab, submit: Submit) -> None:
    for name in ("answer", "wrong", "empty"):
        submit(name, CLASS[name][0])
    folder = submit("ada").parent
    one, two = (grade_folder(toy, folder, SECRET, workers=n, limits=QUICK) for n in (1, 2))
    assert to_json(toy, one) == to_json(toy, two)


def test_a_folder_is_told_as_it_goes(toy: Lab, submit: Submit) -> None:
    submit("ada")
    heard: list[Graded] = []
    graded = grade_folder(toy, submit("bob").parent, SECRET, workers=2, told=heard.append)
    assert sorted(heard, key=lambda one: one.student) == graded


def test_a_simulation_that_never_ends_costs_its_own_rows_only(toy: Lab, submit: Submit) -> None:
    assert toy.folder is not None
    endless = "\n\ndef _spin(variant, seed, slots):\n    got = slots['double']((1,))\n    while got == [2]: pass\n"
    endless += "    return LAB.experiments['small'](variant, seed, slots)\n"
    text = (toy.folder / "lab.py").read_text() + endless + "\nLAB.experiments['big'] = _spin\n"
    (toy.folder / "lab.py").write_text(text)
    submit("wrong", CLASS["wrong"][0])
    folder, limits = submit("answer").parent, replace(QUICK, total=60)
    graded = grade_folder(toy, folder, SECRET, workers=2, limits=limits, budget=2.0, grace=4.0)
    assert [row.said for row in graded[0].results] == [
        "the simulation of its answer did not come to an end within 6 s"
    ] * 3
    assert [row.status for row in graded[0].results] == ["error"] * 3
    assert graded[1].results[0].said == "1 went in, 2 is right, 1 came out"


def test_whose_a_file_is(submit: Submit) -> None:
    for name in ("ada.py", "ada.txt", "README"):
        folder = submit(name + ("" if "." in name else ".")).parent
    for name in ("__pycache__", "dir.py"):
        (folder / name).mkdir()
    (folder / ".DS_Store").write_text("")
    assert [one.student for one in submissions(folder)] == ["ada"]
    assert passed_over(folder) == (("README.", "no .py"), ("ada.txt", "no .py"), ("dir.py", "a folder"))
    said = "passed over: README. (no .py), ada.txt (no .py), dir.py (a folder)"
    assert skipped(passed_over(folder)) == said
    assert skipped([]) == ""
    assert skipped([("x", "no .py")] * 50).endswith(" and 42 more")


def test_a_name_that_is_no_text_is_judged_and_shown(toy: Lab, submit: Submit) -> None:
    odd = submit("ada").parent / b"caf\xe9.py".decode(errors="surrogateescape")
    odd.write_text("def double(n): return [2 * i for i in n]")
    graded = grade_folder(toy, odd.parent, SECRET, workers=2)
    assert [(one.student, one.points) for one in graded] == [("ada", 6), ("caf?", 6)]
    assert json.loads(to_json(toy, graded).encode())["submissions"][1]["file"] == "caf?.py"


def test_a_link_is_no_submission_but_has_its_rows(toy: Lab, submit: Submit) -> None:
    path = submit("ada")
    (path.parent / "eve.py").symlink_to(path)
    graded = grade_folder(toy, path.parent, SECRET, workers=1)
    assert [row.said for row in graded[1].results] == ["eve.py is no regular file"] * 3


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such folder"):
        submissions(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="holds no submission"):
        submissions(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(BadInput, match="holds no submission"):
        submissions(tmp_path)
    with pytest.raises(BadInput, match="it is a file, not a folder"):
        submissions(tmp_path / "notes.txt")


def test_rows_cross_between_processes_whole(toy: Lab, submit: Submit) -> None:
    graded = judge(toy, submit("wrong", CLASS["wrong"][0]), "wrong", SECRET)
    assert unpack(pack(graded)) == graded
