"""The static page in a real browser, with the network off: steps, plays, zooms, by mouse and by keyboard.

Set NETLAB_SCREENSHOTS to a folder to keep what the browser showed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.view.path import network, packet_path
from netlab.view.render.html import html_page
from netlab.view.render.svg import snapshot

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SAMPLE = run_path(str(Path(__file__).parents[1] / "unit" / "view" / "sample_log.py"))["sample_log"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("a browser test needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Open a page made from text, as a file, with the network off; an error in it fails the test."""
    contexts, errors = [], []

    def opened(text: str, *, name: str = "page.html", **options: Any) -> Any:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": 1400, "height": 1200}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda r: errors.append(r.url) if not r.url.startswith("file:") else None)
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def page(open_page: Any) -> Any:
    return open_page(html_page(packet_path(SAMPLE())))


def now(page: Any) -> str:
    text: str = page.locator(".nl-now").inner_text()
    return text


def keep(page: Any, name: str) -> None:
    folder = os.environ.get("NETLAB_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / name))


def canvas(page: Any) -> str:
    data: str = page.locator(".nl-frame canvas").evaluate("c => c.toDataURL()")
    return data


def test_the_page_opens_on_the_whole_path(page: Any) -> None:
    assert page.get_by_role("heading", level=2).inner_text() == "Packet 1: ICMP echo request 10.0.1.1 > 10.0.2.1"
    assert page.locator(".nl-network .nl-number").all_text_contents() == ["1", "2", "3"]
    assert page.locator(".nl-later").count() == 0
    assert now(page) == "37 steps in 2.21 ms: ended at h2"
    keep(page, "html-path.png")


def test_arrows_step_and_the_live_line_says_each_step(page: Any) -> None:
    page.keyboard.press("Home")
    assert now(page) == "before the first step"
    said = []
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        said.append(now(page))
    assert said[0] == "+0.0 µs h1: icmp.output made this packet (ICMP echo request 10.0.1.1 > 10.0.2.1)"
    assert said[1] == "+0.0 µs h1: icmp.output, 400 ns"
    page.keyboard.press("ArrowLeft")
    assert now(page) == said[1]
    assert page.locator(".nl-now").get_attribute("aria-live") == "polite"
    page.keyboard.press("End")
    assert now(page).endswith("ended at h2")


def test_stepping_draws_the_path_as_far_as_it_went(page: Any) -> None:
    page.keyboard.press("Home")
    while "cable 2" not in now(page):
        page.keyboard.press("ArrowRight")
    later = page.locator(".nl-network g.nl-later .nl-number").all_text_contents()
    assert later == ["3"]
    current = page.locator(".nl-words .nl-current").inner_text()
    assert "s1 took it in" in current


def test_play_moves_the_packet_to_the_end_and_stops(page: Any) -> None:
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    page.locator(".nl-words .nl-current").first.wait_for()
    before = canvas(page)
    page.wait_for_function("b => document.querySelector('.nl-frame canvas').toDataURL() !== b", arg=before)
    keep(page, "html-playing.png")
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Play").wait_for(timeout=30_000)
    assert now(page).endswith("ended at h2")


def test_true_to_the_clock_the_long_cable_takes_almost_all_the_time(page: Any) -> None:
    page.get_by_label("Pace").select_option("clock")
    halves = page.evaluate("""() => { const player = document.getElementById('netlab').netlab, way = player.way;
        let p = 0, ms = 0; const spent = {};
        while (p < way.last) { const step = way.steps[Math.floor(p)].kind + way.steps[Math.floor(p)].leg;
                               spent[step] = (spent[step] || 0) + 10; p = way.advance(p, 10, 'clock'); ms += 10; }
        return [ms, spent['wire.tx3']]; }""")
    assert 7500 < halves[0] < 8600 and halves[1] / halves[0] > 0.85


def test_enter_zooms_into_a_node_and_escape_goes_back(page: Any) -> None:
    page.locator("[data-node=r1]").focus()
    page.keyboard.press("Enter")
    inside = page.locator(".nl-inside")
    assert inside.get_by_role("heading").inner_text() == "Inside r1"
    assert inside.locator(".nl-visited").count() == 7
    assert inside.locator(".nl-number").all_text_contents() == ["1", "2", "3", "4", "5", "6", "7"]
    assert "600 ns" in inside.locator(".nl-spent").all_text_contents()
    keep(page, "html-inside.png")
    page.keyboard.press("Escape")
    assert not inside.is_visible()
    assert page.evaluate("document.activeElement.dataset.node") == "r1", "the focus is where it was"


def test_tab_reaches_every_node(page: Any) -> None:
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset && document.activeElement.dataset.node"))
    assert [name for name in reached if name] == ["h1", "s1", "r1", "h2"]


def test_tab_goes_into_the_open_map_and_space_plays_from_a_node(page: Any) -> None:
    page.locator("[data-node=r1]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.stage") == "nic.rx"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.node") == "r1"
    page.keyboard.press(" ")
    page.get_by_role("button", name="Pause").wait_for()


def test_network_and_map_fit_into_a_window_together(page: Any) -> None:
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.locator("[data-node=r1]").click()
    box = page.locator(".nl-inside").bounding_box()
    assert box["y"] + box["height"] <= 1000


def test_an_arrival_is_shown_at_the_port_it_came_by(page: Any) -> None:
    page.keyboard.press("Home")
    while "arrived at r1-eth0" not in now(page):
        page.keyboard.press("ArrowRight")
    dots = page.evaluate("""() => { const player = document.getElementById('netlab').netlab, dots = [];
        player.canvas.dot = (x, y) => dots.push([x, y]); player.paint();
        const port = player.ports.get('r1-eth0'); return [dots, [[port.px, port.py]]]; }""")
    assert dots[0] == dots[1]


def test_the_map_follows_the_packet(page: Any) -> None:
    page.locator("[data-node=h1]").click()
    page.get_by_label("follow the packet").check()
    page.keyboard.press("Home")
    while "r1: ip.forward" not in now(page):
        page.keyboard.press("ArrowRight")
    assert page.locator(".nl-inside h3").inner_text() == "Inside r1"
    assert page.locator(".nl-current[data-stage]").get_attribute("data-stage") == "ip.forward"


def test_a_dropped_packet_shows_where_and_why(page: Any) -> None:
    page.get_by_label("Which packet").select_option("5")
    assert page.locator(".nl-network .nl-reason").text_content() == "the TTL reached 0"
    assert page.locator(".nl-network .nl-cross").count() == 1
    page.locator("[data-node=r1]").click()
    assert page.locator(".nl-inside .nl-reason").text_content() == "the TTL reached 0"
    assert page.locator(".nl-network .nl-other").count() == 2, "the time exceeded message, two cables"


def test_the_replies_are_under_the_packet_that_caused_them(page: Any) -> None:
    options = [
        text.replace("\u00a0", " ") for text in page.get_by_label("Which packet").locator("option").all_inner_texts()
    ]
    assert options[0].startswith("1 ·")
    assert options[2].strip().startswith("↳ 3 · ARP") and "✕ dropped" in options[4]


def test_all_packets_on_one_clock(page: Any) -> None:
    page.get_by_label("Which packet").select_option("-1")
    seen = set()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
        seen.add(now(page).split(": ")[1])
    assert "1 packets on cables, 0 inside nodes" in seen or "1 packets on cables, 1 inside nodes" in seen


def test_the_table_has_every_step(page: Any) -> None:
    page.get_by_text("Every step, as a table").click()
    assert page.locator(".nl-table tbody tr").count() == 37
    assert page.locator(".nl-table tbody tr").nth(7).locator("td").all_inner_texts()[3] == "dequeue"


def test_keys_do_not_reach_the_page_around(page: Any) -> None:
    page.evaluate("window.heard = []; document.body.addEventListener('keydown', e => window.heard.push(e.key))")
    page.locator("[data-node=r1]").focus()
    page.keyboard.press("b")
    assert page.evaluate("window.heard") == []


def test_with_reduced_motion_the_packet_jumps(open_page: Any) -> None:
    page = open_page(html_page(packet_path(SAMPLE())), reduced_motion="reduce")
    page.keyboard.press("Home")
    while "cable 1" not in now(page):
        page.keyboard.press("ArrowRight")
    images = page.evaluate("""() => { const player = document.getElementById('netlab').netlab, p = player.p;
        return [0.2, 0.7].map((part) => { player.go(p - 1 + part); return player.canvas.element.toDataURL(); }); }""")
    assert images[0] == images[1]


CONTRAST = """() => {
  const part = (v) => v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = (colour) => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(part);
                              return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const paper = light(getComputedStyle(document.querySelector('.netlab')).backgroundColor);
  const found = {};
  for (const name of ['nl-when', 'nl-reason', 'nl-end', 'nl-name', 'nl-small', 'nl-stage']) {
    const ink = light(getComputedStyle(document.querySelector('.' + name)).fill);
    found[name] = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  }
  return found;
}"""
"""WCAG 2's contrast of each kind of text with the paper."""
BOXES = """() => [...document.querySelector('svg.netlab-drawing').querySelectorAll('text')].map((text) => {
  const box = text.getBBox();
  return [text.textContent, [box.x, box.y + 3, box.x + box.width, box.y + box.height - 3]];
})"""
"""Every text of the network as the browser's own fonts draw it."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_themes(open_page: Any, scheme: str) -> None:
    page = open_page(html_page(packet_path(SAMPLE(), 5)), color_scheme=scheme)
    page.locator("[data-node=r1]").click()
    keep(page, f"html-{scheme}.png")
    found = page.evaluate(CONTRAST)
    assert len(found) == 6 and min(found.values()) >= 4.5, found


def boxes(page: Any) -> list[tuple[str, tuple[float, float, float, float]]]:
    found: list[tuple[str, tuple[float, float, float, float]]] = page.evaluate(BOXES)
    return found


def overlapping(page: Any) -> list[tuple[str, str]]:
    return [
        (a, b)
        for (a, x), (b, y) in combinations(boxes(page), 2)
        if x[0] < y[2] and y[0] < x[2] and x[1] < y[3] and y[1] < x[3]
    ]


@pytest.mark.parametrize("pkt", [1, 4, 5])
def test_no_text_of_the_path_covers_another(open_page: Any, pkt: int) -> None:
    assert not overlapping(open_page(html_page(packet_path(SAMPLE(), pkt))))


@pytest.mark.parametrize("name", ["line,4", "star,4", "star,20", "dumbbell,5"])
def test_no_text_of_a_network_covers_another(open_page: Any, name: str) -> None:
    page = open_page(f"<body>{snapshot(network(resolve(load_topology(name))))}")
    keep(page, f"network-{name.replace(',', '-')}.png")
    assert len(boxes(page)) > 8 and not overlapping(page)
