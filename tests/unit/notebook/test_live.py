from __future__ import annotations

from typing import Any

from netlab.notebook.live import EVENTS, PATIENCE, WIDTH, Pacer, Reader, Update
from netlab.trace.log import Header, Log

LANES = {"h1-eth0": 0, "r1-eth0": 1}


def make_log() -> Log:
    return Log(Header("sim", 1, {}))


def sent(log: Log, pkt: int, node: str = "h1", iface: str = "h1-eth0", dur: int | None = 1_000_000) -> None:
    data: tuple[Any, ...] = ("peer", 98, dur, 500_000, b"")
    log.add((0, "wire.tx", node, iface, 0, pkt, data))


def update(*numbers: float, stamp: float = 0.0) -> Update:
    made = Update(stamp)
    made.events.extend(numbers)
    return made


# ---- the reader ------------------------------------------------------------------------------------


def test_the_reader_gives_only_what_is_new() -> None:
    log = make_log()
    reader = Reader(log, LANES, ["h1", "r1"])
    assert reader.news(0.0) is None
    sent(log, 1)
    first = reader.news(5.0)
    assert first and list(first.events) == [1, 0, 1.5] and first.stamp == 5.0
    assert reader.news(6.0) is None
    sent(log, 1, "r1", "r1-eth0")
    second = reader.news(7.0)
    assert second and list(second.events) == [1, 1, 1.5]
    assert reader.seen == 1


def test_a_reply_belongs_to_the_exchange_that_caused_it() -> None:
    log = make_log()
    log.add((0, "packet", "h1", "ping", 0, 1, (0, "ask")))
    log.add((0, "packet", "r1", "icmp.input", 0, 2, (1, "answer")))
    log.add((0, "packet", "r1", "arp.output", 0, 3, (2, "who has")))
    for pkt in (1, 2, 3):
        sent(log, pkt)
    news = Reader(log, LANES, ["h1", "r1"]).news(0.0)
    assert news and list(news.events)[::WIDTH] == [1, 1, 1]


def test_a_drop_names_its_node_and_is_counted() -> None:
    log = make_log()
    log.add((0, "drop", "r1", "ip.forward", 0, 4, ("ttl", "r1-eth0")))
    reader = Reader(log, LANES, ["h1", "r1"])
    news = reader.news(0.0)
    assert news and list(news.events) == [4, -2, 0]
    assert reader.dropped == 1


def test_what_the_network_does_not_have_and_what_is_not_known_is_no_trouble() -> None:
    log = make_log()
    sent(log, 1, iface="lo")
    log.add((0, "drop", "nowhere", "x", 0, 1, ("y", "z")))
    sent(log, 1, dur=None)
    news = Reader(log, LANES, ["h1"]).news(0.0)
    assert news and list(news.events) == [1, 0, 0.5]


def test_a_flood_is_cut_and_counted() -> None:
    log = make_log()
    for pkt in range(1, EVENTS + 11):
        sent(log, pkt)
    reader = Reader(log, LANES, ["h1"])
    news = reader.news(0.0)
    assert news and len(news.events) == WIDTH * EVENTS and news.skipped == 10
    assert reader.seen == EVENTS + 10


# ---- the pacer -------------------------------------------------------------------------------------


def test_two_updates_may_be_unpainted_and_the_rest_is_merged() -> None:
    pacer = Pacer()
    for i in range(5):
        pacer.offer(update(i, 0, 0, stamp=float(i)))
        if i < 2:
            assert pacer.take(0.0)
        else:
            assert pacer.take(0.0) is None
    pacer.painted(1, 0.0, 40.0)
    ready = pacer.take(41.0)
    assert ready is not None
    sequence, merged = ready
    assert sequence == 3 and list(merged.events)[::WIDTH] == [2, 3, 4]
    assert merged.stamp == 2.0, "the latency is that of the oldest"


def test_nothing_is_sent_where_nothing_is_new() -> None:
    pacer = Pacer()
    pacer.offer(None)
    assert pacer.take(0.0) is None


def test_painting_a_later_update_means_that_the_earlier_ones_are_done() -> None:
    pacer = Pacer()
    for i in range(2):
        pacer.offer(update(i, 0, 0))
        assert pacer.take(0.0)
    pacer.painted(2, 0.0, 30.0)
    for i in range(2):
        pacer.offer(update(i, 0, 0))
        assert pacer.take(31.0)


def test_a_browser_that_went_away_does_not_stop_the_rest_for_ever() -> None:
    pacer = Pacer()
    for i in range(3):
        pacer.offer(update(i, 0, 0))
        pacer.take(0.0)
    assert pacer.take(PATIENCE - 1) is None
    assert pacer.take(PATIENCE) is not None


def test_latencies_are_from_record_to_pixel() -> None:
    pacer = Pacer()
    pacer.offer(update(1, 0, 0, stamp=100.0))
    assert pacer.take(110.0)
    pacer.painted(1, 100.0, 145.0)
    assert list(pacer.latencies) == [45.0]
