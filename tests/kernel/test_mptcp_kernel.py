"""Our multipath TCP and the kernel's over two veths, one of 40 and one of 20 Mbit/s; either end opens, either pours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from netlab.backend.native.multipathduel import multipath_duel

RATES = ["40mbit", "20mbit"]
FIRST, SECOND = "10.0.1.1 to 10.0.1.2", "10.0.2.1 to 10.0.2.2"


@pytest.fixture(autouse=True)
def privilege() -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("network namespaces and AF_PACKET need root: run as root on Linux")
    if not Path("/proc/sys/net/mptcp/enabled").exists():
        pytest.skip("this kernel has no MPTCP: run on Linux 5.6 or later with CONFIG_MPTCP")


def whole(**request: Any) -> dict[str, Any]:
    """A duel in which every byte arrives, and the kernel found nothing odd."""
    found = multipath_duel(**request)
    assert found["done"] and found["errors"] == []
    assert found["octets"] == request["size"]
    assert found["ours"] == found["theirs"], "a byte differs"
    odd = {"MPTCPRetrans", "DSSNotMatching", "InfiniteMapRx", "DataCsumErr", "NoDSSInWindow", "DSSCorruptionReset"}
    if "cut" not in request:
        assert not odd & found["kernel"].keys()
    return found


def goodput(found: dict[str, Any]) -> float:
    """Mbit/s, with the handshakes and the close."""
    return float(found["octets"] * 8 / found["seconds"] / 1e6)


@pytest.mark.parametrize("role", ["send", "take"])
def test_both_paths_give_more_than_either_alone(role: str) -> None:
    fast = goodput(whole(role=role, size=3_000_000, rates=RATES, second=""))
    slow = goodput(whole(role=role, size=1_500_000, rates=RATES[::-1], second=""))
    both = whole(role=role, size=6_000_000, rates=RATES)
    assert len(both["subflows"]) == 2
    assert slow < 21 < fast < 41, "each cable gives what it can alone"
    assert goodput(both) > 1.15 * fast
