from __future__ import annotations

import json
import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from netlab.trace.log import Log
from netlab.view.path import packet_path
from netlab.view.picture import Picture
from netlab.view.render.html import html_page, module, payload, styles
from netlab.view.render.svg import map_svgs, network_svg, packet_svgs, snapshot
from netlab.view.render.terminal import render


def hostile(sample: SimpleNamespace) -> Log:
    """A log in which a packet says what a page must not take for its own."""
    log = sample.sample_log()
    log.rows[0] = (*log.rows[0][:6], (0, '</script><b title="x">& ]]>'))
    return log


def drawings(picture: Picture) -> list[str]:
    return [snapshot(picture), network_svg(picture), *map_svgs(picture).values()]


def test_every_drawing_is_well_formed_whatever_the_packet_says(sample: SimpleNamespace) -> None:
    picture = packet_path(hostile(sample))
    for text in [*drawings(picture), *(f"<g>{path}</g>" for path in packet_svgs(picture)[0].values())]:
        ElementTree.fromstring(text)


def test_the_snapshot_says_in_words_what_it_shows(sample: SimpleNamespace) -> None:
    root = ElementTree.fromstring(snapshot(packet_path(sample.sample_log())))
    space = "{http://www.w3.org/2000/svg}"
    assert root.attrib["role"] == "img" and "packet 1" in root.attrib["aria-label"]
    assert "lowered its TTL" in (root.findtext(f"{space}desc") or "")


def test_numbers_and_times_stand_on_the_path_of_the_chosen_packet(sample: SimpleNamespace) -> None:
    root = ElementTree.fromstring(snapshot(packet_path(sample.sample_log())))
    texts = {c: [e.text for e in root.iter() if e.get("class") == c] for c in ("nl-number", "nl-when", "nl-reason")}
    assert texts == {"nl-number": ["1", "2", "3"], "nl-when": ["+83 µs", "+164 µs", "+208 µs"], "nl-reason": []}


def test_a_drop_is_a_cross_with_its_reason(sample: SimpleNamespace) -> None:
    root = ElementTree.fromstring(snapshot(packet_path(sample.sample_log(), 5)))
    assert [e.text for e in root.iter() if e.get("class") == "nl-reason"] == ["the TTL reached 0"]
    assert any(e.get("class") == "nl-cross" for e in root.iter())


def test_a_cable_that_is_taken_many_times_has_one_badge(sample: SimpleNamespace) -> None:
    log = sample.sample_log()
    loop = [row for row in log.rows if row[5] == 1 and row[3] in ("s1-eth2", "r1-eth0") and row[1].startswith("wire")]
    for again in range(1, 9):
        log.extend((row[0] + again * 10_000_000, *row[1:]) for row in loop)
    root = ElementTree.fromstring(snapshot(packet_path(log)))
    assert "2…11" in [e.text for e in root.iter() if e.get("class") == "nl-number"]


def test_the_page_fetches_nothing(sample: SimpleNamespace) -> None:
    page = html_page(packet_path(sample.sample_log()))
    assert set(re.findall(r"https?://[\w./-]+", page)) == {"http://www.w3.org/2000/svg"}, "a name, not an address"
    assert "default-src 'none'" in page
    assert not re.search(r"@import|<link|src=|url\(", page)


def test_no_packet_can_end_the_page_s_script(sample: SimpleNamespace) -> None:
    page = html_page(packet_path(hostile(sample)))
    assert "</script><b" not in page
    data = re.search(r'id="netlab-data">(.*?)</script>', page, re.DOTALL)
    assert data and json.loads(data[1])["picture"]["layers"]["journeys"]["said"][0].startswith("</script>")


def test_the_payload_is_plain_json(sample: SimpleNamespace) -> None:
    data = payload(packet_path(sample.sample_log()))
    assert json.loads(json.dumps(data)) == data


def test_every_class_that_is_drawn_has_a_style(sample: SimpleNamespace) -> None:
    picture = packet_path(sample.sample_log(stages=False))
    used = {c for text in drawings(picture) for names in re.findall(r'class="([^"]+)"', text) for c in names.split()}
    hooks = {"nl-over", "nl-top", "nl-network", "nl-node", "nl-host", "nl-seen"}
    unstyled = {c for c in used if f".{c}" not in styles()} - hooks
    assert not unstyled


def test_the_module_is_one_es_module_with_both_doors() -> None:
    text = module()
    assert text.count("export default") == 1 and "export function mount" in text
    assert "import " not in re.sub(r"//.*", "", text)


@pytest.mark.parametrize("unicode", [True, False])
def test_the_terminal_shows_network_way_and_steps(sample: SimpleNamespace, unicode: bool) -> None:
    text = render(packet_path(sample.sample_log(), 5), unicode=unicode)
    assert text.isascii() is not unicode
    cross = "✕" if unicode else "x"
    assert f"(r1) {cross} the TTL reached 0" in text
    assert "[h1] eth0 " in text and "=s1=" in text


def test_words_are_wrapped(sample: SimpleNamespace) -> None:
    told = render(packet_path(sample.sample_log()), width=60).split("In words:")[1].split("What programs")[0]
    assert max(map(len, told.splitlines())) <= 60
