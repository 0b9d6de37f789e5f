"""Bytes find their transmission, by core where it is known, by distance in time where it is not."""

from __future__ import annotations

import pytest

from netlab.probe.capture import Captured
from netlab.probe.pairing import STALE, Pairing

QUEUED_TO_TAP, TAP_TO_XMIT = 400, 700


def seen(t: int, name: bytes, *, share: int = 0, size: int = 98) -> Captured:
    return Captured(t, "h1-eth0", True, size, name, share)


def take(pairing: Pairing, tap: int, *, cpu: int = 0, size: int = 98) -> bytes | None:
    """Take the bytes of a frame that the tap saw at ``tap``, as its transmission's own times tell."""
    return pairing.take("h1-eth0", cpu, size, tap - QUEUED_TO_TAP, tap + TAP_TO_XMIT)


def test_frames_of_other_lengths_and_interfaces_are_not_taken() -> None:
    pairing = Pairing(["h1-eth0"])
    pairing.feed([seen(10_000, b"long", size=1500), seen(10_100, b"short")])
    pairing.feed([Captured(10_000, "h9-eth0", True, 98, b"elsewhere")])
    assert take(pairing, 10_000) == b"short"
    assert take(pairing, 10_000) is None
    assert "h1-eth0" in pairing and "h9-eth0" not in pairing


@pytest.mark.parametrize("apart", [150, 400, 900])
@pytest.mark.parametrize("later_first", [False, True])
def test_two_cores_at_once_are_told_apart_by_the_distance(apart: int, later_first: bool) -> None:
    pairing = Pairing(["h1-eth0"])
    pairing.feed([seen(10_000, b"one"), seen(10_000 + apart, b"two")])
    order = (
        [(10_000 + apart, b"two"), (10_000, b"one")] if later_first else [(10_000, b"one"), (10_000 + apart, b"two")]
    )
    assert [take(pairing, tap) for tap, _ in order] == [name for _, name in order]
    assert pairing.ambiguous == 0


def test_what_cannot_be_told_apart_is_counted() -> None:
    pairing = Pairing(["h1-eth0"])
    pairing.feed([seen(10_000, b"one"), seen(10_030, b"two")])
    take(pairing, 10_000)
    assert pairing.ambiguous == 1


def test_with_a_socket_for_each_core_nothing_is_left_to_guess() -> None:
    pairing = Pairing(["h1-eth0"], shares=2)
    pairing.feed([seen(10_000, b"core 0", share=0), seen(10_000, b"core 1", share=1)])
    assert take(pairing, 10_000, cpu=3) == b"core 1"
    assert take(pairing, 10_000, cpu=2) == b"core 0"
    assert pairing.ambiguous == 0


def test_a_frame_that_waited_in_a_queue_is_known_by_when_it_left() -> None:
    pairing = Pairing(["h1-eth0"])
    pairing.feed([seen(10_000, b"before"), seen(9_000_000, b"it")])
    assert pairing.take("h1-eth0", 0, 98, 5_000, 9_000_700) == b"it"


def test_a_frame_from_before_the_packet_was_queued_is_not_its_bytes() -> None:
    pairing = Pairing(["h1-eth0"])
    pairing.feed([seen(10_000, b"its event was lost")])
    assert take(pairing, 500_000) is None


def test_frames_that_nobody_claims_are_given_up() -> None:
    pairing = Pairing(["h1-eth0"])
    pairing.feed([seen(t, b"lost") for t in range(1000)])
    pairing.feed([seen(2 * STALE, b"it")])
    assert take(pairing, 2 * STALE) == b"it"
    assert sum(map(len, pairing._frames.values())) == 0


def test_the_expected_distance_is_this_machine_s() -> None:
    """Ten times slower than where the first guess was measured: after a while it still tells frames apart."""
    pairing = Pairing(["h1-eth0"])
    for n in range(100):
        at = 1_000_000 * n
        pairing.feed([seen(at, b"alone")])
        pairing.take("h1-eth0", 0, 98, at - 4_000, at + 7_000)
    at = 200_000_000
    pairing.feed([seen(at, b"one"), seen(at + 1_000, b"two")])
    assert pairing.take("h1-eth0", 1, 98, at + 1_000 - 4_000, at + 1_000 + 7_000) == b"two"
