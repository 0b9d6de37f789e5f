"""The house's import rules: only downward, heavy libraries in their own rooms, no clock or chance in the lower half."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A library that is heavy or privileged, and the only rooms that may name it.
HOMES = {
    "mininet": ("backend/mininet", "topology/mininet_topo.py"),  # the latter is loaded by stock Mininet's `mn --custom`
    "bokeh": ("view/render", "notebook"),
    "ipywidgets": ("view/render", "notebook"),
    "anywidget": ("view/render", "notebook"),
    "IPython": ("view/render", "notebook"),
    "dask": ("experiment", "grade"),
    "distributed": ("experiment", "grade"),
}
# Rooms in which time and chance are arguments, so that the same input gives the same output anywhere.
PURE = ("wire", "trace", "topology", "sim", "stack")
IMPURE = {"time", "datetime", "random", "secrets", "socket", "select", "selectors", "ssl"}
IMPURE |= {"threading", "_thread", "multiprocessing", "concurrent", "asyncio", "subprocess", "signal"}


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Every absolute import of a module's text, at any depth: its line and its top name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def modules(*rooms: str) -> Iterator[tuple[str, Path]]:
    """The package's files by their path inside it; only those of `rooms` when any is named."""
    for path in sorted((ROOT / "netlab").rglob("*.py")):
        name = path.relative_to(ROOT / "netlab").as_posix()
        if not rooms or name.partition("/")[0].removesuffix(".py") in rooms:
            yield name, path


def test_imports_go_only_downward() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("upper", "lower"), [("wire", "stack"), ("sim", "stack"), ("lab", "view"), ("view", "grade")])
def test_the_contract_catches_an_import_that_goes_up_or_sideways(tmp_path: Path, upper: str, lower: str) -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    rooms = {room.strip() for layer in contract["layers"] for room in layer.split("|")}
    for room in rooms:
        (tmp_path / "netlab" / room).mkdir(parents=True)
        (tmp_path / "netlab" / room / "__init__.py").write_text(f"import netlab.{lower}\n" if room == upper else "")
    (tmp_path / "netlab" / "__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert f"netlab.{upper} is not allowed to import netlab.{lower}" in done.stdout


def test_heavy_libraries_stay_in_their_rooms() -> None:
    strays = [
        f"netlab/{name}:{line} imports {library}, which only {', '.join(HOMES[library])} may"
        for name, path in modules()
        for line, library in imports(path.read_text())
        if library in HOMES and not name.startswith(HOMES[library])
    ]
    assert not strays, "\n".join(strays)


def test_the_lower_half_has_no_clock_no_chance_and_no_thread() -> None:
    strays = [
        f"netlab/{name}:{line} imports {library}"
        for name, path in modules(*PURE)
        for line, library in imports(path.read_text())
        if library in IMPURE
    ]
    assert not strays, "\n".join(strays)
