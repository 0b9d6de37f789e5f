"""Set-up on machines that differ: which Python is taken, which packages are asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def fake_python(folder: Path, version: str, library: Path) -> Path:
    """A `python3` that answers as one of `version` would, with its library somewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "python3"
    lies = f"import os, sys; sys.version_info = ({version.replace('.', ', ')}, 0); os.__file__ = {str(library)!r}"
    lies += f"; sys.executable = {str(program)!r}"
    program.write_text(f'#!/bin/sh\nshift\nexec /usr/bin/env -i /usr/bin/python3 -c "{lies}\n$1"\n')
    program.chmod(0o755)
    return program


def choose(*folders: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What .ci/python chooses, where only these folders hold a Python."""
    preferred = "/usr/bin /usr/local/bin "
    script = (ROOT / ".ci/python").read_text()
    assert preferred in script
    environment |= {"PATH": ":".join(map(str, folders))}
    command = ["/bin/sh", "-c", script.replace(preferred, "")]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with what the script itself calls, so that the search sees no Python of this machine."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("id", "tr"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    return tools


def test_a_python_that_is_too_old_is_passed_over(tmp_path: Path, place: Path) -> None:
    fake_python(tmp_path / "old", "3.10", Path(os.__file__))
    new = fake_python(tmp_path / "new", "3.12", Path(os.__file__))
    # root's choice must be open to all, which pytest's own folder is not: closed or not, it is the only one that fits
    assert choose(place, tmp_path / "old", tmp_path / "new").stdout.strip() == str(new)


@pytest.mark.skipif(os.geteuid() != 0, reason="run as root: only root's choice can shut others out")
def test_root_prefers_a_python_that_others_can_execute(tmp_path: Path, place: Path) -> None:
    closed = tmp_path / "closed"
    fake_python(closed / "bin", "3.12", Path(os.__file__))
    closed.chmod(0o700)
    chosen = choose(place, closed / "bin", Path("/usr/bin"))
    assert chosen.stdout.strip().startswith("/usr/bin/python3")


def test_no_python_is_one_sentence_with_the_way_out(place: Path) -> None:
    none = choose(place)
    assert none.returncode == 1
    assert "3.11, 3.12 or 3.13" in none.stderr
    assert "apt-get install" in none.stderr


def test_what_is_missing_is_named_in_one_line_for_an_ordinary_user(tmp_path: Path) -> None:
    wanted = tmp_path / "packages"
    wanted.write_text("# a comment\nsh dash\nno-such-frob frob-tools\nno-such-frob-2 frob-tools\n")
    user = tmp_path / "bin"
    user.mkdir()
    (user / "id").write_text("#!/bin/sh\necho 1000\n")
    (user / "apt-get").write_text("#!/bin/sh\nexit 9\n")
    for tool in user.iterdir():
        tool.chmod(0o755)
    path = f"{user}:{os.environ['PATH']}"
    done = subprocess.run([ROOT / ".ci/debs", wanted], capture_output=True, text=True, env={"PATH": path}, timeout=30)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "For what is still missing here:  sudo apt-get install --no-install-recommends frob-tools "
    ]


def test_nothing_missing_says_nothing(tmp_path: Path) -> None:
    wanted = tmp_path / "packages"
    wanted.write_text("sh dash\n")
    done = subprocess.run([ROOT / ".ci/debs", wanted], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "")
