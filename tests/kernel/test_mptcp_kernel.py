"""Our multipath TCP and the kernel's over two veths, one of 40 and one of 20 Mbit/s; either end opens, either pours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from netlab.backend.native.multipathduel import multipath_duel

RATES = ["40mbit", "20mbit"]
ODD = {"DSSNotMatching", "InfiniteMapRx", "DataCsumErr", "NoDSSInWindow", "DSSCorruptionReset", "MPFailRx", "MPFailTx"}
"""What the kernel counts when our mappings make no sense to it."""
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
    assert not ODD & found["kernel"].keys()
    return found


def goodput(found: dict[str, Any]) -> float:
    """Mbit/s, with the handshakes and the close."""
    return float(found["octets"] * 8 / found["seconds"] / 1e6)


def best(enough: float, **request: Any) -> float:
    """Mbit/s of the best of some attempts: on a busy machine it is the processors that limit what a path gives."""
    found = 0.0
    for _ in range(4):
        found = max(found, goodput(whole(**request)))
        if found > enough:
            break
    return found


@pytest.mark.parametrize("role", ["send", "take"])
def test_both_paths_give_more_than_either_alone(role: str) -> None:
    fast = best(33, role=role, size=3_000_000, rates=RATES, second="")
    slow = best(15, role=role, size=1_500_000, rates=RATES[::-1], second="")
    both = best(1.15 * fast, role=role, size=6_000_000, rates=RATES)
    assert slow < fast < 41, "each cable gives what it can alone"
    assert both > 1.15 * fast


@pytest.mark.parametrize("cut", [0, 1])
@pytest.mark.parametrize("role", ["send", "take"])
def test_a_path_dies_in_mid_transfer_and_every_byte_arrives(role: str, cut: int) -> None:
    found = whole(role=role, size=4_000_000, rates=RATES, cut=cut, at=0.2)
    dead, alive = sorted(found["subflows"])[:: 1 if cut == 0 else -1]
    after = {name: found["subflows"][name] - found["before"].get(name, 0) for name in (dead, alive)}
    assert after[alive] > after[dead], "the rest came by the other path"


@pytest.mark.parametrize("role", ["send", "take"])
def test_a_kernel_that_speaks_plain_tcp_gets_plain_tcp(role: str) -> None:
    found = whole(role=role, size=500_000, kernel="plain")
    assert found["plain"]
    assert not found["kernel"], "its MPTCP counted nothing"


@pytest.mark.parametrize("role", ["send", "take"])
def test_checksums_over_every_mapping(role: str) -> None:
    found = whole(role=role, size=1_000_000, checksum=True)
    assert not found["plain"] and len(found["subflows"]) == 2


def test_the_kernel_announces_an_address_and_we_join_it() -> None:
    found = whole(role="send", size=3_000_000, rates=RATES, second="signal")
    assert found["subflows"].keys() == {FIRST, SECOND}
    assert found["kernel"]["EchoAdd"] == 1, "our echo came"
    assert found["kernel"]["MPJoinAckRx"] == 1


def test_we_announce_an_address_and_the_kernel_joins_it() -> None:
    found = whole(role="take", size=3_000_000, rates=RATES, second="signal")
    assert found["subflows"].keys() == {FIRST, SECOND}
    assert found["kernel"]["AddAddr"] == found["kernel"]["EchoAddTx"] == 1


@pytest.mark.parametrize("role", ["send", "take"])
def test_a_backup_is_left_alone(role: str) -> None:
    found = whole(role=role, size=1_500_000, rates=RATES, backup=True)
    behind, first = sorted(found["subflows"].values())
    # On a busy machine a timer may run out by itself, and then what it is about goes by the backup too.
    assert len(found["subflows"]) == 2 and first >= 1_400_000 and behind < 150_000


def test_a_backup_takes_over_when_the_first_path_dies() -> None:
    found = whole(role="send", size=2_000_000, rates=RATES, backup=True, cut=0, at=0.2)
    assert found["subflows"]["10.0.2.1 to 10.0.1.2"] > 200_000


@pytest.mark.parametrize("says", ["ours", "theirs"])
def test_a_subflow_becomes_a_backup_in_mid_transfer(says: str) -> None:
    role, second = ("take", "join") if says == "ours" else ("send", "signal")
    found = whole(role=role, size=6_000_000, rates=RATES, second=second, prio=says, at=0.15)
    assert found["kernel"]["MPPrioRx" if says == "ours" else "MPPrioTx"] == 1
    [behind] = [name for name in found["subflows"] if name != FIRST]
    after = found["subflows"][behind] - found["before"][behind]
    # What was in flight, or in the sender's queue for that subflow, still comes.
    assert after < 0.9 * (found["subflows"][FIRST] - found["before"][FIRST])


@pytest.mark.parametrize(
    ("role", "second"), [("send", "join"), ("take", "join"), ("send", "signal"), ("take", "signal")]
)
def test_an_address_is_taken_back_in_mid_transfer(role: str, second: str) -> None:
    ours = (role == "send") == (second == "join")
    found = whole(role=role, size=4_000_000, rates=RATES, second=second, withdraw="ours" if ours else "theirs", at=0.2)
    # Nobody repeats a REMOVE_ADDR, and one that leaves beside much data may be lost.
    assert found["kernel"].get("RmAddr" if ours else "RmAddrTx", role == "send") == 1
    [gone] = [name for name in found["subflows"] if name != FIRST]
    rest = {name: found["subflows"][name] - found["before"][name] for name in (gone, FIRST)}
    assert rest[gone] < rest[FIRST]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("role", ["send", "take"])
def test_two_bad_cables(role: str, seed: int) -> None:
    faults = {"loss": 0.02, "duplicate": 0.02, "reorder": 0.02, "corrupt": 0.01}
    whole(role=role, size=700_000, faults=faults, seed=seed, checksum=seed == 2)


@pytest.mark.parametrize("who", ["ours", "theirs"])
def test_a_connection_is_cut_with_proof(who: str) -> None:
    found = multipath_duel(role="send", size=3_000_000, rates=RATES, abort=who, at=0.3)
    assert found["done"] and 0 < found["octets"] < 3_000_000
    if who == "ours":
        assert found["theirs"] == "reset" and found["kernel"]["MPFastcloseRx"] == 1
    else:
        assert found["errors"] == ["ECONNRESET"] and found["kernel"]["MPFastcloseTx"] >= 1
