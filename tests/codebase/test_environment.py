"""The places that repeat something say the same: pyproject, conda's environment, the package lists, the README."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Peers that a bench stands netlab beside, and a browser that it drives, where they are installed.
PEERS = {"dpkt", "ns", "playwright", "simpy"}
CONDA: list[Any] = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


def pins(requirements: list[str]) -> dict[str, str]:
    """Canonical name to version range, in one spelling."""
    parsed = [Requirement(text) for text in requirements]
    return {canonicalize_name(one.name): str(one.specifier) for one in parsed}


def test_conda_users_get_the_same_packages_and_pins() -> None:
    from_pip = next(entry["pip"] for entry in CONDA if isinstance(entry, dict))
    from_conda = [entry for entry in CONDA if isinstance(entry, str)]
    environment = pins(from_conda + [line for line in from_pip if not line.startswith("-")])
    wanted = pins([*PYPROJECT["project"]["dependencies"], f"python{PYPROJECT['project']['requires-python']}", "pip"])
    assert environment == wanted
    assert "--editable ." in from_pip


def third_party(path: Path) -> set[str]:
    """Top names of what a module imports and neither Python nor netlab brings."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"netlab"}


def test_whatever_the_package_imports_is_declared() -> None:
    declared = set(pins(PYPROJECT["project"]["dependencies"]))
    distributions = importlib.metadata.packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / "netlab").rglob("*.py")
        for name in third_party(path) - (PEERS if "bench" in path.stem or "benches" in path.parts else set())
        if not declared & {canonicalize_name(one) for one in distributions.get(name, [name])}
    }
    assert not undeclared, "\n".join(sorted(undeclared))


def test_bare_make_lists_every_target() -> None:
    bare = {"PATH": os.environ["PATH"]}  # a make around this test would have its say
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True, env=bare).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert {line.split()[1] for line in listed.splitlines()} == set(phony[1].split())


def test_the_readme_names_only_targets_that_exist() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named
    assert named <= set(phony[1].split())


def test_the_image_installs_what_make_lab_installs() -> None:
    dockerfile = (ROOT / "docker/Dockerfile").read_text()
    assert "COPY .ci/mininet-packages" in dockerfile
    assert "!.ci/mininet-packages" in (ROOT / ".dockerignore").read_text()


@pytest.mark.parametrize("page", ["README.md", "docker/README.md"])
def test_what_a_page_links_to_is_there(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text())
    assert not [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
