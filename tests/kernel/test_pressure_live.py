"""Backpressure above the kernel's own queue: our TCP pours through a token bucket to the kernel's."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from duels import need_root, whole

from netlab.backend.native.duel import duel

SIZES = [500_000] * 3


@pytest.fixture(autouse=True)
def privilege() -> None:
    need_root()
    if shutil.which("tc") is None:
        pytest.skip("tc is missing: apt-get install iproute2")


def poured(policy: str, *, offload: bool) -> dict[str, Any]:
    found = duel(role="send", sizes=SIZES, keep=True, offload=offload, shaped="40mbit", pressure=policy)
    whole(found, SIZES)
    return found


@pytest.mark.parametrize("offload", [False, True])
def test_accounted_bytes_wait_with_their_program_and_not_in_the_kernel(offload: bool) -> None:
    dropped = poured("drop", offload=offload)
    accounted = poured("accounted+scheduled", offload=offload)
    assert dropped["counters"]["oqdrops"] > 0, "the kernel's queue was full"
    assert accounted["counters"]["oqdrops"] == 0
    assert accounted["waited"] < 0.8 * dropped["waited"]


@pytest.mark.parametrize("policy", ["rollback", "wake all", "notify"])
def test_every_byte_arrives_and_no_wake_up_is_lost(policy: str) -> None:
    found = poured(policy, offload=True)
    assert found["seconds"] < 10, "a lost wake-up would have had to wait for a timer"
