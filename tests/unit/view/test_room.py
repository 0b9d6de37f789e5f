"""Nothing that is written along a packet's path covers anything else."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from netlab.topology.codec import plan_to_data
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.trace.log import Header, Log
from netlab.view.layout import Box, Point, around
from netlab.view.path import packet_path
from netlab.view.picture import Picture
from netlab.view.render.room import LETTER, Room
from netlab.view.render.svg import packet_svgs


def flooded(name: str, ways: int = 2) -> Picture:
    """A packet that takes every cable of a network, one way or both, and is dropped at its last node."""
    plan = resolve(load_topology(name))
    owner = {i.name: i.node for i in plan.interfaces()}
    log = Log(Header("sim", 1, plan_to_data(plan), clock="virtual"))
    t = 4980
    for link in plan.links:
        for tx, rx in ((link.a, link.b), (link.b, link.a))[:ways]:
            log.add((t, "wire.tx", owner[tx], tx, -1, 1, (rx, 98, 78, 0, None)))
            log.add((t + 78, "wire.rx", owner[rx], rx, -1, 1, (tx, 98, None)))
            t += 3120
    last = plan.nodes[-1]
    log.add((t, "drop", last.name, "ip.forward", 0, 1, ("TTL exceeded", last.interfaces[0].name, 98)))
    return packet_path(log, 1)


def written(picture: Picture) -> list[tuple[str, Box]]:
    """The times and reasons, with the boxes that they take."""
    paths, ends = packet_svgs(picture)
    found = []
    texts = r'class="nl-(?:when|reason)" style="text-anchor:(\w+)" x="([-\d.]+)" y="([-\d.]+)">([^<]+)<'
    for anchor, x, y, text in re.findall(texts, paths["1"] + ends["1"]):
        width = len(text) * LETTER
        left = float(x) - {"start": 0, "middle": width / 2, "end": width}[anchor]
        found.append((text, Box(left, float(y) - 13, left + width, float(y) + 4)))
    return found


def badges(picture: Picture) -> list[Box]:
    rects = r'class="nl-badge" x="([-\d.]+)" y="([-\d.]+)" width="(\d+)" height="(\d+)"'
    found = [tuple(map(float, rect)) for rect in re.findall(rects, packet_svgs(picture)[0]["1"])]
    return [around(Point(x + w / 2, y + h / 2), w, h) for x, y, w, h in found]


CASES = [("pair", 2), ("line", 2), ("star,3", 2), ("star,5", 2), ("dumbbell", 2), ("multihomed", 2)]


@pytest.mark.parametrize(("name", "ways"), CASES)
def test_times_and_reasons_cover_no_label_no_node_no_number_and_not_each_other(name: str, ways: int) -> None:
    picture = flooded(name, ways)
    texts, others = written(picture), [*Room(picture).taken, *badges(picture)]
    assert len(texts) == ways * len(picture.rows("links")) + 1
    assert not [(text, other) for text, box in texts for other in others if box.overlaps(other)]
    assert not [(a, b) for (a, x), (b, y) in combinations(texts, 2) if x.overlaps(y)]
    page = Room(picture).page
    assert not [text for text, box in texts if box.left < 0 or box.top < 0 or box.right > page.right]
