"""The simulated world, the labs and the command line run where there is no Linux.

A child interpreter is made poorer by what Windows and macOS lack; then it imports everything that they should be able
to import, and runs lab 01.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

POORER = """
import os, socket, sys

class Absent:
    GONE = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty", "mininet"}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in cls.GONE:
            raise ModuleNotFoundError(f"No module named {name!r} on this system", name=name)

sys.meta_path.insert(0, Absent)
for name in Absent.GONE:
    sys.modules.pop(name, None)
for name in ("AF_PACKET", "AF_NETLINK", "PF_PACKET"):
    delattr(socket, name)
for name in ("unshare", "setns", "sched_setaffinity", "sched_getaffinity", "pidfd_open"):
    if hasattr(os, name):
        delattr(os, name)
"""

IMPORT_ALL = """
import importlib, pkgutil, netlab
LINUX = ("netlab.backend.mininet",)
for module in pkgutil.walk_packages(netlab.__path__, "netlab."):
    if not module.name.startswith(LINUX):
        importlib.import_module(module.name)
"""

# These need no privilege and no Linux.
COMMANDS = [
    ["--help"],
    ["doctor"],
    ["topo", "check", "topologies/star.py"],
    ["lab", "list"],
    ["run", "01-packet-path", "--backend", "sim", "--seed", "1", "--out", "{out}"],
    ["grade", "01", "{answers}", "--secret", "{secret}", "--out", "{out}"],
]


def poorer(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter without what only Linux has."""
    command = [sys.executable, "-c", POORER + program, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)


def handed_in(folder: Path) -> Path:
    """A folder of submissions with one right answer in it."""
    answers = folder / "answers"
    answers.mkdir()
    shutil.copy(ROOT / "labs" / "01-packet-path" / "answer.py", answers / "ada.py")
    return answers


def test_every_room_but_mininet_s_imports() -> None:
    done = poorer(IMPORT_ALL)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_the_command_line_runs(tmp_path: Path, command: list[str]) -> None:
    secret = tmp_path / "secret"
    secret.write_text("ab" * 32)
    places = {"out": tmp_path / "run", "answers": handed_in(tmp_path), "secret": secret}
    arguments = [word.format(**places) for word in command]
    done = poorer("from netlab.cli.main import main\nsys.exit(main(sys.argv[1:]))", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("system", "level"), [("darwin", "limits"), ("win32", "process")])
def test_an_answer_is_judged_in_the_sandbox_that_the_system_has(tmp_path: Path, system: str, level: str) -> None:
    """On macOS there is no namespace to shut an answer in, on Windows no limit either."""
    program = f"""
from netlab.cli.main import main
from netlab.grade.sandbox import Sandbox
sys.platform = {system!r}
with Sandbox(b"#") as box:
    print("in:", box.isolation)
sys.exit(main(sys.argv[1:]))
"""
    done = poorer(program, "check", "01", str(handed_in(tmp_path) / "ada.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"in: {level}\n" in done.stdout


def test_the_mininet_world_says_that_it_is_not_here(tmp_path: Path) -> None:
    program = "from netlab.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    done = poorer(program, "run", "01-packet-path", "--backend", "mininet", "--out", str(tmp_path / "run"))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_child_is_really_poorer() -> None:
    assert "No module named 'fcntl' on this system" in poorer("import fcntl").stderr
    assert "AF_PACKET" in poorer("socket.AF_PACKET").stderr
