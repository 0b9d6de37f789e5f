"""What the tests of our TCP against the kernel's ask of a duel, and of its outcome."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from netlab.backend.native.duel import duel

BAD = {"loss": 0.02, "duplicate": 0.02, "reorder": 0.02, "corrupt": 0.01}
SHORT = {"msl": 100_000_000}
"""Knobs with which TIME-WAIT ends after 200 ms, so that a test can see that it does."""
WRONG = (
    "TcpInErrs",
    "TcpInCsumErrors",
    "TcpExtTCPSACKReneging",
    "TcpExtTCPSACKDiscard",
    "TcpExtTCPChallengeACK",
    "TcpExtBeyondWindow",
    "TcpExtTCPAbortOnData",
    "TcpExtTCPAbortOnClose",
)
"""What the kernel counts of a peer or a wire that does something wrong."""
LATE = (
    "TcpExtPAWSEstab",
    "TcpExtTCPOFOQueue",
    "TcpExtTCPSACKReorder",
    "TcpExtTCPTimeouts",
    "TcpExtTCPDSACKOldSent",
    "TcpExtTCPDSACKOfoSent",
)
"""What it counts of disorder, and when somebody waited in vain and sent again: a bug, unless a process had to wait for
its turn, or changed its core. (A segment that comes twice is told of by DSACK, so a retransmission of ours that was not
needed shows here, too.)"""
PROBED = ("TcpRetransSegs", "TcpExtTCPDSACKRecv", "TcpExtTCPDSACKOfoRecv")
"""What may follow from a tail loss probe, which the kernel sends after 4 ms of silence: whenever we must wait."""
ATTEMPTS = 6


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


def calm(**request: Any) -> dict[str, Any]:
    """A duel on a good wire, of which the kernel's end has nothing to complain.

    It is fought again where somebody was late: on a busy machine that happens by itself, a bug is there every time.
    """
    late: dict[str, int] = {}
    for _ in range(ATTEMPTS):
        found = duel(**request)
        whole(found, request["sizes"])
        wrong = complaints(found, WRONG)
        assert not wrong, wrong
        late = complaints(found, LATE) | beyond_probes(found)
        if not late:
            return found
    raise AssertionError(f"in each of {ATTEMPTS} runs somebody was late, in the last {late}")


def complaints(found: dict[str, Any], names: tuple[str, ...]) -> dict[str, int]:
    """Those of the kernel's counters that are not zero."""
    return {name: found["kernel"][name] for name in names if found["kernel"].get(name)}


def beyond_probes(found: dict[str, Any]) -> dict[str, int]:
    """What was sent again although no loss probe asked for it."""
    probes = found["kernel"].get("TcpExtTCPLossProbes", 0)
    return {name: n - probes for name in PROBED if (n := found["kernel"].get(name, 0)) > probes}


def sizes_up_to(most: int, count: int, seed: str) -> list[int]:
    """Random sizes, the same for the same seed."""
    rng = random.Random(seed)
    return [rng.randrange(1, most) for _ in range(count)]
