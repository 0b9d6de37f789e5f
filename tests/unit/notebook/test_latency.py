from __future__ import annotations

import asyncio

import pytest

from netlab.notebook.latency import measure


def test_without_a_browser_nothing_is_claimed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(measure(1000, 0.1, patience=0.05))
