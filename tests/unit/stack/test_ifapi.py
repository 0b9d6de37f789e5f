"""An interface seen from outside: asked by functions, and shown to nobody."""

from __future__ import annotations

import pytest

from netlab.stack import ifapi
from netlab.stack.host import Host, build_host
from netlab.stack.ifapi import If
from netlab.stack.ifcaps import Capability
from netlab.stack.ifnet import Ifnet
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve


@pytest.fixture
def router() -> Host:
    plan = resolve(load_topology("line,1"))
    return build_host(plan.node("r1"), plan)


def test_a_host_s_interfaces_are_gone_through_and_found(router: Host) -> None:
    assert [ifapi.if_name(ifp) for ifp in ifapi.if_foreach(router)] == ["r1-eth0", "r1-eth1"]
    assert ifapi.if_lookup(router, "r1-eth1") == list(ifapi.if_foreach(router))[1]
    assert ifapi.if_lookup(router, "nowhere") is None


def test_nobody_looks_inside(router: Host) -> None:
    ifp = ifapi.if_lookup(router, "r1-eth0")
    assert ifp is not None
    for name in ("mtu", "counters", "if_flags"):
        with pytest.raises(AttributeError, match=rf"opaque and shows no '{name}'"):
            getattr(ifp, name)
    with pytest.raises(AttributeError):
        ifp.mtu = 9000  # type: ignore[attr-defined]
    assert ifapi.if_mtu(ifp) == 1500


def test_values_are_kept_within_what_can_be(router: Host) -> None:
    ifp = next(ifapi.if_foreach(router))
    ifapi.if_set_mtu(ifp, 9000)
    assert ifapi.if_mtu(ifp) == router.interfaces["r1-eth0"].mtu == 9000
    with pytest.raises(ValueError, match="r1-eth0: an MTU of 60 bytes"):
        ifapi.if_set_mtu(ifp, 60)
    ifapi.if_set_up(ifp, False)
    assert not ifapi.if_is_up(ifp)
    assert len(ifapi.if_lladdr(ifp)) == 6


def test_addresses_are_visited(router: Host) -> None:
    seen = []
    ifp = next(ifapi.if_foreach(router))
    assert ifapi.if_foreach_addr(ifp, lambda address: not seen.append(address.prefix)) == 1
    assert seen == [24]


def test_what_a_device_cannot_do_is_not_turned_on() -> None:
    ifp = If(Ifnet("nic0", bytes(6)))
    ifapi.if_set_capabilities(ifp, Capability.RXCSUM | Capability.TSO)
    assert ifapi.if_capenable(ifp) == Capability.RXCSUM | Capability.TSO
    ifapi.if_set_capenable(ifp, Capability.RXCSUM)
    assert Capability.TSO in ifapi.if_capabilities(ifp) and Capability.TSO not in ifapi.if_capenable(ifp)
    with pytest.raises(ValueError, match="nic0: its device cannot do RSS"):
        ifapi.if_set_capenable(ifp, Capability.RSS)


def test_counters_are_asked_by_name() -> None:
    ifp = If(Ifnet("nic0", bytes(6)))
    ifapi.if_inc_counter(ifp, "oerrors", 2)
    assert ifapi.if_counter(ifp, "oerrors") == dict(ifapi.if_counters(ifp))["oerrors"] == 2
    with pytest.raises(KeyError):
        ifapi.if_inc_counter(ifp, "opakcets")
