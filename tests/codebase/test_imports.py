"""What a bare import costs: the command line must answer at once, so heavy libraries wait until they are needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"IPython", "anywidget", "asyncio", "bokeh", "dask", "ipykernel", "ipywidgets", "jupyter_client", "jupytext"}
HEAVY |= {"jupyter_server", "jupyterlab", "mininet", "multiprocessing", "nbformat", "networkx", "numpy", "pandas"}
HEAVY |= {"pyarrow", "rich", "scapy", "sqlite3", "yaml"}

HELP = """
import contextlib, netlab.cli.main
with contextlib.suppress(SystemExit):
    netlab.cli.main.main(["--help"])
"""
REPORT = """
import json, sys
print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)
"""


def loaded(statement: str) -> set[str]:
    """The top names that a fresh interpreter holds after a statement."""
    done = subprocess.run([sys.executable, "-c", f"{statement}\n{REPORT}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stderr.splitlines()[-1])
    return set(names)


@pytest.mark.parametrize(
    "statement",
    ["import netlab", "import netlab.cli.main", HELP],
    ids=["netlab", "netlab.cli.main", "nlab --help"],
)
def test_nothing_heavy_is_imported(statement: str) -> None:
    assert not loaded(statement) & HEAVY


def test_a_heavy_import_would_be_seen() -> None:
    assert {"numpy", "networkx"} <= loaded("import networkx, numpy")
