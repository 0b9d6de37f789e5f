"""A study's report in a real browser, with the network off: its charts are drawn, and nothing is asked for.

Set NETLAB_SCREENSHOTS to a folder to keep what the browser showed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from netlab.experiment.study import Case, Chart, Metric, Published, Row, Study, run_study
from netlab.view.render.report import report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def fall(case: Case, seed: int) -> Row:
    s = case.settings["seconds"]
    return Row(
        {"way": 4.9 * s * s, "speed": 9.8 * s}, {"path": (list(range(s + 1)), [4.9 * t * t for t in range(s + 1)])}
    )


STONE = Study(
    "stone",
    "How far does a stone fall?",
    tuple(Case(f"{s} s", {"seconds": s}) for s in (1, 3, 20)),
    fall,
    (Metric("way", "m"), Metric("speed", "m/s")),
    published=(Published("Galileo, 1638", "1 s", {"way": 5.0}),),
    charts=(
        Chart("paths", ("path",), "series", "line"),
        Chart("ways", ("way",), "seconds", "points", log_x=True, log_y=True),
        Chart("one", ("way",)),
        Chart("both", ("way", "speed")),
    ),
)


def test_every_chart_is_drawn_and_nothing_is_loaded(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("a browser test needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    page_file = tmp_path / "report.html"
    page_file.write_text(report(run_study(STONE)), encoding="utf-8")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1200, "height": 1000}, offline=True).new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else wrong.append(r.url))
        page.goto(page_file.as_uri())
        page.wait_for_function("document.querySelectorAll('figure').length == 4 && window.Bokeh !== undefined")
        page.wait_for_function("Bokeh.documents.length && Bokeh.documents.every(d => d.is_idle)")
        drawn = page.evaluate("[...document.querySelectorAll('figure')].map(e => [e.offsetWidth, e.offsetHeight])")
        wide = page.evaluate("document.documentElement.scrollWidth")
        if os.environ.get("NETLAB_SCREENSHOTS"):
            page.screenshot(path=Path(os.environ["NETLAB_SCREENSHOTS"]) / "study.png", full_page=True)
        browser.close()
    assert not wrong
    assert len(drawn) == 4 and all(wide > 800 and high > 250 for wide, high in drawn)
    assert wide <= 1200, "nothing sticks out"
