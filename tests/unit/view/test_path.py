from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from netlab.errors import BadInput
from netlab.topology.codec import plan_to_data
from netlab.trace.kinds import KINDS
from netlab.trace.log import Header, Log
from netlab.view import VIEWS, Picture, packet_path
from netlab.view.path import network


def steps(picture: Picture, pkt: int) -> list[dict[str, Any]]:
    return [row for row in picture.rows("steps") if row["pkt"] == pkt]


def way(picture: Picture, pkt: int) -> list[tuple[int, str, str]]:
    """(number, from, to) of each cable that a packet took."""
    lanes = picture.rows("lanes")
    return [(s["leg"], lanes[s["lane"]]["a"], lanes[s["lane"]]["b"]) for s in steps(picture, pkt) if s["leg"]]


def test_the_way_of_a_packet_is_numbered_cable_by_cable(sample: SimpleNamespace) -> None:
    picture = packet_path(sample.sample_log())
    assert way(picture, 1) == [(1, "h1", "s1"), (2, "s1", "r1"), (3, "r1", "h2")]
    assert way(picture, 4) == [(1, "h2", "r1"), (2, "r1", "s1"), (3, "s1", "h1")], "the reply takes the other lanes"


def test_a_cable_takes_as_long_as_from_departure_to_arrival(sample: SimpleNamespace) -> None:
    last = [s for s in steps(packet_path(sample.sample_log()), 1) if s["leg"]][-1]
    assert last["end"] - last["t"] == 2_000_000


def test_without_a_wish_the_first_packet_that_went_furthest_is_in_front(sample: SimpleNamespace) -> None:
    assert packet_path(sample.sample_log()).axes["focus"] == 1
    assert packet_path(sample.sample_log(), 5).axes["focus"] == 5


def test_an_unknown_packet_is_refused_with_those_there_are(sample: SimpleNamespace) -> None:
    with pytest.raises(BadInput, match="packet 99 is not in this log; it has packets 1 to 6"):
        packet_path(sample.sample_log(), 99)


def test_families_fates_and_drops(sample: SimpleNamespace) -> None:
    picture = packet_path(sample.sample_log())
    roots = dict(zip(picture.layers["journeys"]["pkt"], picture.layers["journeys"]["root"], strict=True))
    assert roots == {1: 1, 2: 1, 3: 1, 4: 1, 5: 5, 6: 5}
    fates = dict(zip(picture.layers["journeys"]["pkt"], picture.layers["journeys"]["fate"], strict=True))
    assert fates[1] == "ended at h2" and fates[5] == "dropped: the TTL reached 0"
    (drop,) = picture.rows("drops")
    assert (drop["pkt"], drop["node"], drop["reason"], drop["on_cable"]) == (5, "r1", "the TTL reached 0", False)


def test_a_frame_that_never_arrives_is_lost_half_way(sample: SimpleNamespace) -> None:
    log = sample.sample_log()
    arrival = max(i for i, row in enumerate(log.rows) if row[5] == 1 and row[1] == "wire.rx")
    log.rows = [row for i, row in enumerate(log.rows) if not (row[5] == 1 and i >= arrival)]
    picture = packet_path(log)
    assert [s["lost"] for s in steps(picture, 1) if s["leg"]] == [False, False, True]
    lost = next(row for row in picture.rows("drops") if row["pkt"] == 1)
    assert lost["on_cable"] and lost["reason"] == "never arrived"


def test_visits_are_counted_within_a_host_and_the_device_is_one(sample: SimpleNamespace) -> None:
    inside = [s for s in steps(packet_path(sample.sample_log()), 1) if s["node"] == "r1" and s["station"]]
    stations = [s["station"] for s in inside]
    assert stations == ["nic.rx", "ether.input", "ip.input", "ip.forward", "ether.output", "ifq", "nic.tx"]
    assert [s["visit"] for s in inside] == [1, 2, 3, 4, 5, 6, 7]


