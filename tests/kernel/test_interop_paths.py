"""Between the kernel and us: links with long and short packets, a path that changes, a slow router, marks by ECN."""

from __future__ import annotations

from typing import Any

import pytest
from duels import ATTEMPTS, SHORT, calm, complaints, need_root, nothing_left, whole

from netlab.backend.native.duel import duel

PLAIN_ROUTER = ["ip link set ra up"]


@pytest.fixture(autouse=True)
def privilege() -> None:
    need_root()


# ---- the MTU -------------------------------------------------------------------------------------


@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize(("mtu", "family"), [(9000, 4), (9000, 6), (1280, 4), (1280, 6), (576, 4)])
@pytest.mark.parametrize("role", ["send", "take"])
def test_segments_are_as_long_as_the_link_lets_them(role: str, mtu: int, family: int, offload: bool) -> None:
    size = 1_000_000 if offload else 300_000
    found = calm(role=role, family=family, mtu=mtu, sizes=[size], keep=True, offload=offload, knobs=SHORT, account=True)
    nothing_left(found)
    room = mtu - (40 if family == 4 else 60) - 12
    packets = found["counters"]["opackets" if role == "send" else "ipackets"]
    if offload:
        assert packets < size / room, "long segments crossed whole"
    else:
        assert size / room <= packets < size / room + 20


@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("role", ["send", "take"])
def test_a_path_that_becomes_narrow_in_mid_transfer(role: str, family: int, offload: bool) -> None:
    """The router's far link drops to 1,400 bytes; who sends more is told so by ICMP, and goes on with less."""
    sizes = [12_000_000, 50_000]
    found = duel(
        role=role,
        family=family,
        sizes=sizes,
        keep=True,
        offload=offload,
        knobs=SHORT,
        account=True,
        router=PLAIN_ROUTER,
        midway=f"ip link set {'rb' if role == 'send' else 'ra'} mtu 1400",
    )
    whole(found, sizes)
    nothing_left(found)
    assert found["path_mtu"] == (1400 if role == "send" else 1500)
    if role == "take":
        return
    assert not complaints(found, ("TcpInErrs", "TcpInCsumErrors", "TcpExtTCPSACKReneging"))
    assert found["seconds"] < 8, "nobody waited for one timer after the other"


# ---- a bottleneck --------------------------------------------------------------------------------

RATE = 40_000_000


def slowly(device: str, limit: int) -> list[str]:
    return [f"tc qdisc add dev {device} root tbf rate {RATE} burst 16000 limit {limit}"]


@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize("limit", [30_000, 100_000])
@pytest.mark.parametrize("control", ["newreno", "cubic"])
def test_a_small_queue_is_filled_without_collapse(control: str, limit: int, offload: bool) -> None:
    """A router with 40 Mbit/s and a queue of 6 or 20 ms: the link is used, and little is sent in vain."""
    size = 5_000_000
    found = duel(
        role="send",
        sizes=[size],
        offload=offload,
        knobs={**SHORT, "congestion": control},
        account=True,
        router=slowly("rb", limit),
    )
    assert found["done"] and found["octets"] == size
    nothing_left(found)
    assert found["octets"] * 8 / found["seconds"] > 0.6 * RATE
    assert found["kernel"].get("TcpExtTCPDSACKOldSent", 0) < 0.1 * size / 1448, "what arrived was not sent again"


@pytest.mark.parametrize("congestion", ["reno", "cubic", "bbr"])
def test_the_kernel_fills_a_small_queue_towards_us(congestion: str) -> None:
    size = 4_000_000
    found = duel(
        role="take", sizes=[size], congestion=congestion, knobs=SHORT, account=True, router=slowly("ra", 30_000)
    )
    assert found["done"] and found["octets"] == size
    nothing_left(found)
    assert found["octets"] * 8 / found["seconds"] > 0.25 * RATE, "how well it does is its own affair; it goes on"
    assert found["kernel"]["TcpRetransSegs"] and not found["kernel"].get("TcpExtTCPSACKReneging")


# ---- marks ---------------------------------------------------------------------------------------


def marking(role: str, family: int, control: str) -> dict[str, Any]:
    """5 MB of which every fiftieth packet is marked between us and a kernel that speaks RFC 3168.

    Again where a busy machine made somebody send a packet twice: its mark would be counted twice.
    """
    for _ in range(ATTEMPTS):
        found = duel(
            role=role,
            family=family,
            sizes=[5_000_000],
            keep=True,
            offload=False,
            marks=0.02,
            knobs={**SHORT, "ecn": 1, "congestion": control},
            sysctls={"net.ipv4.tcp_ecn": 1},
            congestion="reno",
            account=True,
        )
        whole(found, [5_000_000])
        nothing_left(found)
        if not complaints(found, ("TcpRetransSegs", "TcpExtTCPDSACKOldSent", "TcpExtTCPDSACKOfoSent")):
            break
    return found


@pytest.mark.parametrize("control", ["newreno", "cubic", "dctcp"])
@pytest.mark.parametrize("family", [4, 6])
def test_our_packets_are_marked_and_the_kernel_hears_of_each_answer(family: int, control: str) -> None:
    found = marking("send", family, control)
    seen = found["marks"]
    said = found["kernel"]["IpExtInCEPkts" if family == 4 else "Ip6InCEPkts"]
    assert said == seen["out marked"] > 20, "each mark reached the kernel, in a packet that was otherwise right"
    assert seen["in ECE"] >= seen["out CWR"] > 5, "it echoed until we said that the window was cut"
    assert seen["out CWR"] <= seen["out marked"], "the window is cut at most once for a mark"
    assert not seen["out ECE"]


@pytest.mark.parametrize("family", [4, 6])
def test_the_kernels_packets_are_marked_and_echoed_until_it_confirms(family: int) -> None:
    found = marking("take", family, "newreno")
    seen = found["marks"]
    assert seen["in marked"] > 20
    assert seen["out ECE"] > seen["in CWR"] > 5
    assert found["kernel"]["TcpExtTCPDeliveredCE"] >= seen["in marked"]


@pytest.mark.parametrize("family", [4, 6])
def test_as_a_dctcp_receiver_we_tell_of_exactly_what_was_marked(family: int) -> None:
    """RFC 8257 §3.2: whatever acknowledgements are delayed, the sender can count the marks."""
    found = marking("take", family, "dctcp")
    assert found["kernel"]["TcpExtTCPDeliveredCE"] == found["marks"]["in marked"] > 20
