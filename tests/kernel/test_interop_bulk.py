"""Two hundred connections between the kernel and us over a bad cable, and what the kernel says of a good one."""

from __future__ import annotations

from typing import Any

import pytest
from duels import BAD, SHORT, calm, need_root, nothing_left, sizes_up_to, whole

from netlab.backend.native.duel import duel


@pytest.fixture(autouse=True)
def privilege() -> None:
    need_root()


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("role", ["send", "take"])
def test_two_hundred_connections_over_a_bad_cable(role: str, family: int) -> None:
    sizes = sizes_up_to(1_000_000, 200, f"{role} {family}")
    found = duel(
        role=role,
        family=family,
        sizes=sizes,
        parallel=40,
        keep=True,
        faults=BAD,
        seed=family,
        knobs=SHORT,
        account=True,
        limit=100,
    )
    whole(found, sizes)
    nothing_left(found)
    assert found["kernel"]["TcpInCsumErrors"] > 50, "the cable was bad"
    assert not found["kernel"].get("TcpExtTCPSACKReneging"), "what was once told of as held is held"


@pytest.mark.parametrize("congestion", ["reno", "cubic", "bbr"])
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("role", ["send", "take"])
def test_on_a_good_wire_the_kernel_has_nothing_to_complain_of(role: str, family: int, congestion: str) -> None:
    found = calm(
        role=role,
        family=family,
        sizes=[6_000_000, 1, 1448, 100_000],
        keep=True,
        congestion=congestion,
        knobs=SHORT,
        account=True,
    )
    nothing_left(found)


@pytest.mark.parametrize("buffer", [500, 2000, 5000, 20_000])
@pytest.mark.parametrize("system", ["linux", "freebsd"])
@pytest.mark.parametrize("role", ["send", "take"])
def test_small_buffers_make_it_slow_and_nothing_worse(role: str, system: str, buffer: int) -> None:
    """What our window offers is taken to the last byte, and what was closed is opened without a timer."""
    knobs = {**SHORT, "receive_buffer": buffer, "send_buffer": buffer}
    found = calm(role=role, system=system, sizes=[100_000], keep=True, knobs=knobs, account=True)
    nothing_left(found)
    assert found["seconds"] < 5


@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize("system", ["linux", "freebsd"])
def test_a_kernel_that_closes_its_window_opens_it_again(system: str, offload: bool) -> None:
    tight = {"net.ipv4.tcp_rmem": "4096 4096 4096"}
    found = calm(role="send", system=system, offload=offload, sizes=[500_000], keep=True, knobs=SHORT, sysctls=tight)
    assert found["seconds"] < 5


@pytest.mark.parametrize("role", ["send", "take"])
def test_with_freebsds_defaults_it_is_the_same(role: str) -> None:
    """Losses by count and not by time, no tail loss probe, another timer."""
    sizes = sizes_up_to(200_000, 60, f"{role} freebsd")
    bsd: dict[str, Any] = {"system": "freebsd", "knobs": SHORT, "account": True, "keep": True}
    found = duel(role=role, sizes=sizes, faults=BAD, **bsd)
    whole(found, sizes)
    nothing_left(found)
    nothing_left(calm(role=role, sizes=[4_000_000, 1, 1448], **bsd))


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("role", ["send", "take"])
def test_ss_sees_sack_timestamps_and_window_scale_in_use(role: str, family: int) -> None:
    found = duel(role=role, family=family, sizes=[4_000_000], keep=True, watch=True, congestion="reno")
    said = found["sockets"]
    assert " ts sack reno " in said and " wscale:7," in said, said
    assert " ecn" not in said, "nobody asked for it"
    assert "advmss:1448" in said if family == 4 else "advmss:1428" in said


@pytest.mark.parametrize("role", ["send", "take"])
def test_ss_sees_ecn_when_it_is_asked_for(role: str) -> None:
    asked: dict[str, Any] = {"knobs": {"ecn": 1}, "sysctls": {"net.ipv4.tcp_ecn": 1}, "congestion": "cubic"}
    found = duel(role=role, sizes=[4_000_000], keep=True, watch=True, **asked)
    whole(found, [4_000_000])
    assert " ts sack ecn " in found["sockets"], found["sockets"]
    calm(role=role, sizes=[4_000_000], keep=True, **asked)


@pytest.mark.parametrize("lacking", ["timestamps", "sack", "window_scaling"])
@pytest.mark.parametrize("role", ["send", "take"])
def test_what_one_side_does_not_offer_neither_uses(role: str, lacking: str) -> None:
    sizes = sizes_up_to(60_000, 20, lacking)
    found = duel(role=role, sizes=sizes, keep=True, faults=BAD, knobs={lacking: False})
    whole(found, sizes)
    calm(role=role, sizes=[3_000_000], keep=True, knobs={lacking: False})
    seen = duel(role=role, sizes=[3_000_000], watch=True, knobs={lacking: False})["sockets"]
    word = {"timestamps": " ts ", "sack": " sack ", "window_scaling": " wscale:"}[lacking]
    assert "10.0.0.1" in seen and word not in seen, seen


@pytest.mark.parametrize("lacking", ["tcp_timestamps", "tcp_sack", "tcp_window_scaling"])
@pytest.mark.parametrize("role", ["send", "take"])
def test_what_the_kernel_does_not_offer_neither_uses(role: str, lacking: str) -> None:
    sizes = sizes_up_to(60_000, 20, lacking)
    without = {f"net.ipv4.{lacking}": 0}
    whole(duel(role=role, sizes=sizes, keep=True, faults=BAD, sysctls=without), sizes)
    calm(role=role, sizes=[3_000_000], keep=True, sysctls=without)
