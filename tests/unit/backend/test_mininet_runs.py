"""Run folders: who finds what is alive, what is swept, and what is nobody else's business."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.backend.mininet import runs
from netlab.backend.mininet.linux import start_time
from netlab.errors import BadInput, Unavailable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="run folders belong to networks of the Linux kernel")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "netlab"


@pytest.fixture
def dead() -> tuple[int, int]:
    """A process that is no more: its pid, and when it had started."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        return process.pid, start_time(process.pid)


@pytest.fixture
def zombie() -> Iterator[tuple[int, int]]:
    """A process that has ended and that nobody has collected."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    yield pid, 0
    os.waitpid(pid, 0)


def folder(
    keeper: int, start: int, *, suffix: str = "ab", plan: str = "star", nodes: tuple[str, ...] = ("h1",)
) -> Path:
    path = runs.base() / f"{keeper}-{start}-{suffix}"
    path.mkdir()
    runs.write(runs.Run(str(path), keeper, start, 1, 1, suffix, plan, nodes))
    return path


def me() -> tuple[int, int]:
    return os.getpid(), start_time(os.getpid())


def test_the_folder_of_folders_is_one_s_own(place: Path) -> None:
    assert runs.base() == place
    assert place.stat().st_mode & 0o777 == 0o700
    place.chmod(0o755)
    with pytest.raises(Unavailable, match="not a folder that is yours alone"):
        runs.base()


def test_a_link_in_its_place_is_not_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable, match="not a folder that is yours alone"):
        runs.base()


def test_the_dead_are_swept_and_the_living_stay(dead: tuple[int, int], zombie: tuple[int, int]) -> None:
    alive, gone, forgotten = folder(*me()), folder(*dead), folder(*zombie, suffix="zz")
    impostor = folder(os.getpid(), 12345)  # our number, but it is another process that had it
    assert sorted(runs.sweep()) == sorted([gone.name, forgotten.name, impostor.name])
    assert alive.is_dir() and not gone.exists()


def test_a_folder_that_is_still_being_furnished_stays(dead: tuple[int, int]) -> None:
    pid, start = me()
    (runs.base() / f"{pid}-{start}-cd").mkdir()
    (runs.base() / f"{dead[0]}-{dead[1]}-ef").mkdir()
    (runs.base() / "something-else").mkdir()
    assert sorted(runs.sweep()) == sorted([f"{dead[0]}-{dead[1]}-ef", "something-else"])


def test_the_only_network_needs_no_name() -> None:
    path = folder(*me(), nodes=("h1", "s1"))
    assert runs.find().folder == str(path)
    assert runs.find(node="s1").plan == "star"


def test_what_is_up_is_told_when_a_name_is_wrong() -> None:
    with pytest.raises(BadInput, match="no network is up; networks that are up: none"):
        runs.find()
    folder(*me(), suffix="aa", nodes=("h1", "s1"))
    folder(*me(), suffix="bb", plan="pair", nodes=("h1", "h2"))
    with pytest.raises(BadInput, match="more than one network is up"):
        runs.find()
    with pytest.raises(BadInput, match=r"no network with a node 'h9' is up; .*star: h1 s1"):
        runs.find(node="h9")
    assert runs.find(node="h2").suffix == "bb"
