"""Who caused whom, told by bytes."""

from __future__ import annotations

from typing import Any

import pytest

from netlab.probe import causes
from netlab.probe.causes import Causes, maker

A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))


def test_an_echo_reply_s_parent_is_the_request_of_its_number(frames: Any) -> None:
    seen = Causes()
    assert seen.note(frames.request(1), 1) == 0
    assert seen.note(frames.request(2), 2) == 0
    assert seen.note(frames.reply(1), 3) == 1


def test_an_arp_reply_s_parent_is_the_question(frames: Any) -> None:
    seen = Causes()
    seen.note(frames.arp(1, A, B), 1)
    assert seen.note(frames.arp(2, B, A), 2) == 1
    assert seen.note(frames.arp(2, A, B), 3) == 0


def test_a_time_exceeded_s_parent_is_the_packet_it_quotes_whatever_the_ttl_became(frames: Any) -> None:
    seen = Causes()
    seen.note(frames.request(1, ident=1), 1)
    seen.note(frames.request(1, ident=2), 2)
    assert seen.note(frames.time_exceeded(frames.request(1, ident=2, ttl=1)), 3) == 2


def test_an_error_about_a_datagram_whose_checksum_was_left_undone_still_finds_it(frames: Any) -> None:
    sent = frames.udp(A, B, (4000, 5000), b"x")
    quoted = sent[:40] + b"\x12\x34" + sent[42:]
    seen = Causes()
    seen.note(sent, 1)
    assert seen.note(frames.time_exceeded(quoted), 2) == 1


def test_a_udp_echo_is_the_child_and_the_next_datagram_is_not(frames: Any) -> None:
    seen = Causes()
    assert seen.note(frames.udp(A, B, (4000, 7), b"hello"), 1) == 0
    assert seen.note(frames.udp(B, A, (7, 4000), b"hello"), 2) == 1
    assert seen.note(frames.udp(A, B, (4000, 7), b"hello"), 3) == 0
    assert seen.note(frames.udp(B, A, (7, 4000), b"other"), 4) == 0


def test_memory_is_bounded_and_the_latest_are_kept(frames: Any) -> None:
    seen = Causes()
    for seq in range(1, 60_000):
        seen.note(frames.arp(1, seq.to_bytes(4, "big"), B), seq)
    assert len(seen._young) + len(seen._old) <= 2 * causes.REMEMBERED + 2
    assert seen.note(frames.arp(2, B, (59_000).to_bytes(4, "big")), 60_000) == 59_000


@pytest.mark.parametrize("size", range(0, 60))
def test_a_frame_cut_short_anywhere_has_no_cause_and_does_no_harm(frames: Any, size: int) -> None:
    for frame in (frames.request(), frames.reply(), frames.arp(1, A, B), frames.time_exceeded(frames.request())):
        assert Causes().note(frame[:size], 1) == 0
        assert isinstance(maker(frame[:size]), str)


def test_tags_are_looked_through(frames: Any) -> None:
    tagged = [f[:12] + b"\x88\xa8\0\x64\x81\0\0\x14" + f[12:] for f in (frames.request(), frames.reply())]
    seen = Causes()
    seen.note(tagged[0], 1)
    assert seen.note(tagged[1], 2) == 1


def test_a_packet_s_maker_is_told_by_its_protocol(frames: Any) -> None:
    assert maker(frames.request()) == "icmp.output"
    assert maker(frames.arp(1, A, B)) == "arp.output"
    assert maker(frames.udp(A, B, (1, 2), b"")) == "udp.output"
    assert maker(frames.ip(A, B, 132, b"")) == "ip.output"
    assert maker(b"\xff" * 12 + b"\x88\xcc") == "kernel"
