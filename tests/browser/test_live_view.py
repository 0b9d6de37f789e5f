"""The live picture in a browser, fed by a model in a notebook's place: what is painted, and when it says so."""

from __future__ import annotations

import json
import shutil
from array import array
from collections.abc import Iterator
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace
from typing import Any

import pytest

from netlab.view.path import network, packet_path
from netlab.view.render.html import module, payload, styles

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SAMPLE = SimpleNamespace(**run_path(str(Path(__file__).parents[1] / "unit" / "view" / "sample_log.py")))
STILL = payload(packet_path(SAMPLE.sample_log()))
PAGE = """<!doctype html><meta charset="utf-8"><style>{css}</style><div id="cell"></div><script type="module">{module}
const heard = {{}}, values = {values};
window.sent = [];
window.values = values;
window.emit = (name, ...rest) => heard[name](...rest);
window.fly = (numbers, head) => emit("msg:custom", {{ type: "events", ...head }},
                                     [new DataView(new Float64Array(numbers).buffer)]);
window.end = render({{ el: document.getElementById("cell"), model: {{
  get: (name) => values[name], on: (name, call) => {{ heard[name] = call; }}, off: (name) => {{ delete heard[name]; }},
  set: (name, value) => {{ values[name] = value; }}, save_changes: () => {{}},
  send: (message) => window.sent.push(message) }} }});
</script>"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    """A notebook's cell with a live picture of the sample network."""
    if CHROMIUM is None:
        pytest.skip("a browser test needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    file = tmp_path / "live.html"
    values = json.dumps({"data": payload(network(SAMPLE.plan())), "running": True})
    file.write_text(PAGE.format(css=styles(), module=module(), values=values), encoding="utf-8")
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page(viewport={"width": 1200, "height": 700})
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.goto(file.as_uri())
        yield opened
        browser.close()
    assert not errors


def fly(page: Any, *events: float, seq: int = 1, seen: int = 1, dropped: int = 0) -> None:
    head = {"seq": seq, "stamp": 5.0, "seen": seen, "dropped": dropped}
    page.evaluate("([numbers, head]) => window.fly(numbers, head)", [list(array("d", events)), head])


def painted(page: Any) -> str:
    data: str = page.locator("canvas").evaluate("c => c.toDataURL()")
    return data


def test_a_flight_is_painted_and_acknowledged_after_that(page: Any) -> None:
    assert page.locator(".nl-live").inner_text() == "● live"
    empty = painted(page)
    fly(page, 1, 0, 900.0, seq=7)
    page.wait_for_function("window.sent.length === 1")
    assert painted(page) != empty
    (answer,) = page.evaluate("window.sent")
    assert answer["type"] == "painted" and answer["seq"] == 7 and answer["stamp"] == 5.0
    assert abs(answer["at"] - page.evaluate("Date.now()")) < 10_000, "ms since the epoch, as the kernel counts"
    assert page.locator(".nl-now").inner_text().startswith("1 packets seen")


def test_the_cables_of_one_exchange_are_flown_one_after_the_other(page: Any) -> None:
    fly(page, 1, 0, 300.0, 1, 2, 300.0, 1, 4, 300.0)
    page.wait_for_function("window.sent.length === 1")
    assert "1 on cables" in page.locator(".nl-now").inner_text(), "the second cable waits for the first"


def test_many_packets_fly_at_once(page: Any) -> None:
    fly(page, *(n for pkt in range(100) for n in (pkt, 0, 5000.0)), seen=100)
    page.wait_for_function("document.querySelector('.nl-now').textContent.includes('100 on cables')")


def test_a_drop_is_a_cross_for_a_while(page: Any) -> None:
    empty = painted(page)
    fly(page, 1, -3, 0.0, dropped=1)
    page.wait_for_function("window.sent.length === 1")
    assert painted(page) != empty
    assert page.locator(".nl-now").inner_text().endswith("1 dropped")


def test_when_the_run_is_over_the_still_picture_comes_after_the_last_flight_and_plays(page: Any) -> None:
    fly(page, 1, 0, 2000.0)
    page.wait_for_function("window.sent.length === 1")
    still = {**STILL, "autoplay": True}
    page.evaluate("data => { values.running = false; values.data = data; emit('change:data'); }", still)
    assert page.locator(".nl-live").count() == 1, "it is still flying"
    page.locator(".nl-bar").wait_for()
    page.get_by_role("button", name="Pause").wait_for()


def test_a_cell_that_is_gone_paints_no_more(page: Any) -> None:
    page.evaluate("window.end()")
    before = painted(page)
    assert page.evaluate("Object.keys(window).includes('end')")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert painted(page) == before


def test_the_step_that_a_reader_has_gone_to_is_the_picked_record(page: Any) -> None:
    page.evaluate("data => { values.running = false; values.data = data; emit('change:data'); }", STILL)
    page.locator(".nl-bar").wait_for()
    page.locator("[data-node=h1]").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("values.picked") == STILL["picture"]["layers"]["steps"]["record"][0]
