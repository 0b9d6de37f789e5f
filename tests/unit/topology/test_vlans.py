"""VLANs and overlays in a file: who hears whom, what is chosen, and what the file's author is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from netlab.errors import BadTopology
from netlab.topology.codec import plan_from_data, plan_to_data
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan, PlanInterface, PlanVlan, PlanVtep, PortVlan, Vlan
from netlab.topology.write import to_yaml

ALL_OF_IT = """\
name: all
nodes:
  h1: {vlans: {v10: {parent: eth0, id: 10, pcp: 5}, v20: {parent: eth0, id: 20, addresses: [10.9.0.1/24]}}}
  h2:
  h3: {vlans: {s100: {parent: eth0, id: 100, tag: 802.1ad}, v7: {parent: s100, id: 7}}}
  s1:
    kind: switch
    interfaces:
      eth1: {vlan: {trunk: [10, 20]}}
      eth2: {vlan: {access: 10}}
      eth3: {vlan: {trunk: [100], native: 20, tag: 802.1ad}, mtu: 1504 B}
      up: {addresses: [172.16.0.1/24]}
  h4:
links:
  - {ends: [h1, 's1:eth1']}
  - {ends: [h2, 's1:eth2']}
  - {ends: [h3, 's1:eth3']}
  - {ends: [h4, 's1:up']}
overlays:
  red: {vni: 9, members: [s1, h4], port: 8472, vlan: 10}
