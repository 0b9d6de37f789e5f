"""VLANs and VXLAN beside the kernel's: its vxlan device and ours in one overlay, its bridge with our tags, its hosts
behind our switches; and tshark reads every kind of frame that our stack writes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest

from netlab.backend.mininet import MininetBackend, MininetSession
from netlab.backend.mininet.checks import problems
from netlab.backend.sim import SimBackend
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan
from netlab.trace.log import Log
from netlab.units import MS
from netlab.wire import pcap, vlan
from netlab.wire.decode import describe
from netlab.workload.spec import Frames, Ping


def plan_of(name: str, *ours: str) -> Plan:
    """The named network, with our own stack on these nodes too."""
    plan = resolve(load_topology(name))
    return replace(plan, nodes=tuple(replace(n, stack="netlab") if n.name in ours else n for n in plan.nodes))


def opened(plan: Plan) -> MininetSession:
    for problem in problems(plan):
        pytest.skip(f"{problem}")
    return MininetBackend().open(plan)


def pings(session: MininetSession, src: str, to: str, *more: str) -> bool:
    """Whether the kernel's ping on a node is answered."""
    return session.command(src, ["ping", "-c", "1", "-W", "2", *more, to]).ok


def sent(log: Log, interface: str) -> list[bytes]:
    return [r.data[4] for r in log if r.kind == "wire.tx" and r.obj == interface and r.data[4]]


# ---- VXLAN ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["vxlan", "vxlan,3,port=8472"])
def test_the_kernels_vtep_and_ours_are_one_wire(network: str) -> None:
    with opened(plan_of(network, "h2")) as session:
        assert session.verify() == ()
        assert pings(session, "h1", "192.168.42.2"), "the kernel asks, we answer"
        [ours, other] = session.run([Ping("h2", "192.168.42.3", count=2), Ping("h2", "192.168.42.1", start=20 * MS)])
        assert (ours.answered, other.answered) == (2, 1), "we ask, the kernel answers"
        learned = session.command("h1", ["bridge", "fdb", "show", "dev", "h1-blue"]).stdout
    assert "02:00:00:00:02:80 dst 10.0.2.1" in learned, "the kernel has learned from our frames where we are"
    said = [describe(frame) for frame in sent(session.log, "h2-eth0")]
    asked = [line.partition(":")[0] for line in said if "ARP who has 192.168.42.3" in line]
    assert asked == ["VXLAN 42 10.0.2.1 → 10.0.1.1", "VXLAN 42 10.0.2.1 → 10.0.3.1"], "flooded to both"
    echoes = {line.partition(":")[0] for line in said if "echo request 192.168.42.2 → 192.168.42.3" in line}
    assert echoes == {"VXLAN 42 10.0.2.1 → 10.0.3.1"}, "learned, so sent to one"


def test_the_kernels_vtep_and_ours_are_one_wire_over_ipv6_too() -> None:
    with opened(plan_of("vxlan,3,underlay=ipv6", "h2")) as session:
        assert session.verify() == ()
        assert pings(session, "h1", "192.168.42.2", "-M", "do", "-s", str(1430 - 28)), "the kernel asks, we answer"
        [ours] = session.run([Ping("h2", "192.168.42.3", count=2, size=1430 - 28)])
        assert ours.answered == 2, "we ask, the kernel answers"
    said = [describe(frame) for frame in sent(session.log, "h2-eth0")]
    echoes = {line.partition(": ICMP")[0] for line in said if "echo request 192.168.42.2 → 192.168.42.3" in line}
    assert echoes == {"VXLAN 42 fd00:2::1 → fd00:3::1"}
    assert max(map(len, sent(session.log, "h2-eth0"))) == 14 + 1500


