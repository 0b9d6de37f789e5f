"""The hand-made log, for every test of this folder."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def sample() -> SimpleNamespace:
    """``sample_log.py``'s functions: tests are no package, so it is run and not imported."""
    return SimpleNamespace(**run_path(str(Path(__file__).with_name("sample_log.py"))))
