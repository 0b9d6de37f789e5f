"""VLANs, QinQ and VXLAN in virtual time: who hears whom, and what is on the wire."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from netlab.backend.sim import SimBackend, SimSession
from netlab.backend.sim.queues import Scheduling
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan
from netlab.trace.journey import journeys
from netlab.units import MS, SEC
from netlab.wire import vlan, vxlan
from netlab.wire.decode import describe, layers, malformed
from netlab.workload.spec import Ping, UdpEcho


def plan_of(name: str) -> Plan:
    return resolve(load_topology(name))


def of_text(folder: Path, text: str) -> Plan:
    (folder / "net.yaml").write_text(text)
    return plan_of(str(folder / "net.yaml"))


def frames(session: SimSession, interface: str) -> list[bytes]:
    return [r.data[4] for r in session.log if r.kind == "wire.tx" and r.obj == interface]


def tags(frame: bytes) -> list[tuple[int, int]]:
    return [(tpid, tag.vid) for tpid, tag in vlan.tags(frame)]


def same_subnet(plan: Plan) -> Plan:
    """Every host in one subnet, so that only VLANs keep them apart."""
    nodes = []
    for n, node in enumerate(plan.nodes, start=1):
        there = tuple(replace(i, addresses=(f"10.0.0.{n}/24",) if i.addresses else ()) for i in node.interfaces)
        routes = tuple(replace(r, prefix="10.0.0.0/24") for r in node.routes if not r.via)
        nodes.append(replace(node, interfaces=there, routes=routes))
    return replace(plan, nodes=tuple(nodes))


@pytest.mark.parametrize("name", ["vlan_trunk", "qinq", "vxlan_vlan"])
def test_what_is_told_to_everybody_stays_in_its_vlan(name: str) -> None:
    """The VLANs of vlan_trunk and vxlan_vlan, the customers of qinq, asked for each other by ARP."""
    together, apart = (("h1", "h2"), ("h3", "h4")), ("h1", "h4")
    if name != "qinq":
        together = (("h1", "h3"), ("h2", "h4"))
    plan = plan_of(name)
    if name != "vxlan_vlan":
        plan = same_subnet(plan)
    with SimBackend().open(plan) as session:
        outcomes = session.run([Ping(a, b) for a, b in together] + [Ping(*apart, start=1 * SEC)])
    assert [outcome.answered for outcome in outcomes] == [1, 1, 0]
    heard = {host: " ".join(map(describe, frames_into(session, host))) for host in ("h1", "h2", "h3", "h4")}
    for a, b in (*together, *((b, a) for a, b in together)):
        strangers = {plan.node(h).addresses[0] for h in heard if h not in (a, b)}
        assert plan.node(b).addresses[0] in heard[a]
        assert not any(f"tell {stranger} " in heard[a] + " " for stranger in strangers)


def frames_into(session: SimSession, node: str) -> list[bytes]:
    peers = {i.peer for i in session.plan.node(node).interfaces}
    return [r.data[4] for r in session.log if r.kind == "wire.tx" and r.obj in peers]


def test_where_no_route_leads_the_program_is_told_at_once() -> None:
    with SimBackend().open(plan_of("vlan_trunk")) as session:
        outcomes = session.run([Ping("h1", "h4"), UdpEcho("h1", "h4")])
    assert [outcome.replies[0].said for outcome in outcomes] == ["network unreachable from this host"] * 2
    assert {r.data[0] for r in session.log if r.kind == "drop"} == {"no route"}


def test_a_trunk_carries_tags_and_access_ports_do_not() -> None:
    with SimBackend().open(plan_of("vlan_trunk")) as session:
        session.run([Ping("h1", "h3"), Ping("h2", "h4")])
    assert {tuple(tags(f)) for f in frames(session, "s1-trunk")} == {((vlan.CTAG, 10),), ((vlan.CTAG, 20),)}
    assert not any(tags(f) for name in ("h1-eth0", "s1-eth1", "s2-eth1") for f in frames(session, name))


def test_the_providers_tag_is_outside_of_the_customers() -> None:
    with SimBackend().open(plan_of("qinq")) as session:
        session.run([Ping("h1", "h2", size=1464), Ping("h3", "h4")])
    core = frames(session, "p1-core")
    assert {tuple(tags(f)) for f in core} == {
        ((vlan.STAG, 100), (vlan.CTAG, 10)),
        ((vlan.STAG, 200), (vlan.CTAG, 10)),
    }
    assert max(map(len, core)) <= 14 + 1500 + 8
    assert {tuple(tags(f)) for f in frames(session, "c1-up")} == {((vlan.CTAG, 10),)}
    assert not any(malformed(layers(f)) for f in core)


def test_a_full_packet_passes_the_provider_only_because_of_its_mtu() -> None:
    plan = plan_of("qinq")
    narrow = replace(
        plan,
        nodes=tuple(
            replace(node, interfaces=tuple(replace(i, mtu=1500) for i in node.interfaces)) for node in plan.nodes
        ),
    )
    for tried, answered in ((plan, 1), (narrow, 0)):
        with SimBackend().open(tried) as session:
            [outcome] = session.run([Ping("h1", "h2", size=1472)])
        assert outcome.answered == answered
    [reason] = {r.data[0] for r in session.log if r.kind == "drop"}
    assert reason == "frame with 1500 bytes and 2 VLAN tags is too long for p1-core, whose MTU is 1500"


TRUNKED = """\
nodes:
  h1: {vlans: {v10: {parent: eth0, id: 10, pcp: 5}, v20: {parent: eth0, id: 20, pcp: 1}}}
  h2: {vlans: {v10: {parent: eth0, id: 10}, v20: {parent: eth0, id: 20}}}
  h3:
  r1: {kind: router, vlans: {v10: {parent: eth0, id: 10}, v30: {parent: eth0, id: 30}}}
  s1:
    kind: switch
    interfaces:
      eth1: {vlan: {trunk: [10, 20]}}
      eth2: {vlan: {trunk: [10, 20]}}
      eth3: {vlan: {access: 30}}
      eth4: {vlan: {trunk: [10, 30]}}
