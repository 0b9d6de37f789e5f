"""`nlab lab`: a student's folder is made once, kept as he left it, and set aside when he starts afresh."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from netlab.cli import jupyter
from netlab.cli.main import main

Captured = pytest.CaptureFixture[str]
NOTEBOOK = """\
# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---
# %% [markdown]
# # A toy
# %% tags=["first"]
print("here")
"""
LAB = "from netlab.lab.lab import Lab\nLAB = Lab('07-toy', 'A toy', {}, (), (), lambda numbers: {})\n"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab 07, and a folder to work in; the folder."""
    lab = tmp_path / "labs" / "07-toy"
    lab.mkdir(parents=True)
    (lab / "lab.py").write_text(LAB)
    (lab / "notebook.py").write_text(NOTEBOOK)
    (lab / "starter.py").write_text("def forward(packets):\n    raise NotImplementedError\n")
    (lab / "answer.py").write_text("secret\n")
    monkeypatch.setenv("NETLAB_LABS", str(tmp_path / "labs"))
    here = tmp_path / "home"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def test_open_makes_the_notebook_and_the_starter_and_nothing_else(toy: Path, capsys: Captured) -> None:
    assert main(["lab", "open", "7"]) == 0
    assert "work/07-toy: made exercise.py, 07-toy.ipynb" in capsys.readouterr().out
    folder = toy / "work" / "07-toy"
    assert sorted(path.name for path in folder.iterdir()) == ["07-toy.ipynb", "exercise.py"]
    notebook = json.loads((folder / "07-toy.ipynb").read_text())
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert [cell["cell_type"] for cell in notebook["cells"]] == ["markdown", "code"]
    assert notebook["cells"][1]["metadata"]["tags"] == ["first"]


def test_open_again_keeps_what_is_there(toy: Path, capsys: Captured) -> None:
    main(["lab", "open", "07"])
    answer = toy / "work" / "07-toy" / "exercise.py"
    answer.write_text("my own work\n")
    assert main(["lab", "open", "07-toy"]) == 0
    assert capsys.readouterr().out.splitlines()[-2] == "work/07-toy: as you left it"
    assert answer.read_text() == "my own work\n"


def test_open_brings_back_what_was_removed(toy: Path) -> None:
    main(["lab", "open", "07"])
    (toy / "work" / "07-toy" / "07-toy.ipynb").unlink()
    assert main(["lab", "open", "07"]) == 0
    assert (toy / "work" / "07-toy" / "07-toy.ipynb").is_file()


def test_reset_starts_afresh_and_keeps_every_old_folder(toy: Path, capsys: Captured) -> None:
    answer = toy / "work" / "07-toy" / "exercise.py"
    for attempt in ("first", "second"):
        main(["lab", "open", "07"])
        answer.write_text(attempt)
        assert main(["lab", "reset", "07"]) == 0
    assert "kept in work/07-toy.2" in capsys.readouterr().out
    assert "NotImplementedError" in answer.read_text()
    assert (toy / "work" / "07-toy.1" / "exercise.py").read_text() == "first"
    assert (toy / "work" / "07-toy.2" / "exercise.py").read_text() == "second"


def test_reset_of_a_lab_that_was_never_begun_begins_it(toy: Path) -> None:
    assert main(["lab", "reset", "07"]) == 0
    assert (toy / "work" / "07-toy" / "exercise.py").is_file()


def test_another_work_folder_can_be_chosen(toy: Path) -> None:
    assert main(["lab", "open", "07", "--work", "elsewhere"]) == 0
    assert (toy / "elsewhere" / "07-toy" / "exercise.py").is_file()
    assert not (toy / "work").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(toy: Path, capsys: Captured) -> None:
    (toy / "file").write_text("")
    assert main(["lab", "open", "07", "--work", "file"]) == 2
    assert "file/07-toy: the folder cannot be made" in capsys.readouterr().err


def test_list_says_which_are_begun(toy: Path, capsys: Captured) -> None:
    main(["lab", "list", "--json"])
    before = {row["lab"]: row["begun"] for row in json.loads(capsys.readouterr().out)}
    main(["lab", "open", "07"])
    capsys.readouterr()
    assert main(["lab", "list"]) == 0
    assert before["07-toy"] is False
    assert re.search(r"07-toy +A toy +work/07-toy", capsys.readouterr().out)


def test_an_unknown_lab_is_bad_input(toy: Path, capsys: Captured) -> None:
    assert main(["lab", "open", "99"]) == 2
    assert "there is no lab '99'; labs are " in capsys.readouterr().err


# ---- JupyterLab ------------------------------------------------------------------------------------

SERVER = jupyter.Server(8890, "token123")


def test_on_this_machine_one_line_says_where_to_go() -> None:
    said = jupyter.directions(SERVER, "01-a/01-a.ipynb", environment={})
    assert said.splitlines()[0] == "JupyterLab is at  http://127.0.0.1:8890/lab/tree/01-a/01-a.ipynb?token=token123"


def test_over_ssh_it_says_how_to_bring_the_port_home() -> None:
    remote = {"SSH_CONNECTION": "192.0.2.7 50022 192.0.2.80 22", "DISPLAY": ":10"}
    first = jupyter.directions(SERVER, "x.ipynb", environment=remote).splitlines()[0]
    assert re.fullmatch(r"On your own computer run  ssh -L 8890:127\.0\.0\.1:8890 \S+@192\.0\.2\.80", first)
    assert not jupyter.browser_here(remote)


def test_the_token_is_not_on_the_command_line(tmp_path: Path) -> None:
    assert not any("oken=" in word for word in jupyter.command(tmp_path, "x.ipynb", browser=False))


def test_a_server_that_was_killed_is_not_taken_for_a_running_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    about = {"port": 1, "token": "x", "root_dir": str(tmp_path), "pid": 1}
    (tmp_path / "jpserver-1.json").write_text(json.dumps(about))
    (tmp_path / "jpserver-2.json").write_text("half a fi")
    assert jupyter.running(tmp_path) is None


def test_start_serves_the_notebook_and_an_interrupt_ends_it(toy: Path, tmp_path: Path) -> None:
    """A real JupyterLab: it answers with its token, a second `open --start` finds it, Ctrl-C leaves nothing."""
    runtime = tmp_path / "runtime"
    env = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "netlab.cli.main", "lab", "open", "07", "--start", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, start_new_session=True)
    assert process.stdout
    try:
        said = ""
        while "Ctrl-C" not in said and (line := process.stdout.readline()):
            said += line
        url = re.search(r"http://127\.0\.0\.1:\d+/\S+", said)
        assert url, said
        with build_opener(ProxyHandler({})).open(url.group(), timeout=20) as page:
            assert page.status == 200
        again = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
        assert url.group() in again.stdout and "running already" in again.stdout
    finally:
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 0
        process.stdout.close()
    assert not list(runtime.glob("jpserver-*.json"))
