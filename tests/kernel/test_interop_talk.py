"""Messages back and forth between the kernel and us: nobody waits for a delayed acknowledgement, or for a timer."""

from __future__ import annotations

import pytest
from duels import ATTEMPTS, SHORT, need_root, nothing_left

from netlab.backend.native.duel import MESSAGES, duel

SIZES = [1, 100, 1447, 1448, 1449, 2896, 2897, 4000, 10_000, 64_000]
"""Bytes of a message: around one and two full segments, where Nagle's algorithm has something to hold back."""
STALL = 30.0
"""ms that nobody waits on a veth, unless for a timer: the shortest are Linux's and our delayed acknowledgement, 40."""
SELDOM = 3
"""How many of sixty messages may meet one: Linux's own end sends two small segments in a row now and then."""


@pytest.fixture(autouse=True)
def privilege() -> None:
    need_root()


@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("role", ["talk", "echo"])
def test_no_message_waits_for_a_timer(role: str, family: int, offload: bool) -> None:
    """``talk``: we ask and the kernel answers; ``echo``: the other way round. Again where the machine is busy."""
    slow: dict[int, int] = {}
    for _ in range(ATTEMPTS):
        found = duel(
            role=role,
            family=family,
            sizes=SIZES,
            parallel=1,
            offload=offload,
            knobs=SHORT,
            account=True,
            congestion="reno",
        )
        assert found["done"] and found["errors"] == []
        assert found["octets"] == MESSAGES * sum(SIZES)
        assert [len(waits) for waits in found["waits"]] == [MESSAGES] * len(SIZES)
        nothing_left(found)
        stalls = {size: sum(wait > STALL for wait in waits) for size, waits in zip(SIZES, found["waits"], strict=True)}
        slow = {size: count for size, count in stalls.items() if count > SELDOM}
        if not slow:
            return
    raise AssertionError(f"in each of {ATTEMPTS} runs some waited, in the last {slow} (bytes: messages of {MESSAGES})")


def test_with_nagle_as_it_was_first_told_a_message_and_a_byte_do_wait() -> None:
    """What the test above would see: our answer's last byte is held until the segment before it is acknowledged, and
    the kernel has nothing to send, so that it delays that."""
    found = duel(role="echo", sizes=[1449], parallel=1, knobs={**SHORT, "nagle": "classic"})
    assert sum(wait > STALL for wait in found["waits"][0]) > MESSAGES // 2