"""


def plan_of(tmp_path: Path, text: str) -> Plan:
    (tmp_path / "net.yaml").write_text(text)
    return resolve(load_topology(tmp_path / "net.yaml"))


def mistakes_of(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(BadTopology) as bad:
        plan_of(tmp_path, text)
    return [str(error).replace(str(tmp_path / "net.yaml"), "net.yaml") for error in bad.value.errors]


def addresses(plan: Plan) -> dict[str, str]:
    parts: list[PlanInterface | PlanVlan | PlanVtep] = []
    for node in plan.nodes:
        parts += [*node.interfaces, *node.vlans, *node.vteps]
    return {part.name: " ".join(part.addresses) for part in parts if part.addresses}


def test_a_broadcast_reaches_its_vlan_by_tags_ports_and_overlays_and_so_do_subnets(tmp_path: Path) -> None:
    assert addresses(plan_of(tmp_path, ALL_OF_IT)) == {
        "h1-v10": "10.0.1.1/24",
        "h2-eth0": "10.0.1.2/24",
        "h4-red": "10.0.1.3/24",
        "h1-v20": "10.9.0.1/24",
        "h3-v7": "10.0.3.1/24",
        "s1-up": "172.16.0.1/24",
        "h4-eth0": "172.16.0.2/24",
    }


def test_what_is_left_out_is_filled_in(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, ALL_OF_IT)
    h1, h3, s1, h4 = (plan.node(name) for name in ("h1", "h3", "s1", "h4"))
    assert [(v.parent, v.id, v.tag, v.pcp, v.mtu) for v in h3.vlans] == [
        ("h3-eth0", 100, "802.1ad", 0, 1500),
        ("h3-s100", 7, "802.1Q", 0, 1496),
    ]
    assert h1.vlans[0].mac == h1.interfaces[0].mac and h1.vlans[0].pcp == 5
    assert [(v.name, v.vni, v.port, v.local, v.remotes, v.mtu, v.vlan) for v in (*s1.vteps, *h4.vteps)] == [
        ("s1-red", 9, 8472, "172.16.0.1", ("172.16.0.2",), 1450, 10),
        ("h4-red", 9, 8472, "172.16.0.2", ("172.16.0.1",), 1450, 0),
    ]
    assert plan.interface("s1-eth3").vlan == PortVlan(trunk=(100,), native=20, tag="802.1ad")
    assert [(route.prefix, route.interface) for route in h1.routes] == [
        ("10.0.1.0/24", "h1-v10"),
        ("10.9.0.0/24", "h1-v20"),
    ]


def test_it_survives_the_codec_and_being_written_again(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, ALL_OF_IT)
    assert plan_from_data(plan_to_data(plan)) == plan
    topology = load_topology(tmp_path / "net.yaml")
    (tmp_path / "again.yaml").write_text(to_yaml(topology))
    assert load_topology(tmp_path / "again.yaml") == topology


NODES = "nodes:\n  h1: {vlans: {%s}}\n  h2:\n  s1: {kind: switch, interfaces: {eth1: {%s}}}\n"
LINKS = "links:\n  - {ends: [h1, 's1:eth1']}\n  - {ends: [h2, s1]}\n"


@pytest.mark.parametrize(
    ("vlans", "port", "said"),
    [
        ("", "vlan: {access: 0}", "net.yaml:4: access of vlan of interface eth1 of node s1 is '0'"),
        ("", "vlan: {access: 4095}", "net.yaml:4: access of vlan of interface eth1 of node s1 is '4095'; "),
        ("", "vlan: {}", "net.yaml:4: vlan of s1-eth1 names no VLAN; write one of {access: 10}"),
        ("", "vlan: {access: 1, qinq: 2}", "net.yaml:4: vlan of s1-eth1 names access and qinq; write one of"),
        ("", "vlan: {access: 1, native: 2}", "net.yaml:4: vlan of s1-eth1 has 'native' without a trunk"),
        ("", "vlan: {trunk: [10], tag: 802.1x}", "net.yaml:4: tag of vlan of interface eth1 of node s1 is '802.1x'"),
        ("v1: {parent: eth0}", "", "net.yaml:2: vlan v1 of node h1 lacks 'id'"),
        (
            "v1: {parent: eth9, id: 1}",
            "",
            "net.yaml:2: h1-v1 lies on 'eth9', which is no interface of h1 with a link; ",
        ),
        ("v1: {parent: v1, id: 1}", "", "net.yaml:2: h1-v1 lies on 'v1', which is no interface of h1 with a link; "),
        ("eth0: {parent: eth0, id: 1}", "", "net.yaml:2: h1 has two interfaces called 'h1-eth0'; rename one"),
        (
            "a: {parent: eth0, id: 1}, b: {parent: eth0, id: 1}",
            "",
            "net.yaml:2: h1-b is VLAN 1 on h1-eth0, which h1-a is",
        ),
        (
            "v1: {parent: eth0, id: 1, pcp: 8}",
            "",
            "net.yaml:2: pcp of vlan v1 of node h1 is '8'; it is a number from 0",
        ),
        (
            "v1: {parent: eth0, id: 1, mtu: 1501 B}",
            "",
            "net.yaml:2: the mtu of h1-v1 is 1501 B, and what it lies on leaves",
        ),
        ("vlan1234567: {parent: eth0, id: 1}", "", "net.yaml:2: the interface name 'h1-vlan1234567' has 14 characters"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path: Path, vlans: str, port: str, said: str) -> None:
    found = mistakes_of(tmp_path, NODES % (vlans, port) + LINKS)
    assert len(found) == 1 and found[0].startswith(said), found


def test_hosts_and_switches_say_vlans_each_in_their_own_way(tmp_path: Path) -> None:
    switch = "  s1: {kind: switch, vlans: {v: {parent: eth1, id: 1}}}\n"
    text = f"nodes:\n  h1: {{interfaces: {{eth0: {{vlan: {{access: 1}}}}}}}}\n{switch}"
    found = mistakes_of(tmp_path, text + "links: [{ends: [h1, s1]}]\n")
    assert [line.partition(";")[0] for line in found] == [
        "net.yaml:2: h1-eth0 says how a switch's port handles VLANs, but h1 is a host",
        "net.yaml:3: switch s1 has VLAN interfaces",
    ]


PAIR = (
    "nodes: {h1: , h2: , s1: {kind: switch}, s2: {kind: switch}}\nlinks:\n  - {ends: [h1, s1]}\n  - {ends: [s1, h2]}\n"
)


@pytest.mark.parametrize(
    ("overlays", "said"),
    [
        ("x: {vni: 0, members: [h1, h2]}", "net.yaml:7: vni of overlay x is '0'; it is a number from 1 to 16777215"),
        ("x: {vni: 1, members: [h1]}", "net.yaml:7: overlay x joins fewer than two nodes; name its members"),
        ("x: {vni: 1, members: [h1, h9]}", "net.yaml:7: overlay x names 'h9', which is no node; nodes are h1, h2"),
        ("x: {vni: 1, members: [h1, h2, h1]}", "net.yaml:7: overlay x names a member twice"),
        ("x: {vni: 1, members: [h1, s1]}", "net.yaml:7: overlay x joins s1, which has no address; write one on the "),
        ("x: {vni: 1, members: [h1, h2], network: default}", "net.yaml:7: network of overlay x is 'default'"),
        ("x: {vni: 1, members: [h1, h2], network: 10.0.1.0/24}", "net.yaml:7: overlay x asks for 10.0.1.0/24, but "),
        ("eth0: {vni: 1, members: [h1, h2]}", "net.yaml:7: overlay eth0 makes a second interface 'h1-eth0'"),
    ],
)
def test_a_mistake_in_an_overlay_is_one_sentence_with_its_line(tmp_path: Path, overlays: str, said: str) -> None:
    text = PAIR.replace("s2: {kind: switch}", "h3:").replace("links:\n", "links:\n  - {ends: [s1, h3]}\n")
    found = mistakes_of(tmp_path, f"{text}overlays:\n  {overlays}\n")
    assert found and found[0].startswith(said), found


def test_two_overlays_of_one_number_and_a_loop_by_an_overlay_are_refused(tmp_path: Path) -> None:
    twins = "overlays:\n  a: {vni: 1, members: [h1, h2]}\n  b: {vni: 1, members: [h1, h2]}\n"
    text = PAIR.replace(", s2: {kind: switch}", "")
    assert (
        "net.yaml:6: overlay a has the vni 1, which b has too; give each overlay"
        in mistakes_of(tmp_path, text + twins)[0]
    )
    loop = (
        "nodes:\n  s1: {kind: switch, interfaces: {up: {addresses: [172.16.0.1/24]}}}\n"
        "  s2: {kind: switch, interfaces: {up: {addresses: [172.16.0.2/24]}}}\n"
        "links: [{ends: ['s1:up', 's2:up']}, {ends: [s1, s2]}]\noverlays:\n  x: {vni: 1, members: [s1, s2]}\n"
    )
    assert mistakes_of(tmp_path, loop) == [
        "net.yaml:6: overlay x closes a loop of switches, where a broadcast circles for ever; "
        "join its switches one way only"
    ]


def test_tunnels_over_ipv6_begin_at_ipv6_addresses_and_need_some() -> None:
    plan = resolve(load_topology("vxlan,3,underlay=ipv6"))
    assert [(v.local, v.remotes, v.mtu) for v in plan.node("h1").vteps] == [
        ("fd00:1::1", ("fd00:2::1", "fd00:3::1"), 1430)
    ]
    without = replace(load_topology("vxlan,3,underlay=ipv6"), ipv6="")
    with pytest.raises(BadTopology, match="overlay blue goes over IPv6, which h1 has not; write 'ipv6: static'"):
        resolve(without)
    odd = replace(without, overlays=(replace(without.overlays[0], underlay="ipx"),))  # type: ignore[arg-type]
    with pytest.raises(BadTopology, match="overlay blue goes over 'ipx'; it may be ipv4 or ipv6"):
        resolve(odd)


def test_a_vlan_interface_may_be_written_before_what_it_lies_on(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, NODES % ("v7: {parent: s9, id: 7}, s9: {parent: eth0, id: 9}", "") + LINKS)
    assert [v.name for v in plan.node("h1").vlans] == ["h1-s9", "h1-v7"]
    assert plan.node("h1").addresses == ("10.0.2.1",), "what others lie on has an address only when one is written"
    assert Vlan("v", "eth0", 1).tag == "802.1Q"
