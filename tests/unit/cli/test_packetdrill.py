"""`nlab packetdrill`: definitions, JSON and the exit codes of one run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netlab.cli.main import main

Captured = pytest.CaptureFixture[str]
OPENS = "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"


def test_a_definition_stands_in_every_script(tmp_path: Path, capsys: Captured) -> None:
    for name in ("a.pkt", "b.pkt"):
        (tmp_path / name).write_text(OPENS + "+0 bind(FD, ..., ...) = RESULT\n")
    assert main(["packetdrill", "--define", "FD=3", "--define", "RESULT=0", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "2 of 2 scripts passed\n"
    assert main(["packetdrill", "--define", "FD=3", str(tmp_path)]) == 3
    assert "'RESULT'" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["FD", "=3", "a b=3"])
def test_what_is_no_definition_is_bad_input(text: str, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "a.pkt").write_text(OPENS)
    assert main(["packetdrill", "--define", text, str(tmp_path)]) == 2
    assert "no definition; --define NAME=VALUE" in capsys.readouterr().err


def test_json_has_an_object_for_each_script(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "good.pkt").write_text(OPENS)
    (tmp_path / "wrong.pkt").write_text(OPENS + "+0 close(4) = 0\n")
    assert main(["packetdrill", "--json", str(tmp_path)]) == 1
    good, wrong = json.loads(capsys.readouterr().out)
    assert good["kind"] == "passed"
    assert wrong["kind"] == "failed"
    assert "EBADF" in json.dumps(wrong)
