"""A topology file is read to the spec, and every mistake in it is one line that says where and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.errors import BadInput, BadTopology
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Limit, Plan

FULL = """\
name: office
nodes:
  h1: {stack: netlab}
  h2:
  r1:
    kind: router
    interfaces:
      eth0: {addresses: [192.168.7.1/24], mac: "02:AA:00:00:00:01", queues: 4, mtu: 1400 B}
    routes:
      - {prefix: 172.16.0.0/12, via: 192.168.7.99}
  s1: {kind: switch}
links:
  - {ends: [h1, s1], rate: 10 Mbit/s, delay: 2 ms, loss: 1 %, queue: 100 packets}
  - {ends: [h2, s1], queue: 64 kB}
  - {ends: ["r1:eth0", s1]}
"""


def written(folder: Path, text: str, name: str = "x.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def planned(folder: Path, text: str) -> Plan:
    return resolve(load_topology(written(folder, text)))


def complaints(folder: Path, text: str) -> list[str]:
    """The lines that a person sees, without the folder."""
    with pytest.raises(BadTopology) as caught:
        planned(folder, text)
    return [str(error).replace(f"{folder}/", "") for error in caught.value.errors]


def test_a_file_with_everything_says_it_all(tmp_path: Path) -> None:
    topology = load_topology(written(tmp_path, FULL))
    assert topology.name == "office"
    assert [(n.name, n.kind, n.stack) for n in topology.nodes] == [
        ("h1", "host", "netlab"),
        ("h2", "host", "kernel"),
        ("r1", "router", "kernel"),
        ("s1", "switch", "kernel"),
    ]
    first, second, third = topology.links
    assert (first.rate, first.delay, first.loss, first.queue) == (10_000_000, 2_000_000, 0.01, Limit(100, "packets"))
    assert (second.rate, second.delay, second.loss, second.queue) == (0, 0, 0.0, Limit(64_000, "bytes"))
    assert third.a == End("r1", "eth0")
    interface = topology.node("r1").interfaces[0]
    assert (interface.name, interface.queues, interface.mtu) == ("r1-eth0", 4, 1400)
    assert interface.mac == "02:aa:00:00:00:01"


def test_a_written_address_decides_the_subnet_of_the_others(tmp_path: Path) -> None:
    plan = planned(tmp_path, FULL)
    assert plan.node("h1").addresses == ("192.168.7.2",)
    assert plan.node("h2").addresses == ("192.168.7.3",)
    assert ("0.0.0.0/0", "192.168.7.1") in [(r.prefix, r.via) for r in plan.node("h1").routes]


def test_five_mistakes_in_one_file_are_five_lines_in_order(tmp_path: Path) -> None:
    text = """\
nodes:
  h1: {interfaces: {eth0: {addresses: [10.0.1.1/24]}}}
  h2: {interfaces: {eth0: {addresses: [10.0.1.1/24]}}}
  gateway1: {kind: router}
links:
  - {ends: [h1, s9]}
  - {ends: [h2, gateway1], rate: 10 Mbit}
