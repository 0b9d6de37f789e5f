"""An ordinary user gets the same network: the arena's tests once more, as somebody who owns nothing here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UID = 54321
STORIES = (
    "test_arena_commands.py",
    "test_arena_network.py",
    "test_arena_death.py",
    "test_arena_world.py",
    "test_two_worlds.py",
    "test_live_drivers.py",
    "test_cli_compare.py",
)


@pytest.fixture(scope="module")
def readable() -> Iterator[Path]:
    """A copy of netlab and its tests that everybody may read, in a folder of that user's own."""
    if os.getuid() != 0:
        pytest.skip("the tests beside this one ran as an ordinary user; as root, both are run")
    tried = subprocess.run(_as_somebody([sys.executable, "-c", "import pytest"]), capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"make .venv from an interpreter that others may run, as /usr/bin/python3 ({tried.stderr.strip()})")
    with tempfile.TemporaryDirectory(prefix="netlab-ordinary-") as name:
        folder = Path(name)
        ignore = shutil.ignore_patterns("__pycache__")
        for part in ("netlab", "topologies"):
            shutil.copytree(ROOT / part, folder / part, ignore=ignore)
        (folder / "stories").mkdir()
        (folder / "run").mkdir(mode=0o700)
        for story in STORIES:
            shutil.copy(ROOT / "tests" / "kernel" / story, folder / "stories")
        (folder / "pyproject.toml").write_text(
            "[tool.pytest.ini_options]\naddopts = '--import-mode=importlib'\nmarkers = ['long: takes minutes']\n"
        )
        for path in (folder, *folder.rglob("*")):
            os.chown(path, UID, UID)
        folder.chmod(0o755)
        yield folder


@pytest.mark.parametrize("story", STORIES)
def test_as_an_ordinary_user(readable: Path, story: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-m",
        "not long",
        f"stories/{story}",
    ]
    environment = {**os.environ, "PYTHONPATH": str(readable), "HOME": str(readable), "TMPDIR": str(readable)}
    environment["XDG_RUNTIME_DIR"] = str(readable / "run")
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        _as_somebody(command), cwd=readable, env=environment, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout, done.stdout


def _as_somebody(command: list[str]) -> list[str]:
    if os.getuid() != 0:
        return command
    return ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", *command]