def test_a_frame_seen_on_the_cable_has_passed_the_device(sample: SimpleNamespace) -> None:
    log = sample.sample_log()
    log.rows = [row for row in log.rows if row[3] != "nic.tx"]
    left = [s for s in steps(packet_path(log), 1) if s["node"] == "s1" and s["kind"] == "wire.tx"]
    assert [s["station"] for s in left] == ["nic.tx"]


def test_a_kernel_s_unobservable_stages_are_hidden_and_said(sample: SimpleNamespace) -> None:
    picture = packet_path(sample.sample_log(stages=False, backend="mininet", lost=12))
    states = {row["stage"]: row["state"] for row in picture.rows("stations") if row["node"] == "r1"}
    assert states["ip.forward"] == "hidden" and states["ether.input"] == "seen"
    said = " ".join(picture.caption)
    assert "Inferred, not measured: stages." in said
    assert "Not observable here: locks." in said
    assert "12 records were lost" in said
    assert "kept by tbf" in said, "the header's notes stand in the caption"
    assert way(picture, 1) == way(packet_path(sample.sample_log()), 1), "the same path in both worlds"


def test_more_packets_than_fit_are_said_and_the_chosen_one_is_always_there(sample: SimpleNamespace) -> None:
    picture = packet_path(sample.sample_log(), 6, limit=2)
    assert picture.layers["journeys"]["pkt"] == [5, 6]
    assert "6 packets were seen; 2 of them can be chosen here." in picture.caption


def test_an_empty_log_is_a_network_and_a_sentence(sample: SimpleNamespace) -> None:
    picture = packet_path(Log(Header("sim", 1, plan_to_data(sample.plan()))))
    assert picture.title == "small: no packet was seen"
    assert picture.layers["nodes"]["name"] == ["h1", "s1", "r1", "h2"] and not picture.rows("steps")


def test_captures_without_any_stage_still_give_the_path(sample: SimpleNamespace) -> None:
    log = sample.sample_log()
    log.rows = [row for row in log.rows if row[1] in ("packet", "wire.rx")]
    assert way(packet_path(log), 1) == [(1, "h1", "s1"), (2, "s1", "r1"), (3, "r1", "h2")]


def test_every_kind_of_record_is_shown_by_some_view(sample: SimpleNamespace) -> None:
    log = sample.sample_log()
    assert {row[1] for row in log.rows} == set(KINDS), "the sample must have every kind, or this proves nothing"
    shown = {log[index].kind for view in VIEWS.values() for index in view(log).records}
    assert shown == set(KINDS), "a record that nobody shows is a record in vain: draw it in a view"


def test_every_record_of_the_sample_is_a_mark(sample: SimpleNamespace) -> None:
    log = sample.sample_log()
    assert packet_path(log).records == frozenset(range(len(log)))


def test_times_in_one_journey_are_fine_enough_to_be_told_apart(sample: SimpleNamespace) -> None:
    assert [s["at"] for s in steps(packet_path(sample.sample_log()), 1)][-1] == "+2,210.2 µs"


def test_a_network_alone_is_a_picture(sample: SimpleNamespace) -> None:
    picture = network(sample.plan())
    assert picture.title == "small" and "router r1: r1-eth0 10.0.1.254/24" in " ".join(picture.narrative)


def test_a_frame_that_was_only_seen_on_the_cable_passed_both_devices(sample: SimpleNamespace) -> None:
    log = sample.sample_log()
    log.rows = [row for row in log.rows if row[1] != "stage"]
    picture = packet_path(log, 1)
    inside = [s["station"] for s in steps(picture, 1) if s["node"] == "r1" and s["station"]]
    assert inside == ["nic.rx", "nic.tx"]
    states = {s["stage"]: s["state"] for s in picture.rows("stations") if s["node"] == "r1"}
    assert states["nic.rx"] == states["nic.tx"] == "seen"