"""
    assert complaints(tmp_path, text) == [
        "x.yaml:3: h2-eth0 has the address 10.0.1.1, which h1-eth0 has too; an address belongs to one interface",
        "x.yaml:4: the interface name 'gateway1-eth0' has 13 characters, and 12 is the most;"
        " 'gateway1' may have 7 characters at most",
        "x.yaml:6: link h1-s9 names 's9', which is no node; nodes are h1, h2, gateway1",
        "x.yaml:7: rate of link h2-gateway1 '10 Mbit' has the unknown unit 'Mbit';"
        " units are bit/s, kbit/s, Mbit/s, Gbit/s",
    ]


TWO = "nodes: {h1: , h2: , s1: {kind: switch}}\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        ("nodes:\n  h1: {\n  h2: [\n", 3, "every bracket that is opened is closed"),
        ("nodes:\n\th1: x\n", 2, "indent with spaces, not with tabs"),
        ("nodes:\n  h1: kind: host\n", 2, "quote a value that has a colon"),
        ("nodes: [h1, h2]\n", 1, "nodes of the topology is a list"),
        ("nodes: {}\n", 1, "has no nodes"),
        ("links: []\n", 1, "lacks 'nodes'"),
        ("hello\n", 1, "is the text 'hello'"),
        ("nodes:\n  h1:\n  h1:\n", 3, "the node name 'h1' is there twice; the first is in line 2"),
        ("nodes:\n  h-1:\n", 2, "node name 'h-1' cannot be used"),
        ("nodes:\n  h1: 7\n", 2, "node h1 is the text '7'"),
        ("nodes:\n  h1: {kind: hots}\n", 2, "did you mean 'host'?"),
        ("nodes:\n  h1: {stak: netlab}\n", 2, "unknown key 'stak'; did you mean 'stack'?"),
        ("nodes:\n  h1: {stack: [netlab]}\n", 2, "stack of node h1 is a list"),
        ("nodes:\n  h1: !!python/name:os.system {}\n", 2, "marked with the tag"),
        ("nodes:\n  ? [a]\n  : b\n", 2, "a node name is a list"),
        ("nodes:\n  h1: *nobody\n", 2, "needs its anchor"),
        (TWO + "link: []\n", 2, "did you mean 'links'?"),
        (TWO + "links:\n  - {ends: [h1, h1]}\n", 3, "joins h1 to itself"),
        (TWO + "links:\n  - {ends: [h1]}\n", 3, "takes exactly 2"),
        (TWO + "links:\n  - {ends: [h1, 'h2:']}\n", 3, "write h2, or its interface too, as h2:eth0"),
        (TWO + "links:\n  - {rate: 1 Gbit/s}\n", 3, "link 1 lacks 'ends'"),
        (TWO + "links:\n  - {ends: [h1, h2], delay: 2}\n", 3, "'2' is not a number with a unit"),
        (TWO + "links:\n  - {ends: [h1, h2], delay: -2 ms}\n", 3, "is not a number with a unit"),
        (TWO + "links:\n  - {ends: [h1, h2], rate: 0 bit/s}\n", 3, "lets nothing through"),
        (TWO + "links:\n  - {ends: [h1, h2], loss: 0.01}\n", 3, "write it as 1 %"),
        (TWO + "links:\n  - {ends: [h1, h2], loss: 101 %}\n", 3, "more than everything"),
        (TWO + "links:\n  - {ends: [h1, h2], queue: 100}\n", 3, "units are packets"),
        (TWO + "links:\n  - {ends: [h1, h2], queue: 0 packets}\n", 3, "holds nothing"),
        (TWO + "links:\n  - {ends: ['h1:eth0', h2]}\n  - {ends: ['h1:eth0', s1]}\n", 4, "is used by two links"),
        (TWO + "links:\n  - {ends: ['h1:a_long_name', h2]}\n", 3, "has 14 characters, and 12 is the most"),
    ],
)
def test_each_mistake_says_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    (said,) = complaints(tmp_path, text)
    assert said.startswith(f"x.yaml:{line}: ")
    assert says in said


def interface_file(interface: str, *, other: str = "{}", extra: str = "") -> str:
    return (
        "nodes:\n"
        f"  h1: {{interfaces: {{eth0: {interface}}}{extra}}}\n"
        f"  h2: {{interfaces: {{eth0: {other}}}}}\n"
        "links:\n  - {ends: [h1, h2]}\n"
    )


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (interface_file("{addresses: [10.0.1.300/24]}"), 2, "is no IPv4 address"),
        (interface_file("{addresses: [10.0.1.1]}"), 2, "has no prefix length; write it as 10.0.1.1/24"),
        (interface_file("{addresses: [10.0.1.1/33]}"), 2, "has no such prefix length"),
        (interface_file("{addresses: [10.0.1.0/24]}"), 2, "is the network itself; hosts are 10.0.1.1 to 10.0.1.254"),
        (interface_file("{addresses: [10.0.1.255/24]}"), 2, "is its broadcast address"),
        (interface_file("{addresses: [224.0.0.1/24]}"), 2, "cannot belong to one interface"),
        (interface_file("{addresses: ['fe80::1/64']}"), 2, "cannot be given to an interface"),
        (interface_file("{addresses: 10.0.1.1/24}"), 2, "a list belongs here"),
        (interface_file("{mac: '01:00:00:00:00:01'}"), 2, "is a multicast address"),
        (interface_file("{mac: '02:00'}"), 2, "is no MAC address"),
        (interface_file("{mtu: 1500}"), 2, "is not a number with a unit"),
        (interface_file("{mtu: 20 B}"), 2, "is out of range"),
        (interface_file("{queues: 0}"), 2, "it is a number from 1 to 64"),
        (interface_file("{mac: '02:00:00:00:00:01'}", other="{mac: '02:00:00:00:00:01'}"), 3, "which h1-eth0 has too"),
        (
            interface_file("{addresses: [10.0.1.1/24]}", other="{addresses: [10.0.2.2/24]}"),
            3,
            "h2-eth0 has the address 10.0.2.2/24, outside of 10.0.1.0/24, its link's subnet",
        ),
        (interface_file("{}, eth1: {}"), 2, "interface 'h1-eth1' has no link"),
        (interface_file("{}", extra=", routes: [{prefix: 10.9.0.0/16}]"), 2, "lacks 'via'"),
        (
            interface_file("{}", extra=", routes: [{prefix: 10.9.0.1/16, via: 10.0.1.2}]"),
            2,
            "has bits behind its length; write 10.9.0.0/16",
        ),
        (
            interface_file("{}", extra=", routes: [{prefix: default, via: 10.7.7.7}]"),
            2,
            "goes via 10.7.7.7, which is on none of its links; h1 is on 10.0.1.0/24",
        ),
    ],
)
def test_each_mistake_at_an_interface_says_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    (said,) = complaints(tmp_path, text)
    assert said.startswith(f"x.yaml:{line}: ")
    assert says in said


def test_a_broken_link_is_not_blamed_twice_on_its_interface(tmp_path: Path) -> None:
    text = "nodes:\n  h1: {interfaces: {eth0: {}}}\nlinks:\n  - {ends: [h1, h7]}\n"
    assert complaints(tmp_path, text) == ["x.yaml:4: link h1-h7 names 'h7', which is no node; nodes are h1"]


def test_a_loop_of_switches_is_refused_since_a_broadcast_would_never_end(tmp_path: Path) -> None:
    nodes = "".join(f"  s{n}: {{kind: switch}}\n" for n in (1, 2, 3))
    links = "".join(f"  - {{ends: [s{a}, s{b}]}}\n" for a, b in ((1, 2), (2, 3), (3, 1)))
    (said,) = complaints(tmp_path, f"nodes:\n{nodes}links:\n{links}")
    assert said.startswith("x.yaml:8: the link s3-s1 closes a loop of switches")


def test_one_subnet_on_two_links_that_nothing_joins_is_refused(tmp_path: Path) -> None:
    text = """\
nodes:
  r1:
    kind: router
    interfaces:
      eth0: {addresses: [10.0.1.1/24]}
      eth1: {addresses: [10.0.1.129/25]}
  h1:
  h2:
links:
  - {ends: [h1, r1]}
  - {ends: [h2, r1]}
"""
    (said,) = complaints(tmp_path, text)
    assert said.startswith("x.yaml:6: r1-eth1 is in 10.0.1.128/25, but 10.0.1.0/24 is already on links")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00nonsense", bytes(range(128, 256))])
def test_a_binary_file_is_called_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="not a text file"):
        load_topology(path)


def test_control_characters_and_deep_nesting_are_refused_politely(tmp_path: Path) -> None:
    for text in ("nodes: {h1: \x00}", "[" * 20_000):
        with pytest.raises(BadTopology, match="not YAML"):
            load_topology(written(tmp_path, text))


def test_a_file_that_points_at_itself_ends(tmp_path: Path) -> None:
    text = "nodes: &n {h1: *n}\n"
    assert any("unknown key 'h1'" in said for said in complaints(tmp_path, text))