links:
  - {ends: [h1, s1], rate: 10 Mbit/s}
  - {ends: [h2, s1]}
  - {ends: [h3, s1]}
  - {ends: [r1, s1]}
"""


def test_vlan_interfaces_ping_across_a_trunk_and_a_router_on_a_stick_joins_vlans(tmp_path: Path) -> None:
    with SimBackend().open(of_text(tmp_path, TRUNKED)) as session:
        inside, between = session.run([Ping("h1", "h2", count=2), Ping("h1", "h3", start=10 * MS)])
    assert (inside.answered, between.answered) == (2, 1)
    echo = next(j for j in journeys(session.log).values() if "echo request 10.0.1.1 → 10.0.3." in j.said)
    assert echo.nodes == ("h1", "s1", "r1", "s1", "h3")
    assert {tuple(tags(f)) for f in frames(session, "r1-eth0")} == {((vlan.CTAG, 10),), ((vlan.CTAG, 30),)}
    assert [hop.place for hop in echo.hops if hop.node == "r1" and hop.kind == "stage"][:4] == [
        "nic.rx",
        "ether.input",
        "vlan.input",
        "ether.input",
    ]


def test_a_more_urgent_priority_goes_first_where_a_link_is_full(tmp_path: Path) -> None:
    def rtts(scheduler: str) -> tuple[int, int]:
        plan = of_text(tmp_path, TRUNKED)
        to = {v.id: v.addresses[0].split("/")[0] for v in plan.node("h2").vlans}
        with SimSession(plan, schedulers={"h1-eth0": Scheduling(scheduler, by="pcp")}) as session:
            warm = [Ping("h1", to[10]), Ping("h1", to[20])]
            many = Ping("h1", to[20], count=40, size=1400, interval=1000, start=100 * MS)
            urgent = Ping("h1", to[10], count=1, size=1400, start=105 * MS)
            *_, slow, fast = session.run([*warm, many, urgent])
        assert slow.answered == 40 and fast.answered == 1
        return fast.replies[0].rtt, max(reply.rtt for reply in slow.replies)

    fast, _ = rtts("prio")
    behind, _ = rtts("fifo")
    assert fast < 5 * MS < 30 * MS < behind, "PCP 5 overtakes PCP 1, which fills the queue"


# ---- VXLAN ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", [vxlan.PORT, vxlan.LEGACY_PORT])
def test_a_question_is_flooded_and_what_follows_goes_one_way(port: int) -> None:
    with SimBackend().open(plan_of(f"vxlan,4,port={port}")) as session:
        [outcome] = session.run([Ping("h1", "192.168.42.3", count=2)])
    assert outcome.answered == 2
    sent = [said for said in map(describe, frames(session, "h1-eth0")) if "192.168.42" in said]
    assert [said.partition(":")[0] for said in sent if "ARP" in said] == [
        "VXLAN 42 10.0.1.1 → 10.0.2.1",
        "VXLAN 42 10.0.1.1 → 10.0.3.1",
        "VXLAN 42 10.0.1.1 → 10.0.4.1",
    ]
    assert {said.partition(":")[0] for said in sent if "ICMP" in said} == {"VXLAN 42 10.0.1.1 → 10.0.3.1"}
    assert not any(malformed(layers(f)) for f in frames(session, "r1-eth0"))


def test_the_inner_mtu_is_what_the_tunnel_leaves() -> None:
    with SimBackend().open(plan_of("vxlan")) as session:
        fits, *_ = session.run([Ping("h1", "192.168.42.2", size=1450 - 28)])
    assert fits.answered == 1
    assert max(map(len, frames(session, "h1-eth0"))) == 14 + 1500


def test_the_same_seed_gives_the_same_trace_with_tunnels_too() -> None:
    digests = []
    for _ in range(2):
        with SimBackend().open(plan_of("vxlan_vlan"), seed=3) as session:
            session.run([Ping("h1", "h3"), Ping("h2", "h4")])
        digests.append(session.log.digest())
    assert digests[0] == digests[1]
