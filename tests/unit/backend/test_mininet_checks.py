"""What stands against a plan is told before anything is made, each time with what to do about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.backend.base import Problem
from netlab.backend.mininet import checks
from netlab.backend.mininet.survey import QDISCS, Survey
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Interface, Node, Overlay, Plan, PortVlan, StackKind, Topology, Vlan

GOOD = Survey(qdiscs=QDISCS, bridge=True, veth=True)
WITHOUT_NETEM = Survey(qdiscs=("tbf", "pfifo", "bfifo"), bridge=True, veth=True)


def pair(**link: str) -> Plan:
    return resolve(Topology("pair", tuple(several("h", 2)), (cable("h1", "h2", **link),)))


def of(plan: Plan, found: Survey) -> list[Problem]:
    return list(checks._kernel(plan, found))


def test_a_kernel_that_has_everything_takes_every_plan() -> None:
    assert of(pair(rate="1 Mbit/s", delay="2 ms", loss="1 %", queue="5 packets"), GOOD) == []


@pytest.mark.parametrize(
    ("link", "what"),
    [({"delay": "2 ms"}, "its delay needs"), ({"loss": "1 %"}, "its loss needs"),
     ({"delay": "2 ms", "loss": "1 %"}, "its delay and loss needs")],
)  # fmt: skip
def test_without_netem_delay_and_loss_are_refused_and_the_rest_is_not(link: dict[str, str], what: str) -> None:
    (problem,) = of(pair(**link), WITHOUT_NETEM)
    assert (problem.severity, problem.where) == ("refuse", "link h1-eth0 - h2-eth0")
    assert problem.said.startswith(what) and "--backend sim" in problem.said
    assert of(pair(rate="1 Mbit/s", queue="5 packets"), WITHOUT_NETEM) == []


def test_without_red_marks_are_refused() -> None:
    plan = pair(rate="1 Mbit/s", mark="20 packets")
    (problem,) = of(plan, WITHOUT_NETEM)
    assert (problem.severity, problem.where) == ("refuse", "link h1-eth0 - h2-eth0")
    assert problem.said.startswith("its marks need red") and "--backend sim" in problem.said


def test_with_red_a_mark_in_packets_is_one_in_bytes_and_that_is_said() -> None:
    (problem,) = of(pair(rate="1 Mbit/s", mark="20 packets"), GOOD)
    assert (problem.severity, problem.said) == (
        "note",
        "its kernel counts bytes, so 'above 20 packets' is 30280 B there",
    )
    assert of(pair(rate="1 Mbit/s", mark="30 kB"), GOOD) == []


def test_bridges_are_needed_where_there_are_switches() -> None:
    links = (cable("h1", "s1"), cable("h2", "s1"))
    star = resolve(Topology("star", (*several("h", 2), *several("s", 1, "switch")), links))
    without = Survey(qdiscs=QDISCS, bridge=False, veth=True)
    assert of(pair(), without) == []
    assert ["needs bridge devices" in problem.said for problem in of(star, without)] == [True]


def vlans(stack: StackKind, port_vlan: bool) -> Plan:
    """A host with a VLAN interface, or a switch with an access port, of the given stack."""
    host = Node("h1", "host", "netlab" if port_vlan else stack, vlans=(Vlan("v10", "eth0", 10),))
    port = Interface("eth1", vlan=PortVlan(access=10) if port_vlan else None)
    return resolve(Topology("v", (host, Node("s1", "switch", stack, (port,))), (cable("h1", "s1"),)))


@pytest.mark.parametrize(
    ("port_vlan", "where", "said"),
    [(False, "h1", "(8021q) are not made"), (True, "s1", "(vlan_filtering) are not made")],
)
def test_what_a_kernel_node_would_lack_in_silence_is_refused(port_vlan: bool, where: str, said: str) -> None:
    (problem,) = checks._unmade(vlans("kernel", port_vlan).nodes, GOOD)
    assert (problem.severity, problem.where) == ("refuse", where)
    assert said in problem.said and "give it 'stack: netlab'" in problem.said
    assert not list(checks._unmade(vlans("netlab", port_vlan).nodes, GOOD))


def test_an_overlay_of_kernel_hosts_needs_vxlan_devices() -> None:
    overlay = Overlay("blue", 42, ("h1", "h2"))
    plan = resolve(Topology("o", tuple(several("h", 2)), (cable("h1", "h2"),), overlays=(overlay,)))
    assert not list(checks._unmade(plan.nodes, replace(GOOD, vxlan=True)))
    problems = list(checks._unmade(plan.nodes, GOOD))
    assert [p.where for p in problems] == ["h1", "h2"] and "needs vxlan devices" in problems[0].said


@pytest.mark.parametrize(
    ("found", "sysctls", "uid", "advice"),
    [
        (Survey("namespaces", "EPERM"), {"kernel.apparmor_restrict_unprivileged_userns": "1"}, 1000,
         "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
        (Survey("namespaces", "EPERM"), {"kernel.unprivileged_userns_clone": "0"}, 1000,
         "sudo sysctl kernel.unprivileged_userns_clone=1"),
        (Survey("namespaces", "EUSERS"), {"user.max_user_namespaces": "0"}, 1000,
         "sudo sysctl user.max_user_namespaces=15000"),
        (Survey("namespaces", "EPERM"), {}, 1000, "run it as root"),
        (Survey("namespaces", "EPERM"), {}, 0, "--cap-add SYS_ADMIN,NET_ADMIN,NET_RAW"),
        (Survey("mounts", "EPERM"), {}, 1000, "unmask=ALL"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_change(
    monkeypatch: pytest.MonkeyPatch, found: Survey, sysctls: dict[str, str], uid: int, advice: str
) -> None:
    monkeypatch.setattr(checks, "_sysctl", lambda name: sysctls.get(name, ""))
    monkeypatch.setattr("os.getuid", lambda: uid)
    (problem,) = of(pair(), found)
    assert problem.severity == "refuse" and advice in problem.said


def test_missing_packages_are_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _command, path="": None)
    said = [problem.said for problem in checks._machine()]
    assert any("sudo apt-get install --no-install-recommends mininet iputils-ping" in sentence for sentence in said)


def test_elsewhere_than_on_linux_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert [p.severity for p in checks.problems(pair())] == ["refuse"]
    assert "needs Linux" in checks.problems(pair())[0].said
