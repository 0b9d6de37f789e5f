"""`problems`: what this machine cannot do of a plan, before anything is made, and what to do about it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence

from netlab.backend.base import Problem
from netlab.backend.mininet.devices import asked, is_bridge
from netlab.backend.mininet.survey import Survey, survey
from netlab.backend.native.afpacket import takes_whole
from netlab.topology.spec import NAME_LIMIT, Plan, PlanNode

PACKAGES = {"mnexec": "mininet", "ping": "iputils-ping"}
"""Commands that the world itself runs, and the Debian packages that have them."""
_HERE = "the Mininet world"


def problems(plan: Plan) -> tuple[Problem, ...]:
    """Every reason against opening the plan here; a ``refuse`` among them means that it would not be the plan."""
    grave = list(_machine())
    if grave:
        return tuple(grave)
    found = survey()
    steered = (*_unsteered(plan.nodes), *_chosen(plan.nodes), *_offloads(plan))
    return (*_kernel(plan, found), *_names(plan), *_ipv6(plan), *_unmade(plan.nodes, found), *steered)


def _machine() -> Iterator[Problem]:
    if sys.platform != "linux" or not hasattr(socket, "AF_PACKET") or not hasattr(os, "pidfd_open"):
        yield _refuse("needs Linux; use '--backend sim', or the workshop image")
        return
    if _missing_module("mininet"):
        yield _refuse("needs the Python package mininet; install it with 'pip install mininet==2.3.0.dev6'")
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    missing = [package for command, package in PACKAGES.items() if shutil.which(command, path=path) is None]
    if missing:
        line = f"sudo apt-get install --no-install-recommends {' '.join(missing)}"
        yield _refuse(f"needs system packages that are missing; install them with '{line}'")


def _missing_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is None
    except ModuleNotFoundError:
        return True


def _kernel(plan: Plan, found: Survey) -> Iterator[Problem]:
    if found.refused:
        yield _refuse(f"gets no {found.refused} from the kernel ({found.said}): {_advice(found)}")
        return
    bridges = any(is_bridge(node) for node in plan.nodes)
    if not found.veth or (bridges and not found.bridge):
        lacking = "bridge" if found.veth else "veth"
        yield _refuse(f"needs {lacking} devices, which this kernel lacks; use '--backend sim'")
        return
    for i, link in enumerate(plan.links):
        wanted = [kind for kind in _wanted(plan, i) if kind not in found.qdiscs]
        if "netem" in wanted:
            what = " and ".join(word for word, there in (("delay", link.delay), ("loss", link.loss)) if there)
            yield Problem(
                "refuse",
                f"link {link.a} - {link.b}",
                f"its {what} needs netem, which this kernel lacks; leave it out, or use '--backend sim'",
            )
        elif "red" in wanted:
            said = "its marks need red, which this kernel lacks; leave 'mark' out, or use '--backend sim'"
            yield Problem("refuse", f"link {link.a} - {link.b}", said)
        elif wanted:
            said = f"needs the queueing discipline {wanted[0]}, which this kernel lacks; use '--backend sim'"
            yield Problem("refuse", f"link {link.a} - {link.b}", said)
        elif link.mark is not None and link.mark.unit == "packets":
            (red,) = (d for d in asked(plan, link, link.a) if d.kind == "red")
            said = f"its kernel counts bytes, so 'above {link.mark}' is {red.mark} B there"
            yield Problem("note", f"link {link.a} - {link.b}", said)


def _wanted(plan: Plan, link: int) -> list[str]:
    return [d.kind for d in asked(plan, plan.links[link], plan.links[link].a)]


def _advice(found: Survey) -> str:
    """What would make the kernel give what it refused."""
    if found.refused == "mounts":
        return "in a container, start it with '--security-opt unmask=ALL' (podman) or 'systempaths=unconfined' (docker)"
    if os.getuid() == 0:
        return "in a container, start it with '--cap-add SYS_ADMIN,NET_ADMIN,NET_RAW'"
    for name, bad, good in (
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("user.max_user_namespaces", "0", "15000"),
    ):
        if _sysctl(name) == bad:
            return f"'sudo sysctl {name}={good}' allows it"
    return "run it as root, or in a container with '--security-opt seccomp=unconfined'"


def _sysctl(name: str) -> str:
    try:
        with open("/proc/sys/" + name.replace(".", "/")) as file:
            return file.read().strip()
    except OSError:
        return ""


def _names(plan: Plan) -> Iterator[Problem]:
    for node in plan.nodes:
        if node.kind == "switch" and len(node.name) > NAME_LIMIT:
            said = f"a switch is a bridge device, whose name may have {NAME_LIMIT} characters; choose a shorter one"
            yield Problem("refuse", f"switch {node.name}", said)


def _chosen(nodes: Sequence[PlanNode]) -> Iterator[Problem]:
    for node in nodes:
        tables = (node.routes, *(table.routes for table in node.tables))
        if node.stack == "kernel" and any(route.also for routes in tables for route in routes):
            said = "of equal ways the kernel chooses a flow's by a hash of its own, so not as the simulated world does"
            yield Problem("note", node.name, said)


def _unsteered(nodes: Sequence[PlanNode]) -> Iterator[Problem]:
    for node in nodes:
        for interface in node.interfaces:
            if interface.steering is not None:
                said = "a veth device steers nothing to a ring; use '--backend sim', or leave its 'steering' out"
                yield Problem("refuse", interface.name, said)


def _offloads(plan: Plan) -> Iterator[Problem]:
    """A veth joins nothing itself; what meets one of our routers or switches is as on a wire, if it says no more."""
    for interface in plan.interfaces():
        said, node = set(interface.offload or ()), plan.node(interface.node)
        if "lro" in said:
            yield Problem("refuse", interface.name, "a veth device does no lro; use 'gro', or '--backend sim'")
        cutting = " and ".join(sorted(said & {"tso", "uso", "txcsum"}))
        peer = plan.node(plan.interface(interface.peer).node)
        if cutting and any(one.stack == "netlab" and not takes_whole(one) for one in (node, peer)):
            told = f"has {cutting}, but our stack at its cable takes frames as on a wire"
            yield Problem("refuse", interface.name, f"{told}; give that one 'offload: [tso, gro]', or leave it out")


def _ipv6(plan: Plan) -> Iterator[Problem]:
    if plan.ipv6 and not os.path.exists("/proc/sys/net/ipv6"):
        yield _refuse("needs IPv6, which this kernel lacks; leave 'ipv6' out of the topology, or use '--backend sim'")
    for node in plan.nodes:
        if plan.ipv6 == "slaac" and node.kind == "router" and node.stack == "kernel":
            said = "the kernel forwards and does not advertise itself (ipv6: slaac); give it 'stack: netlab'"
            yield Problem("refuse", node.name, said)


def _unmade(nodes: Sequence[PlanNode], found: Survey) -> Iterator[Problem]:
    """What a plan can say of a kernel node and `devices` doesn't make: it must not be missing in silence."""
    for node in (node for node in nodes if node.stack == "kernel"):
        instead = "give it 'stack: netlab', or use '--backend sim'"
        if any(interface.vlan for interface in node.interfaces):
            said = f"VLANs at a kernel bridge's ports (vlan_filtering) are not made here; {instead}"
            yield Problem("refuse", node.name, said)
        if node.vlans:
            yield Problem("refuse", node.name, f"VLAN interfaces of the kernel (8021q) are not made here; {instead}")
        if node.vteps and node.kind == "switch":
            yield Problem("refuse", node.name, f"a kernel bridge's end of an overlay is not made here; {instead}")
        elif node.vteps and not found.vxlan:
            yield Problem("refuse", node.name, f"its overlay needs vxlan devices, which this kernel lacks; {instead}")


def _refuse(said: str) -> Problem:
    return Problem("refuse", _HERE, said)
