"""The command as a person meets it: its list of verbs, its exit codes, what it says when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from netlab.cli.main import VERBS, main

NLAB = [sys.executable, "-m", "netlab.cli.main"]


def nlab(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run([*NLAB, *arguments], capture_output=True, text=True, timeout=60, cwd=cwd, env=env)


def test_without_a_command_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[2 : 2 + len(VERBS)]] == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    said = capsys.readouterr().out
    assert VERBS[verb].says in said.replace("\n", " ")
    assert f"example:\n  nlab {verb}" in said


@pytest.mark.parametrize("verb", ["topo show", "topo check", "topo schema", "lab list", "lab open", "lab reset"])
def test_every_subcommand_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*verb.split(), "--help"]) == 0
    assert f"example:\n  nlab {verb}" in capsys.readouterr().out


def test_a_misspelt_command_is_bad_input_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grad"]) == 2
    assert "there is no command 'grad'; did you mean 'grade'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["topo"], ["topo", "chek"], ["check"], ["topo", "show"], ["run", "01", "--sed", "1"]]
)
def test_a_wrong_command_line_is_bad_input(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage: nlab" in capsys.readouterr().err


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("nlab 0.")


def test_a_process_ends_with_the_same_codes() -> None:
    assert nlab("topo", "show", "pair").returncode == 0
    done = nlab("topo", "show", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nlab: no topology is called 'nowhere'; names are ")


def test_a_reader_that_goes_away_is_not_a_failure_worth_words() -> None:
    command = " ".join([*NLAB, "topo", "show", "star,200", "--json"])
    done = subprocess.run(["sh", "-c", f"{command} | head -1"], capture_output=True, text=True, timeout=60)
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_a_terminal_without_unicode_gets_question_marks_not_a_traceback() -> None:
    done = nlab("topo", "show", "pair", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "h1 ??? h2" in done.stdout


DEFECT = """
import sys
sys.path.insert(0, {folder!r})
from netlab.cli import main
main.VERBS["broken"] = main.Verb("broken_verb", "breaks")
sys.exit(main.main(["broken"]))
"""


@pytest.fixture
def broken(tmp_path: Path) -> list[str]:
    """A command line that meets a defect."""
    (tmp_path / "broken_verb.py").write_text(
        "EXAMPLE = 'nlab broken'\ndef arguments(p): pass\ndef run(o): raise RuntimeError('the floor is gone')\n"
    )
    return [sys.executable, "-c", DEFECT.format(folder=str(tmp_path))]


def test_a_defect_is_one_line_and_says_where_its_traceback_is(broken: list[str], tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path), "NETLAB_DEBUG": ""}
    done = subprocess.run(broken, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 70
    (line,) = done.stderr.splitlines()
    assert line.startswith("nlab: a defect of netlab: RuntimeError: the floor is gone; its traceback is ")
    assert "broken_verb.py" in Path(line.rpartition(" ")[2]).read_text()


def test_a_defect_shows_its_traceback_to_who_asks_for_it(broken: list[str]) -> None:
    env = {**os.environ, "NETLAB_DEBUG": "1"}
    done = subprocess.run(broken, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 70
    assert "Traceback" in done.stderr and "broken_verb.py" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_a_full_disk_below_the_output_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "netlab.cli.main", "topo", "show", "star"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (3, "nlab: standard output: No space left on device\n")


def test_an_interrupt_ends_with_130(tmp_path: Path) -> None:
    (tmp_path / "wait.py").write_text("import signal, os\nos.kill(os.getpid(), signal.SIGINT)\nsignal.pause()\n")
    done = nlab("topo", "show", str(tmp_path / "wait.py"))
    assert done.returncode == 130
    assert done.stderr == "nlab: interrupted\n"
