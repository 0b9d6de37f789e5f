"""A class hands in lab 01: the answer, every misconception, and what a grader must survive."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from netlab.cli.main import main

LAB = Path(__file__).parents[2] / "labs" / "01-packet-path"
SIGNATURE = "def forward(packets, routes, addresses):\n"
HOSTILE = {
    "loop": SIGNATURE + "    while True:\n        pass\n",
    "exit": "import os\n" + SIGNATURE + "    os._exit(0)\n",
    "bomb": "import os\n" + SIGNATURE + "    while True:\n        os.fork()\n",
    "hungry": SIGNATURE + "    return [bytearray(10 << 30)]\n",
    "syntax": "def forward(:\n",
    "empty": "",
}
NOTHING_TO_JUDGE = {"empty": "absent", "syntax": "error", "binary": "error"}


def children() -> set[int]:
    """Processes below this one, by /proc."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(Path("/proc/self").resolve().name) and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


@pytest.mark.timeout(120)
def test_every_submission_gets_a_row_for_every_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class_ = tmp_path / "class"
    class_.mkdir()
    shutil.copy(LAB / "answer.py", class_ / "ada.py")
    wrong = sorted(LAB.glob("wrong/*.py"))
    for path in wrong:
        shutil.copy(path, class_)
    for name, text in HOSTILE.items():
        (class_ / f"{name}.py").write_text(text)
    (class_ / "binary.py").write_bytes(bytes(range(256)) * 8)
    before, began = children(), time.monotonic()
    argv = ["grade", "01-packet-path", str(class_), "--out", str(tmp_path / "grades")]
    assert main([*argv, "--secret", str(tmp_path / "secret")]) == 0
    assert time.monotonic() - began < 60
    assert children() <= before

    [document] = (json.loads(path.read_text()) for path in (tmp_path / "grades").glob("*.json"))
    rows = {one["student"]: one["results"] for one in document["submissions"]}
    assert set(rows) == {"ada", "binary", *HOSTILE, *(path.stem for path in wrong)}
    names = [check["name"] for check in document["checks"]]
    assert all([row["check"] for row in results] == names for results in rows.values())
    assert {row["status"] for row in rows["ada"]} == {"passed"}
    for path in wrong:
        assert sum(row["status"] == "failed" for row in rows[path.stem]) == 1, path.stem
    for name in ("loop", "exit", "bomb", "hungry"):
        assert [row["status"] for row in rows[name]] == ["error", *["blocked"] * (len(names) - 1)], name
        assert rows[name][0]["said"]
    for name, status in NOTHING_TO_JUDGE.items():
        assert {row["status"] for row in rows[name]} == {status}, name
    assert "ada.py" in capsys.readouterr().out
