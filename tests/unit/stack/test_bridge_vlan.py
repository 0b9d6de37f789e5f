"""A bridge with VLANs on a desk: access, trunk and QinQ ports (IEEE 802.1Q-2018 §6.9, §8.6 to §8.8)."""

from __future__ import annotations

import pytest
from desk import Desk

from netlab.stack.host import Host
from netlab.stack.ifnet import Ifnet
from netlab.topology.spec import PortVlan
from netlab.wire import ethernet, vlan

A, B, C = (bytes((2, 0, 0, 0, 9, n)) for n in (1, 2, 3))
ALL = b"\xff" * 6
ACCESS10, ACCESS20 = PortVlan(access=10), PortVlan(access=20)
TRUNK = PortVlan(trunk=(10, 20))


def bridge(*rules: PortVlan | None, mtu: int = 1500) -> Desk:
    """Ports eth0, eth1, … with these rules."""
    ports = tuple(Ifnet(f"eth{n}", bytes((2, 0, 0, 0, 8, n)), mtu=mtu, vlan=rule) for n, rule in enumerate(rules))
    return Desk(Host("s", "switch", ports, ()))


def frame(dst: bytes = ALL, src: bytes = A, size: int = 46, *tags: tuple[int, int]) -> bytes:
    made = ethernet.build(dst, src, 0x9999, bytes(size))
    for tpid, tci in reversed(tags):
        made = made[:12] + tpid.to_bytes(2, "big") + tci.to_bytes(2, "big") + made[12:]
    return made


def left(desk: Desk) -> dict[str, list[tuple[int, int]]]:
    """By port, the tags (EtherType, TCI) of what left by it."""
    return {name: [(tpid, tag.tci) for tpid, tag in vlan.tags(sent)] for name, sent in desk.takes_sent()}


def test_access_ports_of_one_vlan_hear_each_other_and_nobody_else() -> None:
    desk = bridge(ACCESS10, ACCESS20, ACCESS10, TRUNK).receives(frame())
    assert left(desk) == {"eth2": [], "eth3": [(vlan.CTAG, 10)]}


def test_a_trunks_tag_chooses_the_vlan_and_comes_off_at_an_access_port() -> None:
    desk = bridge(ACCESS10, ACCESS20, TRUNK).receives(frame(ALL, A, 46, (vlan.CTAG, 20)), "eth2")
    [(name, sent)] = desk.takes_sent()
    assert (name, sent) == ("eth1", frame())


def test_priority_and_drop_eligibility_go_on_from_trunk_to_trunk() -> None:
    desk = bridge(TRUNK, TRUNK).receives(frame(ALL, A, 46, (vlan.CTAG, vlan.tci(10, 5, True))))
    assert left(desk) == {"eth1": [(vlan.CTAG, vlan.tci(10, 5, True))]}


def test_a_priority_tag_is_no_vlan_but_its_priority_is_kept() -> None:
    tagged = frame(ALL, A, 46, (vlan.CTAG, vlan.tci(0, 6)))
    desk = bridge(ACCESS10, ACCESS10, TRUNK).receives(tagged)
    assert left(desk) == {"eth1": [], "eth2": [(vlan.CTAG, vlan.tci(10, 6))]}
    desk = bridge(PortVlan(trunk=(10,), native=20), ACCESS20, ACCESS10).receives(tagged)
    assert left(desk) == {"eth1": []}, "on a trunk it is the native VLAN's"


def test_the_native_vlan_is_untagged_on_both_ways() -> None:
    native = PortVlan(trunk=(10,), native=20)
    desk = bridge(native, ACCESS20, ACCESS10).receives(frame())
    assert left(desk) == {"eth1": []}
    desk.receives(frame(src=B), "eth1")
    assert left(desk) == {"eth0": []}


