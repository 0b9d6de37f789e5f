"""What the tests of our TCP against the kernel's ask of a duel, and of its outcome."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

BAD = {"loss": 0.02, "duplicate": 0.02, "reorder": 0.02, "corrupt": 0.01}
SHORT = {"msl": 100_000_000}
"""Knobs with which TIME-WAIT ends after 200 ms, so that a test can see that it does."""
TROUBLE = (
    "TcpRetransSegs",
    "TcpInErrs",
    "TcpInCsumErrors",
    "TcpExtTCPTimeouts",
    "TcpExtTCPLossProbes",
    "TcpExtTCPLostRetransmit",
    "TcpExtTCPSACKReneging",
    "TcpExtTCPSACKDiscard",
    "TcpExtTCPDSACKOldSent",
    "TcpExtTCPDSACKOfoSent",
    "TcpExtTCPDSACKRecv",
    "TcpExtTCPDSACKOfoRecv",
    "TcpExtTCPOFOQueue",
    "TcpExtTCPSACKReorder",
    "TcpExtTCPChallengeACK",
    "TcpExtPAWSEstab",
    "TcpExtPAWSOldAck",
    "TcpExtTCPToZeroWindowAdv",
    "TcpExtBeyondWindow",
    "TcpExtTCPAbortOnData",
    "TcpExtTCPAbortOnClose",
)
"""What the kernel counts of a peer or a wire that does something wrong: all zero where both are in order. (A segment
that comes twice is told of by DSACK, so a retransmission of ours that was not needed shows here, too.)"""


def need_root() -> None:
    """Skip where no namespace can be made."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("network namespaces and AF_PACKET need root: run as root on Linux")


def whole(found: dict[str, Any], sizes: list[int]) -> None:
    """Every connection came to its end, and every byte is right."""
    assert found["done"] and found["errors"] == []
    assert len(found["ours"]) == len(sizes)
    assert found["ours"] == found["theirs"], "a byte differs"
    assert found["octets"] == sum(sizes)


def nothing_left(found: dict[str, Any]) -> None:
    """Our host holds no connection, deadline or packet, and our process no such object."""
    assert found["left"] == {}
    assert found["alive"] == {}


def untroubled(found: dict[str, Any]) -> None:
    """The kernel's end had nothing to complain of."""
    assert {name: found["kernel"][name] for name in TROUBLE if found["kernel"].get(name)} == {}


def sizes_up_to(most: int, count: int, seed: str) -> list[int]:
    """Random sizes, the same for the same seed."""
    rng = random.Random(seed)
    return [rng.randrange(1, most) for _ in range(count)]
