"""The exercise cell and the guesses: what a student wrote is never lost, and what he guessed stays guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.errors import BadInput
from netlab.lab.catalogue import load_lab
from netlab.notebook import exercise
from netlab.notebook.exercise import Answer, exercise_cell
from netlab.notebook.guesses import Guesses

STUB = "def forward(packets, routes, addresses):\n    raise NotImplementedError('write it')\n"
MINE = "def forward(packets, routes, addresses):\n    return [('no-route',) for _ in packets]\n"
BETTER = MINE + "# better\n"


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    return Answer(load_lab("01"), tmp_path / "exercise.py")


def test_the_cell_is_kept_and_kept_again_without_ado(answer: Answer, tmp_path: Path) -> None:
    assert "2 lines kept" in answer.write(MINE)
    assert answer.write(BETTER) == "exercise.py: 3 lines kept. Now check it below."
    assert answer.path.read_text() == BETTER
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exercise.py"]


def test_what_was_written_elsewhere_is_set_aside(answer: Answer, tmp_path: Path) -> None:
    answer.path.write_text("# from an editor\n" + MINE)
    assert "kept in exercise.py.1" in answer.write(BETTER)
    assert (tmp_path / "exercise.py.1").read_text().startswith("# from an editor")
    answer.path.write_text("# again\n")
    assert "kept in exercise.py.2" in answer.write(MINE)


def test_an_unwritten_cell_does_not_replace_an_answer(answer: Answer) -> None:
    """As when somebody runs every cell of a fresh notebook."""
    answer.path.write_text(MINE)
    assert "stays as it is" in answer.write(STUB)
    assert answer.path.read_text() == MINE


def test_the_starter_is_nobodys_work(answer: Answer, tmp_path: Path) -> None:
    answer.path.write_text((load_lab("01").folder or Path()).joinpath("starter.py").read_text())
    answer.write(MINE)
    assert [path.name for path in tmp_path.iterdir()] == ["exercise.py"]


def test_what_is_no_python_is_refused_in_a_line_and_loses_nothing(
    answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(exercise._answers, "forward", answer)
    exercise_cell("forward", MINE)
    with pytest.raises(BadInput, match=r"line 1 is no Python \(.*\), so exercise\.py stays as it was") as refused:
        exercise_cell("forward", "def forward(:\n")
    assert refused.value._render_traceback_() == [str(refused.value)], "a notebook shows the sentence alone"
    assert answer.path.read_text() == MINE
    with pytest.raises(BadInput, match="this lab has no slot 'backward'; write %%exercise forward"):
        exercise_cell("backward", MINE)


def test_a_folder_that_cannot_be_written_is_told(answer: Answer) -> None:
    answer.path = Path("/proc/exercise.py")
    with pytest.raises(BadInput, match="the answer cannot be kept"):
        answer.write(MINE)


def test_a_check_without_an_answer_says_what_to_do(answer: Answer) -> None:
    with pytest.raises(BadInput, match="run the exercise cell first"):
        answer.check()


def test_guesses_outlive_a_kernel_and_survive_rubbish(tmp_path: Path) -> None:
    path = tmp_path / ".guesses.json"
    Guesses(path).keep("frames", "2")
    assert Guesses(path).made == {"frames": "2"}
    path.write_text("rubbish")
    assert Guesses(path).made == {}
