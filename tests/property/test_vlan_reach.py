"""Who hears whom is worked out twice: by the plan, which gives subnets, and by the stack, which carries frames."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.backend.sim import SimSession
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Interface, Link, Node, Plan, PortVlan, Tag, Topology, Vlan
from netlab.units import MS
from netlab.workload.spec import Ping

VIDS = st.sampled_from([10, 20])
TAGS: st.SearchStrategy[Tag] = st.sampled_from(["802.1Q", "802.1ad"])


@st.composite
def trunks(draw: st.DrawFn) -> PortVlan:
    carried = draw(st.sets(VIDS, min_size=1).map(sorted))
    native = draw(st.sampled_from([0, *({10, 20} - set(carried))]))
    return PortVlan(trunk=tuple(carried), native=native, tag=draw(TAGS))


RULES = st.one_of(st.none(), VIDS.map(lambda v: PortVlan(access=v)), trunks(), VIDS.map(lambda v: PortVlan(qinq=v)))


@st.composite
def networks(draw: st.DrawFn) -> Topology:
    """A line of switches, both ends of each link alike, and hosts at them with one address each: plain or in VLANs."""
    switches = draw(st.integers(1, 3))
    ports: list[list[Interface]] = [[] for _ in range(switches)]
    links: list[Link] = []

    def plug(switch: int, rule: PortVlan | None) -> End:
        ports[switch].append(Interface(f"p{len(ports[switch])}", vlan=rule, mtu=1600))
        return End(f"s{switch}", f"p{len(ports[switch]) - 1}")

    for left in range(switches - 1):
        rule = draw(RULES)
        links.append(Link(plug(left, rule), plug(left + 1, rule)))
    hosts = []
    for number in range(draw(st.integers(2, 5))):
        tags = draw(st.lists(st.tuples(TAGS, VIDS), max_size=2))
        parents = ["eth0", *(f"v{n}" for n in range(len(tags)))]
        vlans = tuple(Vlan(f"v{n}", parents[n], vid, tag) for n, (tag, vid) in enumerate(tags))
        hosts.append(Node(f"h{number}", vlans=vlans, interfaces=(Interface("eth0", mtu=1500),)))
        links.append(Link(End(f"h{number}", "eth0"), plug(draw(st.integers(0, switches - 1)), draw(RULES))))
    bridges = [Node(f"s{n}", "switch", interfaces=tuple(held)) for n, held in enumerate(ports)]
    return Topology("reach", (*hosts, *bridges), tuple(links))


def subnet_of(plan: Plan) -> dict[str, str]:
    """Host -> its subnet: the plan's answer to who hears whom."""
    return {n.name: n.routes[0].prefix for n in plan.nodes if n.kind == "host"}


def in_one_subnet(plan: Plan) -> Plan:
    """Every host in 10.0.0.0/16 under an address of its own, so that only VLANs keep them apart."""
    nodes = []
    for number, node in enumerate(plan.nodes, start=1):
        mine = f"10.0.0.{number}/16"
        nodes.append(
            replace(
                node,
                interfaces=tuple(replace(i, addresses=(mine,) if i.addresses else ()) for i in node.interfaces),
                vlans=tuple(replace(v, addresses=(mine,) if v.addresses else ()) for v in node.vlans),
                routes=tuple(replace(r, prefix="10.0.0.0/16") for r in node.routes),
            )
        )
    return replace(plan, nodes=tuple(nodes))


@settings(max_examples=60, deadline=None)
@given(networks())
def test_hosts_hear_each_other_just_when_the_plan_gives_them_one_subnet(topology: Topology) -> None:
    plan = resolve(topology)
    subnets = subnet_of(plan)
    pairs = list(permutations(subnets, 2))
    with SimSession(in_one_subnet(plan), traced=False) as session:
        outcomes = session.run([Ping(a, b, timeout=20 * MS, start=n * MS) for n, (a, b) in enumerate(pairs)])
    heard = {pair: outcome.answered == 1 for pair, outcome in zip(pairs, outcomes, strict=True)}
    assert all(heard[a, b] for a, b in pairs if subnets[a] == subnets[b])
    if not any(i.vlan and i.vlan.native for i in plan.interfaces()):
        # Else a host may tag frames of the native VLAN: it is heard, and takes untagged answers at its plain interface.
        assert not any(heard[a, b] for a, b in pairs if subnets[a] != subnets[b])
