"""Files that come to be whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from netlab.errors import BadInput, Unavailable
from netlab.files import reading, unwritable, whole, whole_files

FULL = OSError(errno.ENOSPC, "No space left on device")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "grades").write_text("good")
    with pytest.raises(OSError, match="No space"), whole(tmp_path / "grades") as file:
        file.write_text("ha")
        raise FULL
    assert (tmp_path / "grades").read_text() == "good"
    assert names(tmp_path) == ["grades"]


def test_several_files_come_together_or_not_at_all(tmp_path: Path) -> None:
    with whole_files(tmp_path / "a" / "run", "one", "two") as (one, two):
        one.write_text("1")
        two.write_text("2")
    with pytest.raises(OSError, match="No space"), whole_files(tmp_path / "a" / "run", "one", "two") as (one, two):
        one.write_text("new")
        raise FULL
    assert names(tmp_path / "a" / "run") == ["one", "two"]
    assert (tmp_path / "a" / "run" / "one").read_text() == "1"


def test_a_folder_that_was_made_for_nothing_is_gone_with_those_above_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space"), whole_files(tmp_path / "a" / "b", "one") as (one,):
        one.write_text("1")
        raise FULL
    assert names(tmp_path) == []


def test_a_link_is_followed_and_the_mode_stays(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    with whole(tmp_path / "link") as file:
        file.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_and_not_replaced() -> None:
    with whole(Path(os.devnull)) as file:
        file.write_text("away")
    assert Path(os.devnull).is_char_device()


def test_who_is_to_blame_for_what_cannot_be_written_shows_in_the_kind() -> None:
    assert isinstance(unwritable(FULL, "it cannot be kept", Path("a"), ""), Unavailable)
    assert isinstance(unwritable(PermissionError(errno.EACCES, "no"), "it cannot be kept", Path("a"), ""), Unavailable)
    taken = unwritable(FileExistsError(errno.EEXIST, "File exists"), "it cannot be kept", Path("a"), "try b")
    assert isinstance(taken, BadInput)
    assert str(taken) == "a: it cannot be kept (it is a file, not a folder); try b"


def test_what_cannot_be_looked_at_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"it cannot be read \(File name too long\)"), reading(tmp_path / ("x" * 300)):
        (tmp_path / ("x" * 300)).read_bytes()
