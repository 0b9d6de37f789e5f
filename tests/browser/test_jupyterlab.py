"""A student in JupyterLab: opens lab 01, runs every cell, guesses, sees packets move, asks for the checks.

Set NETLAB_SCREENSHOTS to a folder to keep what the browser showed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
ROOT = Path(__file__).parents[2]
SECONDS = 1000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """JupyterLab as `make lab` starts it, with everything it writes below one folder; the address to open."""
    home = {name: str(tmp_path / name.lower()) for name in ("HOME", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")}
    home |= {"IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_CONFIG_DIR": str(tmp_path / "config")}
    argv = [sys.executable, "-m", "netlab.cli.main", "lab", "open", "01", "--start", "--no-browser"]
    argv += [
        "--work",
        str(tmp_path / "work"),
        "--jupyter=--LabApp.expose_app_in_browser=True",
    ]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, **home}, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield next(found.group() for line in process.stdout if (found := re.search(r"http://127\S+", line)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


@pytest.fixture
def page() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("a browser test needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser.new_page(viewport={"width": 1400, "height": 1100})
        finally:
            browser.close()


def run_all(page: Any) -> None:
    """Run every cell, and wait until the kernel has nothing more to do."""
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        """() => { const p = window.jupyterapp.shell.currentWidget, k = p && p.sessionContext.session;
                   return k && k.kernel && k.kernel.status === 'idle'
                          && !document.querySelector('.jp-InputPrompt')?.textContent.includes('*'); }""",
        timeout=60 * SECONDS,
    )


def open_notebook(page: Any, url: str) -> None:
    page.goto(url)
    page.wait_for_function(
        """() => { const p = window.jupyterapp && window.jupyterapp.shell.currentWidget;
                   return p && p.sessionContext && p.sessionContext.session
                          && p.sessionContext.session.kernel && p.sessionContext.session.kernel.status === 'idle'; }""",
        timeout=60 * SECONDS,
    )


def keep(page: Any, name: str) -> None:
    """A screenshot for people."""
    folder = os.environ.get("NETLAB_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / name))


def guess(page: Any, option: str, number: int) -> None:
    """Commit to an option of the number-th prediction."""
    box = page.locator(".widget-toggle-buttons").nth(number)
    box.get_by_role("button", name=option, exact=True).click()
    page.get_by_role("button", name="Commit to this guess").first.click()


def canvas(picture: Any) -> str:
    """What the moving part of a picture shows, as data."""
    shown: str = picture.locator("canvas").first.evaluate("c => c.toDataURL()")
    return shown


def explain(page: Any, picture: Any) -> None:
    """Answer a question with a place on the wrong node, and hear why it is wrong."""
    picture.get_by_role("button", name="Step back").click()
    page.get_by_role("button", name="This step is my answer").first.click()
    page.get_by_text("look inside r1").first.wait_for()


@pytest.mark.timeout(240)
def test_a_student_guesses_runs_sees_and_checks(server: str, page: Any) -> None:
    open_notebook(page, server)
    run_all(page)
    assert "runs as soon as you have committed" in page.inner_text(".jp-Notebook"), "a run waits for the guess"

    guess(page, "2", 0)
    guess(page, "r1", 1)
    picture = page.locator(".netlab:has(.nl-bar)").first
    picture.wait_for(timeout=60 * SECONDS)
    picture.scroll_into_view_if_needed()
    page.get_by_text("You said").first.wait_for()
    assert page.get_by_text("and so it was").count() == 2

    explain(page, picture)

    picture.get_by_role("button", name="Step back").click()
    still = canvas(picture)
    picture.get_by_role("button", name="To the start").click()
    picture.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "([picture, before]) => picture.querySelector('canvas').toDataURL() !== before",
        arg=[picture.element_handle(), still],
    )
    keep(page, "lab01-playing.png")
    picture.get_by_role("button", name="Pause").click()
    picture.locator("[data-node=r1]").first.click()
    picture.locator(".nl-inside svg").first.wait_for()
    keep(page, "lab01-inside.png")
    picture.get_by_role("button", name="Step forward").focus()
    page.keyboard.press("End")
    page.set_viewport_size({"width": 1280, "height": 1330})
    picture.scroll_into_view_if_needed()
    keep(page, "screenshot.png")

    check = page.get_by_role("button", name="Check my answer")
    check.scroll_into_view_if_needed()
    check.click()
    feedback = page.locator(".netlab-feedback")
    feedback.wait_for(timeout=30 * SECONDS)
    assert "absent" in feedback.inner_text() and "write the forwarding stage" in feedback.inner_text()
    keep(page, "lab01-check.png")