@pytest.mark.parametrize(
    ("rule", "tags", "reason"),
    [
        (ACCESS10, ((vlan.CTAG, 10),), "frame tagged with VLAN 10 at the access port eth0"),
        (TRUNK, ((vlan.CTAG, 30),), "VLAN 30 is not on the trunk eth0"),
        (TRUNK, ((vlan.CTAG, 4095),), "VLAN 4095 is not on the trunk eth0"),
        (TRUNK, (), "untagged frame at the trunk eth0, which has no native VLAN"),
        (TRUNK, ((vlan.STAG, 10),), "untagged frame at the trunk eth0, which has no native VLAN"),
        (PortVlan(access=30), (), "no other port of VLAN 30"),
    ],
)
def test_what_belongs_to_no_vlan_is_dropped_by_name(
    rule: PortVlan, tags: tuple[tuple[int, int], ...], reason: str
) -> None:
    desk = bridge(rule, ACCESS10, TRUNK).receives(frame(ALL, A, 46, *tags))
    assert (desk.drops, desk.sent) == ([reason], [])


def test_a_port_of_which_nothing_is_said_is_in_vlan_1() -> None:
    desk = bridge(None, None, ACCESS10, PortVlan(trunk=(1, 10))).receives(frame())
    assert left(desk) == {"eth1": [], "eth3": [(vlan.CTAG, 1)]}


def test_a_station_is_learned_in_its_vlan_alone() -> None:
    desk = bridge(ACCESS10, ACCESS20, TRUNK, ACCESS10, ACCESS20).receives(frame(src=A), "eth0")
    desk.receives(frame(src=A), "eth1").takes_sent()
    assert desk.host.stations.table() == {(10, A): "eth0", (20, A): "eth1"}
    desk.receives(frame(A, B), "eth3")
    assert list(left(desk)) == ["eth0"]
    desk.receives(frame(A, B), "eth4")
    assert list(left(desk)) == ["eth1"]


def test_without_vlans_tags_pass_as_they_are() -> None:
    desk = bridge(None, None).receives(frame(ALL, A, 46, (vlan.CTAG, 77)))
    assert left(desk) == {"eth1": [(vlan.CTAG, 77)]}


# ---- QinQ --------------------------------------------------------------------------------------

CUSTOMER = PortVlan(qinq=100)
CORE = PortVlan(trunk=(100, 200), tag="802.1ad")


@pytest.mark.parametrize("tags", [(), ((vlan.CTAG, 7),), ((vlan.CTAG, 7), (vlan.CTAG, 8)), ((vlan.STAG, 9),)])
def test_whatever_a_customer_sends_travels_inside_the_service_tag(tags: tuple[tuple[int, int], ...]) -> None:
    desk = bridge(CUSTOMER, PortVlan(qinq=200), CORE, mtu=1504).receives(frame(ALL, A, 46, *tags))
    assert left(desk) == {"eth2": [(vlan.STAG, 100), *tags]}
    desk.receives(frame(ALL, B, 46, (vlan.STAG, 100), *tags), "eth2")
    assert left(desk) == {"eth0": [*tags]}


def test_the_service_tag_has_the_customers_priority() -> None:
    desk = bridge(CUSTOMER, CORE).receives(frame(ALL, A, 46, (vlan.CTAG, vlan.tci(7, 5, True))))
    assert left(desk) == {"eth1": [(vlan.STAG, vlan.tci(100, 5, True)), (vlan.CTAG, vlan.tci(7, 5, True))]}


def test_a_customers_tag_on_the_providers_trunk_is_no_service_tag() -> None:
    desk = bridge(CUSTOMER, CORE).receives(frame(ALL, A, 46, (vlan.CTAG, 100)), "eth1")
    assert desk.drops == ["untagged frame at the trunk eth1, which has no native VLAN"]


def test_a_full_customer_frame_needs_a_larger_mtu_at_the_core() -> None:
    full = frame(ALL, A, 1500, (vlan.CTAG, 7))
    desk = bridge(CUSTOMER, CORE).receives(full)
    assert desk.drops == ["frame with 1500 bytes and 2 VLAN tags is too long for eth1, whose MTU is 1500"]
    desk = bridge(CUSTOMER, CORE, mtu=1504).receives(full)
    assert left(desk) == {"eth1": [(vlan.STAG, 100), (vlan.CTAG, 7)]}
