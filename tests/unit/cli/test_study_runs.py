"""Studies at the command line: told, kept, and looked at again."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from netlab.cli.main import main
from netlab.cli.study import Progress, as_csv, keep, told
from netlab.errors import BadInput
from netlab.experiment.study import Case, Metric, Published, Row, Study, StudyResult, run_study

Captured = pytest.CaptureFixture[str]

SQUARES = Study(
    "squares",
    "How big are squares?",
    (Case("two", {"side": 2}), Case("three", {"side": 3})),
    lambda case, seed: Row({"area": case.settings["side"] ** 2, "holes": None}),
    (Metric("area", "m²", "the side times itself"), Metric("holes")),
    published=(
        Published("Euclid", "three", {"area": 9}),
        Published("Euclid", "five", {"area": 25}, {"side": 5}),
    ),
    notes=("flat ones only",),
)


@pytest.fixture
def squares() -> StudyResult:
    """All squares."""
    return run_study(SQUARES)


def test_numbers_stand_above_the_published_ones_and_name_their_source(squares: StudyResult) -> None:
    lines = told(squares).splitlines()
    assert lines[0] == "squares, seed 1: How big are squares?"
    rows = [line.split() for line in lines if line.startswith(("two", "three", "  ◦"))]
    assert rows[:2] == [["two", "4", "-"], ["three", "9", "-"]]
    assert rows[2:] == [["◦", "[1]", "9", "(ours", "+0", "%)", "-"], ["◦", "[1]", "five", "25", "-"]]
    assert "◦ [1] Euclid" in lines
    assert "note: flat ones only" in lines


def test_a_kept_study_is_shown_as_it_was_told(squares: StudyResult, tmp_path: Path, capsys: Captured) -> None:
    keep(squares, tmp_path / "kept")
    assert main(["view", str(tmp_path / "kept")]) == 0
    assert capsys.readouterr().out == told(squares) + "\n"
    assert json.loads((tmp_path / "kept" / "result.json").read_text()) == squares.to_data()


def test_a_kept_study_can_be_shown_as_a_page_but_has_no_packets(
    squares: StudyResult, tmp_path: Path, capsys: Captured
) -> None:
    keep(squares, tmp_path / "kept")
    first = (tmp_path / "kept" / "report.html").read_text()
    assert main(["view", str(tmp_path / "kept"), "--as", "html", "--out", str(tmp_path / "again.html")]) == 0
    assert "How big are squares?" in first and len((tmp_path / "again.html").read_text()) == len(first)
    capsys.readouterr()
    for wrong in (["--as", "pcapng"], ["--packet", "1"]):
        assert main(["view", str(tmp_path / "kept"), *wrong]) == 2
        assert "a study keeps numbers, no packets; look at it as terminal or html" in capsys.readouterr().err


def test_a_place_where_no_study_can_be_kept_is_said(squares: StudyResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="the study cannot be kept there"):
        keep(squares, tmp_path / "file")


def test_the_table_is_one_for_spreadsheets(squares: StudyResult) -> None:
    rows = list(csv.DictReader(as_csv(squares).splitlines()))
    assert [(row["case"], row["side"], row["area"], row["source"]) for row in rows] == [
        ("two", "2", "4", ""),
        ("three", "3", "9", ""),
        ("three", "", "9", "Euclid"),
        ("five", "5", "25", "Euclid"),
    ]


def test_without_a_name_it_says_what_there_is(capsys: Captured) -> None:
    assert main(["run"]) == 0
    said = capsys.readouterr().out
    assert "01-packet-path" in said
    assert "study" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nonsense"], "there is no lab or study 'nonsense'; there are 01-packet-path"),
        (["run", "01", "--case", "x"], "01: --case is for studies"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], says: str, capsys: Captured) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_a_kept_study_that_is_broken_is_said(squares: StudyResult, tmp_path: Path, capsys: Captured) -> None:
    keep(squares, tmp_path)
    (tmp_path / "result.json").write_text('{"study": "squares"}')
    assert main(["view", str(tmp_path)]) == 2
    assert "result.json: it holds no study that this netlab can read" in capsys.readouterr().err


def test_a_real_study_runs_from_the_command_line(tmp_path: Path, capsys: Captured) -> None:
    chosen = ["run", "dctcp", "--case", "dctcp K=5", "--seed", "3"]
    assert main([*chosen, "--json", "--out", str(tmp_path / "kept")]) == 0
    told_now = json.loads(capsys.readouterr().out)
    assert told_now == json.loads((tmp_path / "kept" / "result.json").read_text())
    (measured,) = told_now["measured"]
    assert told_now["seed"] == 3 and 4 <= measured["row"]["metrics"]["q50"] <= 6


def test_several_cases_at_a_time_give_the_same_result(capsys: Captured) -> None:
    told_now = []
    for jobs in ("1", "2"):
        assert main(["run", "incast", "--case", "dctcp*, 5 servers", "--jobs", jobs, "--json"]) == 0
        told_now.append(capsys.readouterr().out)
    assert told_now[0] == told_now[1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_who_watches_sees_which_case_is_at_work_and_a_file_stays_empty() -> None:
    for stream, said in ((Terminal(), ["1/2  two", "2/2  three", ""]), (io.StringIO(), [])):
        progress = Progress(stream)
        run_study(SQUARES, begun=progress.begun)
        progress.end()
        assert stream.getvalue().split("\r\x1b[K")[1:] == said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", __file__], "it is a file, not a folder; choose another folder with --out"),
        (["--case", "x"], "dctcp: there is no case 'x'; cases are reno, cubic,"),
        (["--backend", "mininet"], "dctcp: a study runs in virtual time"),
        (["--answer", "x.py"], "dctcp: --answer is for labs"),
    ],
)
def test_what_a_study_cannot_do_is_said(arguments: list[str], says: str, capsys: Captured) -> None:
    assert main(["run", "dctcp", *arguments]) == 2
    assert says in capsys.readouterr().err
