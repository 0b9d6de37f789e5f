"""A topology from a YAML file: the file's tree, through the table of keys, to the spec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from netlab.errors import NetlabError
from netlab.topology.keys import TOPOLOGY
from netlab.topology.shapes import TOP, Got, Reader
from netlab.topology.spec import (
    Interface,
    Kind,
    Link,
    Node,
    Offloads,
    Overlay,
    PortVlan,
    RingFilter,
    Route,
    Rule,
    StackKind,
    Steer,
    Table,
    Topology,
    Vlan,
    Way,
)
from netlab.topology.values import plain_name

Where = dict[tuple[str, object], str]
HINTS = {
    "\\t": "indent with spaces, not with tabs",
    "mapping values": "quote a value that has a colon and a space in it, and check this line's indentation",
    "expected ',' or": "check that every bracket that is opened is closed",
    "<stream end>": "check that every bracket that is opened is closed",
    "undefined alias": "an alias (*name) needs its anchor (&name) before it",
}


def read_yaml(text: str, file: str) -> tuple[Topology, list[NetlabError]]:
    """What the text says, as far as it can be understood, and every mistake in it, in the order of lines."""
    reader = Reader(file)
    node = _tree(text, reader)
    empty = Topology(Path(file).stem, (), ())
    if node is None:
        return empty, reader.errors
    got = TOPOLOGY.read(reader, node, TOP)
    return (_topology(got, file) if got else empty), reader.errors


def _tree(text: str, reader: Reader) -> Any:
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line + 1 if mark else 1, text.rstrip().count("\n") + 1)
        right = next((hint for sign, hint in HINTS.items() if sign in str(error.problem)), "check this line's spelling")
        reader.errors.append(NetlabError(f"not YAML: {error.problem}", where=f"{reader.file}:{line}", right=right))
        return None
    except (yaml.YAMLError, RecursionError) as error:
        said = "brackets nested too deeply" if isinstance(error, RecursionError) else "a character that YAML forbids"
        reader.errors.append(NetlabError(f"not YAML: {said}", where=reader.file, right="give a text file"))
        return None
    if node is None:
        said = "the file is empty"
        reader.errors.append(NetlabError(said, where=f"{reader.file}:1", right="it needs at least nodes, as 'h1: {}'"))
    return node


def _topology(got: Got, file: str) -> Topology:
    where: Where = {("topology", ""): got.where}
    nodes = tuple(_node(name, each, where) for name, each in _values(got, "nodes", {}).items())
    links = tuple(_links(_values(got, "links", []), where))
    overlays = tuple(_overlays(_values(got, "overlays", {}), where))
    return Topology(_values(got, "name", Path(file).stem), nodes, links, where, overlays, _values(got, "ipv6", ""))


def _values(got: Got, key: str, default: Any) -> Any:
    return got.value[key].value if key in got.value else default


def _node(name: str, got: Got, where: Where) -> Node:
    where["node", name] = got.where
    interfaces = tuple(_interface(name, each, part, where) for each, part in _values(got, "interfaces", {}).items())
    routes = _routes(_values(got, "routes", []), (name,), where)
    tables = tuple(
        Table(number, _routes(part.value, (name, number), where)) for number, part in _values(got, "tables", {}).items()
    )
    rules = tuple(_rules(name, _values(got, "rules", []), where))
    kind: Kind = _values(got, "kind", get_args(Kind)[0])
    stack: StackKind = _values(got, "stack", get_args(StackKind)[0])
    vlans = tuple(_vlans(name, got, where))
    return Node(name, kind, stack, interfaces, routes, vlans, tables, rules, _offload(got))


def _routes(parts: list[Got], owner: tuple[object, ...], where: Where) -> tuple[Route, ...]:
    """``owner`` is the node, and the table's number for another one than the main."""
    routes: list[Route] = []
    for part in parts:
        if {"prefix", "via"} <= set(part.value):
            where["route", (*owner, len(routes))] = part.where
            also = (each.value for each in _values(part, "also", []) if "via" in each.value)
            ways = tuple(Way(**{key: got.value for key, got in way.items()}) for way in also)
            given = {key: got.value for key, got in part.value.items() if key != "also"}
            routes.append(Route(**given, also=ways))
    return tuple(routes)


def _rules(node: str, parts: list[Got], where: Where) -> Iterator[Rule]:
    for part in parts:
        if {"priority", "table"} <= set(part.value):
            rule = {{"from": "source"}.get(key, key): got.value for key, got in part.value.items()}
            if "iif" in rule:
                rule["iif"] = plain_name(node, rule["iif"])
            where["rule", (node, rule["priority"])] = part.where
            yield Rule(**rule)


def _interface(node: str, name: str, got: Got, where: Where) -> Interface:
    full = plain_name(node, name)
    where["interface", full] = got.where
    addresses = tuple(each.value for each in _values(got, "addresses", []))
    for each in _values(got, "addresses", []):
        where["address", (full, each.value)] = each.where
    mac, queues, mtu = _values(got, "mac", ""), _values(got, "queues", 1), _values(got, "mtu", 1500)
    steer = _steer(full, got, where)
    return Interface(full, addresses, mac, queues, mtu, _port_vlan(full, got, where), steer, _offload(got))


def _offload(got: Got) -> Offloads:
    return tuple(each.value for each in got.value["offload"].value) if "offload" in got.value else None


def _steer(name: str, got: Got, where: Where) -> Steer | None:
    if "steering" not in got.value:
        return None
    part = got.value["steering"]
    where["steering", name] = part.where
    plain = {key: each.value for key, each in part.value.items() if key not in ("weights", "filters")}
    weights = tuple(each.value for each in _values(part, "weights", []))
    filters = (each.value for each in _values(part, "filters", []) if "ring" in each.value)
    made = tuple(RingFilter(**{key: value.value for key, value in each.items()}) for each in filters)
    return Steer(weights=weights, filters=made, **plain)


def _port_vlan(name: str, got: Got, where: Where) -> PortVlan | None:
    if "vlan" not in got.value:
        return None
    part = got.value["vlan"]
    where["vlan", name] = part.where
    plain = {key: each.value for key, each in part.value.items() if key != "trunk"}
    return PortVlan(trunk=tuple(each.value for each in _values(part, "trunk", [])), **plain)


def _vlans(node: str, got: Got, where: Where) -> Iterator[Vlan]:
    for name, part in _values(got, "vlans", {}).items():
        if {"parent", "id"} <= set(part.value):
            full = plain_name(node, name)
            where["interface", full] = part.where
            addresses = tuple(each.value for each in _values(part, "addresses", []))
            plain = {key: each.value for key, each in part.value.items() if key != "addresses"}
            yield Vlan(full, addresses=addresses, **plain)


def _overlays(parts: dict[str, Got], where: Where) -> Iterator[Overlay]:
    for name, part in parts.items():
        if {"vni", "members"} <= set(part.value):
            where["overlay", name] = part.where
            members = tuple(each.value for each in _values(part, "members", []))
            yield Overlay(name, members=members, **{k: v.value for k, v in part.value.items() if k != "members"})


def _links(parts: list[Got], where: Where) -> list[Link]:
    links: list[Link] = []
    for part in parts:
        if "ends" in part.value:
            where["link", len(links)] = part.where
            a, b = (each.value for each in _values(part, "ends", []))
            given = {key: got.value for key, got in part.value.items() if key != "ends"}
            links.append(Link(a, b, **given))
    return links
