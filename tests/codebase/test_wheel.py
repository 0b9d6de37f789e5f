"""What an installed netlab brings along: every lab as a student needs it, and no answer."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = ("lab.py", "notebook.py", "starter.py")


def test_a_wheel_carries_each_lab_without_its_answers() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    carried = {path for path in build["force-include"] if path.startswith("labs/")}
    labs = [path.parent.relative_to(ROOT) for path in ROOT.glob("labs/*/lab.py")]
    assert carried == {f"{lab}/{name}" for lab in labs for name in NEEDED}
    assert build["force-include"]["topologies"] == "netlab/_topologies"
