"""From record to pixel: a live picture in JupyterLab, in a headless browser that says when it has painted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from netlab.cli.benches import Row
from netlab.errors import Unavailable

RATE, SECONDS, AIM_MS = 1000, 6, 150
READY_MS = 90_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
CELL = """
import json
from dataclasses import asdict
from netlab.notebook.latency import measure
found = asdict(await measure({rate}, {seconds}))
_ = open("latency.json.part", "w").write(json.dumps(found))
import os; os.replace("latency.json.part", "latency.json")
"""
IDLE = """() => { const p = window.jupyterapp && window.jupyterapp.shell.currentWidget;
                   const k = p && p.sessionContext && p.sessionContext.session && p.sessionContext.session.kernel;
                   return k && k.status === 'idle'; }"""
RUN = "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"


def rows() -> list[Row]:
    """Median and 95th percentile; upper bounds, as each counts from the last look at the log before the record."""
    found = _measured()
    what = f"record to pixel, live at {RATE:,} packets a second"
    aim = f"aim under {AIM_MS} ms"
    return [Row("live", f"{what}, {name}", found[key], "ms", aim) for name, key in (("median", "p50"), ("p95", "p95"))]


def _measured() -> dict[str, Any]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise Unavailable("no browser was found", right="install Chromium: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Unavailable("playwright is missing", right="install netlab-workshop[dev]") from error
    with tempfile.TemporaryDirectory() as folder, _jupyterlab(Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(url)
        page.wait_for_function(IDLE, timeout=READY_MS)
        page.evaluate(RUN)
        answer = Path(folder) / "latency.json"
        for _ in range(READY_MS // 100):
            if answer.exists():
                break
            page.wait_for_timeout(100)
        browser.close()
        if not answer.exists():
            raise Unavailable("the live picture was not painted in time", right="try again when the machine is idle")
        return dict(json.loads(answer.read_text()))


def _notebook() -> dict[str, Any]:
    source = CELL.format(rate=RATE, seconds=SECONDS)
    cell: dict[str, Any] = {"id": "live", "cell_type": "code", "metadata": {}, "outputs": [], "source": source}
    cell["execution_count"] = None
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": spec, "cells": [cell]}


@contextmanager
def _jupyterlab(folder: Path) -> Iterator[str]:
    """JupyterLab on a free port of loopback, with one notebook; its address."""
    (folder / "live.ipynb").write_text(json.dumps(_notebook()))
    names = ("HOME", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")
    home = {name: str(folder / ".jupyter" / name.lower()) for name in names}
    argv = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root"]
    argv += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True", "--IdentityProvider.token=bench"]
    server = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env={**os.environ, **home})
    assert server.stderr is not None
    try:
        found = next((m for line in server.stderr if (m := re.search(r"http://127\.0\.0\.1:\d+/lab", line))), None)
        if found is None:
            raise Unavailable("JupyterLab did not start", right="'nlab doctor' says what is missing")
        Thread(target=server.stderr.read, daemon=True).start()
        yield f"{found.group()}/tree/live.ipynb?token=bench"
    finally:
        server.terminate()
        server.wait(timeout=20)
