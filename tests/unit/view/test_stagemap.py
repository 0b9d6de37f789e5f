from __future__ import annotations

import pytest

from netlab.stack.host import GRAPHS
from netlab.view.layout import Point, around
from netlab.view.stagemap import PLACES, STATION, StageMap, Station, stage_map


def at(drawn: StageMap, name: str) -> Station:
    return next(station for station in drawn.stations if station.stage == name)


def run_through(drawn: StageMap) -> list[str]:
    """Stations that a foreign track runs through."""
    found = []
    for track in drawn.tracks:
        a, b = at(drawn, track.a), at(drawn, track.b)
        points = [Point(a.x + (b.x - a.x) * k / 200, a.y + (b.y - a.y) * k / 200) for k in range(201)]
        for station in drawn.stations:
            box = around(Point(station.x, station.y), *STATION)
            hit = any(box.left < p.x < box.right and box.top < p.y < box.bottom for p in points)
            found += [f"{track.a} - {track.b} runs through {station.stage}"] if hit and station not in (a, b) else []
    return found


@pytest.mark.parametrize("kind", ["host", "router", "switch"])
def test_no_track_runs_through_a_foreign_station(kind: str) -> None:
    drawn = stage_map(kind, (), (), None)
    assert drawn.tracks and not run_through(drawn)


@pytest.mark.parametrize("kind", ["host", "router", "switch"])
def test_a_stage_that_only_some_hosts_have_is_drawn_where_it_was_seen_and_in_nobody_s_way(kind: str) -> None:
    further = {stage.name for stage in GRAPHS[kind]} - PLACES.keys()
    assert not further & {station.stage for station in stage_map(kind, (), (), None).stations}
    for name in sorted(further):
        drawn = stage_map(kind, {name}, (), None)
        assert at(drawn, name).state == "seen"
        assert not run_through(drawn), name


def test_what_is_received_goes_up_at_the_left_and_what_is_sent_down_at_the_right() -> None:
    drawn = stage_map("router", (), (), None)
    rise = [at(drawn, name) for name in ("nic.rx", "ether.input", "ip.input")]
    fall = [at(drawn, name) for name in ("ip.output", "ether.output", "ifq", "nic.tx")]
    assert len({s.x for s in rise}) == len({s.x for s in fall}) == 1
    assert rise[0].x < at(drawn, "ip.forward").x < fall[0].x
    assert [s.y for s in rise] == sorted((s.y for s in rise), reverse=True)
    assert [s.y for s in fall] == sorted(s.y for s in fall)


def test_a_stage_that_nobody_could_observe_is_hidden_and_one_that_did_not_happen_is_idle() -> None:
    drawn = stage_map("router", {"ether.input"}, (), {"ether.input", "ifq"})
    states = {station.stage: station.state for station in drawn.stations}
    assert (states["ether.input"], states["ifq"], states["ip.forward"]) == ("seen", "idle", "hidden")


def test_a_way_that_only_the_log_shows_is_inferred() -> None:
    drawn = stage_map(
        "router", {"ether.input", "ifq"}, [("ether.input", "ifq"), ("ifq", "nic.tx")], {"ether.input", "ifq"}
    )
    inferred = {(track.a, track.b) for track in drawn.tracks if track.inferred}
    assert inferred == {("ether.input", "ifq")}


def test_unknown_stages_get_places_of_their_own() -> None:
    names = {"qos.input", "qos.output", "qos.mark", "tcp.input", "tcp.output", "ip.nat"}
    drawn = stage_map("host", names, (), None)
    boxes = [around(Point(s.x, s.y), *STATION) for s in drawn.stations]
    assert not [1 for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert at(drawn, "qos.input").x < at(drawn, "qos.output").x
    assert max(box.right for box in boxes) < drawn.width and max(box.bottom for box in boxes) < drawn.height


def test_every_station_says_what_it_does() -> None:
    assert all(station.says for station in stage_map("host", (), (), None).stations)