def test_the_tunnel_leaves_both_the_same_mtu() -> None:
    with opened(plan_of("vxlan", "h2")) as session:
        assert pings(session, "h1", "192.168.42.2", "-M", "do", "-s", str(1450 - 28))
        said = session.command("h1", ["ping", "-c", "1", "-W", "1", "-M", "do", "-s", str(1451 - 28), "192.168.42.2"])
        assert not said.ok and "mtu=1450" in said.stdout + said.stderr
        [outcome] = session.run([Ping("h2", "192.168.42.1", size=1450 - 28)])
    assert outcome.answered == 1
    assert max(map(len, sent(session.log, "h2-eth0"))) == 14 + 1500


def test_kernel_hosts_behind_our_vtep_switches_keep_to_their_vlans() -> None:
    with opened(plan_of("vxlan_vlan")) as session:
        assert pings(session, "h1", "10.0.1.2", "-s", "1472", "-M", "do") and pings(session, "h4", "10.0.2.1")
        session.command("h4", ["ip", "addr", "add", "10.0.1.9/24", "dev", "h4-eth0"])
        assert not session.command("h1", ["ping", "-c", "1", "-W", "0.3", "10.0.1.9"]).ok


# ---- VLANs ---------------------------------------------------------------------------------------


def test_kernel_hosts_behind_our_switches_keep_to_their_vlans() -> None:
    with opened(plan_of("vlan_trunk")) as session:
        assert pings(session, "h1", "10.0.1.2", "-s", "1472", "-M", "do") and pings(session, "h4", "10.0.2.1")
        session.command("h4", ["ip", "addr", "add", "10.0.1.9/24", "dev", "h4-eth0"])
        assert not session.command("h1", ["ping", "-c", "1", "-W", "0.3", "10.0.1.9"]).ok
    assert {tag.vid for frame in sent(session.log, "s1-trunk") for _, tag in vlan.tags(frame)} == {10, 20}


def test_two_customers_of_one_provider_do_not_meet() -> None:
    with opened(plan_of("qinq")) as session:
        assert pings(session, "h1", "10.0.1.2", "-s", "1472", "-M", "do") and pings(session, "h4", "10.0.2.1")
    core = [[(tpid, tag.vid) for tpid, tag in vlan.tags(frame)] for frame in sent(session.log, "p1-core")]
    assert {tuple(tags) for tags in core} == {
        ((vlan.STAG, 100), (vlan.CTAG, 10)),
        ((vlan.STAG, 200), (vlan.CTAG, 10)),
    }


TAGGED = """\
nodes:
  h1: {stack: netlab, vlans: {v10: {parent: eth0, id: 10, pcp: 5}, s100: {parent: eth0, id: 100, tag: 802.1ad}, v7: {parent: s100, id: 7}}}
  h2: {stack: netlab, vlans: {v10: {parent: eth0, id: 10}, s100: {parent: eth0, id: 100, tag: 802.1ad}, v7: {parent: s100, id: 7}}}
  s1: {kind: switch}
links: [{ends: [h1, s1]}, {ends: [h2, s1]}]
"""  # noqa: E501


def tagged(folder: Path) -> Plan:
    (folder / "tagged.yaml").write_text(TAGGED)
    return plan_of(str(folder / "tagged.yaml"))


def test_the_kernels_bridge_carries_our_tagged_frames(tmp_path: Path) -> None:
    plan = tagged(tmp_path)
    to = [v.addresses[0].split("/")[0] for v in plan.node("h2").vlans if v.addresses]
    with opened(plan) as session:
        one, two = session.run([Ping("h1", to[0], size=1472), Ping("h1", to[1], size=1468, start=20 * MS)])
    assert (one.answered, two.answered) == (1, 1)
    echoes = [frame for frame in sent(session.log, "h1-eth0") if "echo request" in describe(frame)]
    assert [[(tpid, tag.vid, tag.pcp) for tpid, tag in vlan.tags(frame)] for frame in echoes] == [
        [(vlan.CTAG, 10, 5)],
        [(vlan.STAG, 100, 0), (vlan.CTAG, 7, 0)],
    ]


