"""iperf3's client, with the kernel's sockets, against our server: it ends with success and prints our figures."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from duels import SHORT, need_root, nothing_left

from netlab.backend.native.duel import duel


@pytest.fixture(autouse=True)
def privilege() -> None:
    need_root()
    if shutil.which("iperf3") is None:
        pytest.skip("iperf3 is missing: apt-get install iperf3")


def run(*words: str, family: int = 4, **request: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What iperf3 says, and our test's figures."""
    found = duel(role="iperf3", sizes=[], words=words, family=family, account=True, knobs=SHORT, **request)
    nothing_left(found)
    status, said = found["status"]
    assert found["done"] and status == 0 and found["errors"] == [], said
    [test] = found["tests"]
    answer = json.loads(said)
    assert "error" not in answer, answer["error"]  # with -J the exit status alone says too little
    return answer["end"], test


@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize("family", [4, 6])
def test_it_pushes_ten_megabytes(family: int, offload: bool) -> None:
    end, test = run("-n", "10M", family=family, offload=offload)
    assert end["sum_sent"]["bytes"] >= 10 << 20
    assert end["sum_received"]["bytes"] == sum(test["octets"]), "it prints what we counted"
    assert sum(test["octets"]) >= 5 << 20, "most was there when it said that it was done"


def test_four_streams_for_a_second() -> None:
    end, test = run("-t", "1", "-P", "4")
    assert len(test["octets"]) == 4 and all(octets > 100_000 for octets in test["octets"])
    assert [stream["receiver"]["bytes"] for stream in end["streams"]] == test["octets"]
    assert test["ns"] > 900_000_000


@pytest.mark.parametrize("family", [4, 6])
def test_it_draws_from_us(family: int) -> None:
    end, test = run("-t", "1", "-R", "-P", "2", family=family)
    assert test["reverse"] and len(test["octets"]) == 2
    assert 1_000_000 < end["sum_received"]["bytes"] <= sum(test["octets"])


def test_it_says_what_we_do_not_have() -> None:
    found = duel(role="iperf3", sizes=[], words=["-u"])
    assert "not implemented" in json.loads(found["status"][1])["error"]
    assert found["errors"] == ["asked for UDP"]
