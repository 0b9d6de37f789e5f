"""The secret is made once, kept to its owner, and stays."""

from __future__ import annotations

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from netlab.errors import BadInput
from netlab.grade.secret import load_secret, secret_path


def test_it_is_where_state_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert secret_path() == tmp_path / "netlab" / "secret"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert secret_path() == tmp_path / ".local" / "state" / "netlab" / "secret"


def test_it_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secret"
    first = load_secret(path)
    assert len(first) == 32
    assert load_secret(path) == first
    assert [file.name for file in path.parent.iterdir()] == ["secret"]


def test_two_are_never_the_same(tmp_path: Path) -> None:
    assert load_secret(tmp_path / "a") != load_secret(tmp_path / "b")


@pytest.mark.skipif(sys.platform == "win32", reason="run it where files have modes: Linux or macOS")
def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    load_secret(tmp_path / "secret")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_many_that_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(load_secret, [tmp_path / "secret"] * 32))) == 1


@pytest.mark.parametrize("text", ["", "not hex", "abcd"])
def test_a_damaged_one_is_said_and_never_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text)
    with pytest.raises(BadInput, match="64 hex digits"):
        load_secret(tmp_path / "secret")
    assert (tmp_path / "secret").read_text() == text
