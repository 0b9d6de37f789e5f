"""Whatever arrives, a host with VLANs and tunnels and a bridge with VLANs send frames that are right, or drop it."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.vlan import VlanLink
from netlab.stack.vxlan import Vtep
from netlab.topology.spec import PortVlan
from netlab.wire import ethernet, ipv4, udp, vlan, vxlan

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "stack"))

from desk import Desk, address

MAC, PEER = bytes.fromhex("020000000100"), bytes.fromhex("020000000200")
ME, FAR = address("10.0.1.1"), address("10.0.1.2")
MACS = st.sampled_from([MAC, PEER, b"\xff" * 6, bytes(6), bytes.fromhex("0180c2000003")])
TYPES = st.sampled_from([ethernet.IPV4, ethernet.ARP, ethernet.IPV6, *sorted(vlan.TAGS), 0x9999, 40])
VIDS = st.sampled_from([0, 1, 7, 10, 20, 100, 4095])


@st.composite
def frames(draw: st.DrawFn, deep: int = 2) -> bytes:
    """Frames with tags and tunnels in them, some of which are cut short somewhere."""
    inside = draw(st.binary(max_size=60))
    if deep and draw(st.booleans()):
        inner = draw(frames(deep=deep - 1))
        flags = draw(st.sampled_from([b"", b"\x08\0\0\0\0\0\x2a\0", b"\0\0\0\0\0\0\x2a\0", b"\x08\0\0\0\0\0\x2b\0"]))
        payload = flags + inner
        datagram = udp.header(50000, draw(st.sampled_from([vxlan.PORT, 9])), len(payload)) + payload
        inside = ipv4.build(FAR, draw(st.sampled_from([ME, FAR, 0xFFFFFFFF])), ipv4.UDP, datagram)
        made = ethernet.build(draw(MACS), draw(MACS), ethernet.IPV4, inside)
    else:
        made = ethernet.build(draw(MACS), draw(MACS), draw(TYPES), inside)
    for _ in range(draw(st.integers(0, 3))):
        made = vlan.push(made, draw(VIDS), pcp=draw(st.integers(0, 7)), tpid=draw(st.sampled_from(sorted(vlan.TAGS))))
    return made[: draw(st.integers(0, len(made)))] if draw(st.integers(0, 5)) == 0 else made


def a_host() -> Desk:
    eth0 = Ifnet("eth0", MAC, (Address(ME, 24),))
    s100 = Ifnet("s100", MAC, below=VlanLink(eth0, 100, vlan.STAG))
    v7 = Ifnet("v7", MAC, (Address(address("10.7.0.1"), 24),), below=VlanLink(s100, 7))
    blue = Ifnet("blue", MAC, (Address(address("10.8.0.1"), 24),), mtu=1450, below=Vtep(42, ME, (FAR,)))
    return Desk(Host("x", "host", (eth0, s100, v7, blue), ()))


def a_bridge() -> Desk:
    rules = (PortVlan(access=10), PortVlan(trunk=(10, 20), native=1), PortVlan(qinq=100), None)
    ports = [Ifnet(f"eth{n}", MAC, vlan=rule) for n, rule in enumerate(rules)]
    ports.append(Ifnet("core", MAC, mtu=1504, vlan=PortVlan(trunk=(10, 100), tag="802.1ad")))
    up = Ifnet("up", MAC, (Address(ME, 24),))
    blue = Ifnet("blue", MAC, mtu=1450, below=Vtep(42, ME, (FAR,)), vlan=PortVlan(access=10))
    return Desk(Host("x", "switch", (*ports, up, blue), ()))


@given(st.lists(frames(), max_size=8))
def test_a_host_with_vlans_and_tunnels_survives_any_frames(arriving: list[bytes]) -> None:
    desk = a_host()
    for frame in arriving:
        desk.receives(frame, "eth0")
    assert all(len(frame) >= ethernet.SIZE for _, frame in desk.sent)
    assert all(name == "eth0" for name, _ in desk.sent)


@given(st.lists(st.tuples(frames(), st.sampled_from(["eth0", "eth1", "eth2", "eth3", "core", "up"])), max_size=8))
def test_a_bridge_sends_each_port_what_belongs_there(arriving: list[tuple[bytes, str]]) -> None:
    desk = a_bridge()
    for frame, port in arriving:
        desk.receives(frame, port)
        for name, sent in desk.takes_sent():
            tags = vlan.tags(sent)
            assert desk.host.interfaces[name].takes(sent)
            if name == "core":
                assert tags and tags[0][0] == vlan.STAG and tags[0][1].vid in (10, 100)
            assert name != port or name == "up", "never back to where it came from"
