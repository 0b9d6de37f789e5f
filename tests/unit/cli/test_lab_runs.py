"""Lab 01 from the command line: run, view, check and grade, in the simulated world."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from netlab.cli.main import main
from netlab.lab.catalogue import find_lab
from netlab.trace.log import Log
from netlab.wire.pcapng import read

Captured = pytest.CaptureFixture[str]
LAB = find_lab("01").path

LONG = "x" * 300
"""A name that the file system refuses to look at, whoever asks: root may read what modes forbid."""


@pytest.fixture
def run_folder(tmp_path: Path, capsys: Captured) -> Path:
    """A folder with a run of lab 01."""
    assert main(["run", "01", "--seed", "1", "--out", str(tmp_path / "A")]) == 0
    capsys.readouterr()
    return tmp_path / "A"


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(run_folder: Path, capsys: Captured) -> None:
    for name, seed in (("B", "1"), ("C", "2")):
        assert main(["run", "01-packet-path", "--seed", seed, "--out", str(run_folder.parent / name)]) == 0
    traces = [(run_folder.parent / name / "trace.arrow").read_bytes() for name in "ABC"]
    results = [(run_folder.parent / name / "result.json").read_bytes() for name in "ABC"]
    assert traces[0] == traces[1] != traces[2]
    assert results[0] == results[1] != results[2]


def test_a_run_says_what_was_measured_and_what_happened(capsys: Captured) -> None:
    assert main(["run", "01"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("01-packet-path crossing: packet-path in sim, seed 1\n")
    assert "r1 took it in at r1-eth0" in said


def test_json_is_the_result_and_its_digest_is_the_logs(run_folder: Path, capsys: Captured) -> None:
    assert main(["run", "01", "--seed", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((run_folder / "result.json").read_text())
    assert told["digest"] == Log.load(run_folder / "trace.arrow").digest()


def test_an_answer_can_be_run_in_the_slot(capsys: Captured) -> None:
    assert main(["run", "01", "--answer", str(LAB / "answer.py"), "--experiment", "trial"]) == 0
    assert capsys.readouterr().out.startswith("01-packet-path trial: ")


def test_an_answer_that_breaks_down_is_told_in_a_line(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "mine.py").write_text("def forward(packets, routes, addresses):\n    return 1 / 0\n")
    assert main(["run", "01", "--answer", str(tmp_path / "mine.py"), "--experiment", "trial"]) == 1
    assert "mine.py:2 in forward: ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "99"], "there is no lab or study '99'"),
        (["run", "01", "--experiment", "x"], "there is no experiment 'x'; experiments are crossing, trial"),
        (["run", "01", "--answer", "nowhere.py"], "nowhere.py: there is no such file"),
        (["view", "nowhere"], "nowhere: there is no such folder; give a folder that 'nlab run LAB --out FOLDER'"),
        (["view", "."], ".: there is no trace.arrow"),
        (["check", "01", "nowhere.py"], "nowhere.py: there is no such file"),
        (["check", "01"], "begin with: nlab lab open 01"),
        (["grade", "01", "nowhere"], "nowhere: there is no such folder"),
        (["grade", "01", "alice.py"], "alice.py: it is a file, not a folder; give a folder with one .py a student"),
        (["check", "01", "."], ".: it is a folder; give your answer's .py file"),
        (["run", "01", "--answer", "."], ".: it is a folder; give the exercise.py"),
        (["topo", "show", LONG + ".yaml"], "it cannot be read (File name too long)"),
        (["topo", "check", LONG + ".yaml"], "it cannot be read (File name too long)"),
        (["up", LONG + ".yaml"], "it cannot be read (File name too long)"),
        (["view", LONG], "it cannot be read (File name too long)"),
        (["check", "01", LONG], "it cannot be read (File name too long)"),
        (["grade", "01", LONG], "it cannot be read (File name too long)"),
        (["packetdrill", LONG], "it cannot be read (File name too long)"),
    ],
)
def test_what_is_not_there_is_bad_input(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "alice.py").write_text("")
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert says in said.err + said.out


# ---- view ------------------------------------------------------------------------------------------


def test_view_tells_a_packets_way_as_text(run_folder: Path, capsys: Captured) -> None:
    assert main(["view", str(run_folder)]) == 0
    assert "the path of packet 1" in capsys.readouterr().out
    assert main(["view", str(run_folder), "--packet", "3"]) == 0
    assert "the path of packet 3" in capsys.readouterr().out
    assert main(["view", str(run_folder), "--packet", "999"]) == 2
    assert "packet 999 is not in this log" in capsys.readouterr().err


def test_view_as_html_is_one_file_that_loads_nothing(run_folder: Path, capsys: Captured) -> None:
    assert main(["view", str(run_folder), "--as", "html"]) == 0
    page = Path(capsys.readouterr().out.strip())
    assert page == run_folder / "report.html"
    text = page.read_text()
    assert "<svg" in text
    assert "src=" not in text.replace("default-src", "") and "<link" not in text


def test_view_as_pcapng_has_every_frame_on_the_interface_that_saw_it(run_folder: Path, capsys: Captured) -> None:
    target = run_folder / "all.pcapng"
    assert main(["view", str(run_folder), "--as", "pcapng", "--out", str(target)]) == 0
    log = Log.load(run_folder / "trace.arrow")
    seen = [row for row in log.rows if row[1] in ("wire.tx", "wire.rx")]
    packets = read(target)
    assert len(packets) == len(seen)
    assert capsys.readouterr().out == f"{target}: {len(seen)} frames\n"
    assert [packet.t for packet in packets] == sorted(row[0] for row in seen)


def test_a_place_that_cannot_be_written_is_bad_input(run_folder: Path, capsys: Captured) -> None:
    for form in ("html", "pcapng"):
        assert main(["view", str(run_folder), "--as", form, "--out", str(run_folder / "no" / "x")]) == 2
        assert "no/x: it cannot be written (No such file or directory)" in capsys.readouterr().err
    assert main(["run", "01", "--out", str(run_folder / "trace.arrow")]) == 2
    assert "the run cannot be kept there" in capsys.readouterr().err


def test_tshark_finds_nothing_wrong_in_the_pcapng(run_folder: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("apt-get install tshark makes this run")
    main(["view", str(run_folder), "--as", "pcapng"])
    wrong = "_ws.malformed || ip.checksum.status == 0 || icmp.checksum.status == 0 || udp.checksum.status == 0"
    checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    command = ["tshark", "-r", str(run_folder / "trace.pcapng"), *checks, "-Y", wrong]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


# ---- check and grade -------------------------------------------------------------------------------


def test_the_starter_fails_its_check_and_the_answer_passes(capsys: Captured) -> None:
    assert main(["check", "01", str(LAB / "starter.py")]) == 1
    assert "\n0 of " in capsys.readouterr().out
    assert main(["check", "01", str(LAB / "answer.py")]) == 0
    assert "✗" not in capsys.readouterr().out


def test_check_finds_the_exercise_of_the_work_folder(tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "01-packet-path"
    folder.mkdir()
    shutil.copy(LAB / "answer.py", folder / "exercise.py")
    assert main(["check", "01", "--work", str(tmp_path), "--json"]) == 0
    assert {row["status"] for row in json.loads(capsys.readouterr().out)} == {"passed"}


def test_grade_judges_a_folder_and_writes_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "class"
    folder.mkdir()
    shutil.copy(LAB / "answer.py", folder / "ada.py")
    shutil.copy(LAB / "wrong" / "ttl_kept.py", folder / "bob.py")
    (folder / "eve.py").write_text("import os\nos._exit(0)\n")
    assert main(["grade", "01", str(folder), "--out", str(tmp_path / "grades"), "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert f"written to {tmp_path / 'grades' / '01-packet-path.json'}" in said
    assert f"hidden parameters come from {tmp_path / 'state' / 'netlab' / 'secret'}" in said
    told = json.loads((tmp_path / "grades" / "01-packet-path.json").read_text())
    points = {one["student"]: one["points"] for one in told["submissions"]}
    assert 0 == points["eve"] < points["bob"] < points["ada"] == told["of"]
    assert all(len(one["results"]) == len(told["checks"]) for one in told["submissions"])