def test_a_frame_that_no_device_takes_is_dropped_by_name_and_the_node_goes_on(tmp_path: Path) -> None:
    plan = tagged(tmp_path)
    giant = b"\xff" * 6 + bytes(6) + b"\x99\x99" + bytes(3000)
    with opened(plan) as session:
        session.run([Frames("h1", "h1-eth0", (giant,))])
        [outcome] = session.run([Ping("h1", "h2")])
    assert outcome.answered == 1
    drops = [r.data for r in session.log if r.kind == "drop" and r.node == "h1"]
    assert ("frame is longer than the device takes", "h1-eth0") in drops


def test_what_the_kernel_is_not_asked_to_do_is_refused_in_a_sentence(tmp_path: Path) -> None:
    said = [str(p) for p in problems(plan_of("vlan_trunk,1,stack=kernel"))]
    assert any("s1: VLANs at a kernel bridge's ports (vlan_filtering) are not made here; give it" in s for s in said)
    kernel = replace(plan := tagged(tmp_path), nodes=tuple(replace(n, stack="kernel") for n in plan.nodes))
    assert any(
        "h1: VLAN interfaces of the kernel (8021q) are not made here; give it" in str(p) for p in problems(kernel)
    )


# ---- tshark --------------------------------------------------------------------------------------


def tshark(file: Path, *arguments: str) -> list[str]:
    if which("tshark") is None:
        pytest.skip("apt-get install tshark makes this run")
    checks = [f"{proto}.check_checksum:TRUE" for proto in ("ip", "udp")]
    command = ["tshark", "-r", str(file), *(part for check in checks for part in ("-o", check)), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def written(folder: Path, frames: Sequence[bytes]) -> Path:
    with (folder / "frames.pcap").open("wb") as file:
        writer = pcap.Writer(file)
        for number, frame in enumerate(frames):
            writer.packet(number * 1000, frame)
    return folder / "frames.pcap"


COMPLAINTS = (
    "_ws.malformed || _ws.short || _ws.expert.severity >= 6291456 || ip.checksum.status == Bad"
    " || udp.checksum.status == Bad || icmp.checksum.status == Bad"
)
"""What tshark calls malformed, cut short, a warning or worse (PI_WARN and up), or wrongly summed."""


@pytest.mark.parametrize(
    "network", ["vlan_trunk", "qinq", "vxlan", "vxlan,3,port=8472", "vxlan,3,underlay=ipv6", "vxlan_vlan", "tagged"]
)
def test_tshark_reads_every_frame_as_we_meant_it(tmp_path: Path, network: str) -> None:
    plan = tagged(tmp_path) if network == "tagged" else plan_of(network)
    hosts = [n for n in plan.nodes if n.kind == "host"]
    pairs = [Ping(a.name, to, size=700) for a in hosts for b in hosts if a is not b for to in b.addresses]
    with SimBackend().open(plan) as session:
        session.run(pairs)
    frames = [r.data[4] for r in session.log if r.kind == "wire.tx"]
    file = written(tmp_path, frames)
    legacy = ("-d", "udp.port==8472,vxlan")
    assert tshark(file, *legacy, "-Y", f"({COMPLAINTS}) && !icmp.resp_not_found") == []
    fields = [part for name in ("vlan.id", "ieee8021ad.id", "vxlan.vni") for part in ("-e", name)]
    seen = tshark(file, *legacy, "-T", "fields", *fields)
    assert seen == [_fields(frame) for frame in frames]
    assert any(line.strip() for line in seen)


def _fields(frame: bytes) -> str:
    """VLANs, service VLANs, and the VNI, as tshark prints them."""
    ids = {kind: [str(tag.vid) for tpid, tag in vlan.tags(frame) if tpid == kind] for kind in (vlan.CTAG, vlan.STAG)}
    said = describe(frame)
    vni = said.split()[1] if said.startswith("VXLAN") else ""
    return f"{','.join(ids[vlan.CTAG])}\t{','.join(ids[vlan.STAG])}\t{vni}"
