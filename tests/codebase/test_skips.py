"""A test run says what it skipped, and in CI a skip that nobody allowed is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "conftest.py"

TESTS = """
import pytest

def test_runs():
    pass

def test_needs_a_tool():
    pytest.skip("apt-get install frobnicator and it runs")

@pytest.mark.may_skip("not every kernel has it")
def test_needs_a_kernel():
    pytest.skip("a kernel with frobs is needed")
"""


def run_tests(folder: Path, *arguments: str, no_skips: bool = False) -> tuple[int, list[str]]:
    """Exit status and output lines of a pytest run over TESTS with our conftest."""
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_x.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  may_skip(why): may\n  long: slow\n")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("NETLAB_NO_SKIPS", "PYTEST_ADDOPTS")
    }
    environment |= {"NETLAB_NO_SKIPS": "1"} if no_skips else {}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=60)
    return done.returncode, done.stdout.splitlines()


def test_the_last_lines_say_what_was_skipped(tmp_path: Path) -> None:
    status, lines = run_tests(tmp_path, "-m", "not long")
    assert status == 0
    assert lines[-3:] == [
        "skipped 1: a kernel with frobs is needed",
        "skipped 1: apt-get install frobnicator and it runs",
        "left out: the tests that take minutes; `make test-long` runs them",
    ]


def test_where_no_skip_is_allowed_one_fails_the_run(tmp_path: Path) -> None:
    status, lines = run_tests(tmp_path, no_skips=True)
    assert status == 1
    assert [line for line in lines if line.startswith("FAILED")] == [
        "FAILED: skipped where nothing may be skipped: test_x.py::test_needs_a_tool"
    ]


def test_an_allowed_skip_fails_nothing_also_under_xdist(tmp_path: Path) -> None:
    status, lines = run_tests(tmp_path, "-n", "2", "-k", "kernel or runs", no_skips=True)
    assert status == 0
    assert lines[-1] == "skipped 1: a kernel with frobs is needed"


def test_nothing_skipped_says_so(tmp_path: Path) -> None:
    status, lines = run_tests(tmp_path, "-k", "runs", no_skips=True)
    assert status == 0
    assert lines[-1] == "skipped 0: this machine can run every test that was asked for"
