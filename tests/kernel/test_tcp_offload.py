"""Our TCP and the kernel's over a veth: every byte right, both ways, with offload and without, on bad wires."""

from __future__ import annotations

import random
import shutil

import pytest
from duels import need_root, whole

from netlab.backend.native.duel import duel

BAD = {"loss": 0.02, "duplicate": 0.02, "reorder": 0.02, "corrupt": 0.01}


@pytest.fixture(autouse=True)
def privilege() -> None:
    need_root()


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("role", ["send", "take"])
def test_long_segments_cross_whole(role: str, family: int) -> None:
    found = duel(role=role, family=family, sizes=[8_000_000], keep=True)
    whole(found, [8_000_000])
    counted = found["counters"]["opackets" if role == "send" else "ipackets"]
    assert counted < 8_000_000 / 1448 / 3, "most of the text went in segments longer than the MTU"


@pytest.mark.parametrize("role", ["send", "take"])
def test_without_offload_every_segment_fits_the_mtu(role: str) -> None:
    found = duel(role=role, sizes=[2_000_000], keep=True, offload=False)
    whole(found, [2_000_000])
    assert found["counters"]["opackets" if role == "send" else "ipackets"] >= 2_000_000 / 1448


@pytest.mark.parametrize("role", ["send", "take"])
def test_sixty_connections_over_a_bad_cable_without_offload(role: str) -> None:
    """With it there are two hundred, see test_interop_bulk."""
    sizes = [random.Random(n).randrange(1, 200_000) for n in range(60)]
    whole(duel(role=role, sizes=sizes, keep=True, offload=False, faults=BAD), sizes)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("offload", [True, False])
def test_curl_gets_ten_megabytes_from_our_server(offload: bool, family: int) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing: apt-get install curl")
    sizes = [10_000_000 if offload else 2_000_000, 1, 70_000]
    whole(duel(role="serve", family=family, sizes=sizes, keep=True, offload=offload), sizes)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("offload", [True, False])
def test_our_client_gets_ten_megabytes_from_the_kernels(offload: bool, family: int) -> None:
    sizes = [10_000_000 if offload else 2_000_000, 1, 70_000]
    whole(duel(role="fetch", family=family, sizes=sizes, keep=True, offload=offload), sizes)
