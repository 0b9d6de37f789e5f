"""Rows leave in order, and every journey is introduced."""

from __future__ import annotations

from typing import Any

from netlab.probe.journal import Journal

BASE = 1_000_000


def stage(journal: Journal, t: int, name: str, pkt: int = 1) -> None:
    journal.add(BASE + t, "stage", "h1", name, 0, pkt, ("h1-eth0", None))


def test_rows_leave_in_order_of_time_and_count_from_the_run_s_start() -> None:
    journal = Journal(BASE)
    for t in (300, 100, 200):
        stage(journal, t, f"at {t}")
    assert [(row[0], row[3]) for row in journal.release(BASE + 250)] == [(100, "at 100"), (200, "at 200")]
    assert [row[0] for row in journal.flush()] == [300]


def test_what_comes_too_late_keeps_the_order_by_a_later_time() -> None:
    journal = Journal(BASE)
    stage(journal, 100, "in time")
    journal.release(BASE + 500)
    stage(journal, 200, "late")
    stage(journal, 600, "next")
    assert [(row[0], row[3]) for row in journal.flush()] == [(500, "late"), (600, "next")]


def test_an_introduction_comes_first_in_its_instant(frames: Any) -> None:
    journal = Journal(BASE)
    pkt = journal.new()
    stage(journal, 100, "ifq", pkt)
    journal.introduce(BASE + 100, "h1", 0, pkt, frames.request(), "")
    kinds = [row[1] for row in journal.flush()]
    assert kinds == ["packet", "stage"]


def test_an_introduction_says_what_the_packet_is_and_who_caused_it(frames: Any) -> None:
    journal = Journal(BASE)
    journal.introduce(BASE, "h1", 0, journal.new(), frames.request(), "")
    journal.introduce(BASE + 1, "h2", 0, journal.new(), frames.reply(), "")
    journal.introduce(BASE + 2, "h2", 0, journal.new(), None, "98 bytes from h2-eth0")
    said = [(row[5], row[3], *row[6]) for row in journal.flush()]
    assert said[0][:3] == (1, "icmp.output", 0) and "echo request" in said[0][3]
    assert said[1][:3] == (2, "icmp.output", 1) and "echo reply" in said[1][3]
    assert said[2] == (3, "kernel", 0, "98 bytes from h2-eth0")


def test_past_its_budget_a_run_keeps_no_more_bytes_and_counts_them() -> None:
    journal = Journal(BASE, frame_budget=100)
    assert journal.kept(bytes(98)) == bytes(98)
    assert journal.kept(bytes(98)) is None
    assert journal.kept(None) is None
    assert journal.frames_cut == 1
