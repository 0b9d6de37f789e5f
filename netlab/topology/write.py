"""A topology as a YAML file that says the same: something to start from and to edit."""

from __future__ import annotations

from netlab.topology.spec import (
    Interface,
    Link,
    Node,
    Overlay,
    PortVlan,
    RingFilter,
    Route,
    Rule,
    Steer,
    Topology,
    Vlan,
    Way,
)
from netlab.units import RATE, SIZE, TIME

_PLAIN = Interface("")


def to_yaml(topology: Topology) -> str:
    """The file's text. Loaded, it is the same topology: what was left out is left out again."""
    lines = [f"name: {_quoted(topology.name)}", *([f"ipv6: {topology.ipv6}"] if topology.ipv6 else []), "nodes:"]
    for node in topology.nodes:
        lines += _node(node)
    if topology.links:
        lines += ["links:", *(f"  - {_flow(_link(link))}" for link in topology.links)]
    if topology.overlays:
        lines += ["overlays:", *(f"  {overlay.name}: {_flow(_overlay(overlay))}" for overlay in topology.overlays)]
    return "\n".join(lines) + "\n"


def _node(node: Node) -> list[str]:
    keys: dict[str, str] = {"kind": node.kind, **({"stack": node.stack} if node.stack != "kernel" else {})}
    if node.offload is not None:
        keys["offload"] = f"[{', '.join(node.offload)}]"
    if not (node.interfaces or node.routes or node.vlans or node.tables or node.rules):
        return [f"  {node.name}: {_flow(keys)}"]
    lines = [f"  {node.name}:", *(f"    {key}: {value}" for key, value in keys.items())]
    if node.interfaces:
        lines.append("    interfaces:")
        lines += [f"      {i.name.removeprefix(node.name + '-')}: {_flow(_interface(i))}" for i in node.interfaces]
    if node.vlans:
        lines.append("    vlans:")
        lines += [f"      {v.name.removeprefix(node.name + '-')}: {_flow(_vlan(node.name, v))}" for v in node.vlans]
    if node.routes:
        lines.append("    routes:")
        lines += [f"      - {_flow(_route(route))}" for route in node.routes]
    if node.tables:
        lines.append("    tables:")
        lines += [f"      {t.number}: [{', '.join(_flow(_route(r)) for r in t.routes)}]" for t in node.tables]
    if node.rules:
        lines += ["    rules:", *(f"      - {_flow(_rule(node.name, rule))}" for rule in node.rules)]
    return lines


def _route(route: Route) -> dict[str, str]:
    keys = {"prefix": route.prefix, **_way(route)}
    return {**keys, "also": f"[{', '.join(_flow(_way(way)) for way in route.also)}]"} if route.also else keys


def _way(way: Route | Way) -> dict[str, str]:
    return {"via": way.via, **({"weight": str(way.weight)} if way.weight != 1 else {})}


def _rule(node: str, rule: Rule) -> dict[str, str]:
    keys = {"priority": str(rule.priority)}
    if rule.source:
        keys["from"] = rule.source
    if rule.mark:
        keys["mark"] = str(rule.mark)
    if rule.iif:
        keys["iif"] = _quoted(rule.iif.removeprefix(f"{node}-"))
    return {**keys, "table": str(rule.table or "main")}


def _interface(interface: Interface) -> dict[str, str]:
    keys: dict[str, str] = {}
    if interface.addresses:
        keys["addresses"] = f"[{', '.join(interface.addresses)}]"
    if interface.mac:
        keys["mac"] = _quoted(interface.mac)
    if interface.queues != _PLAIN.queues:
        keys["queues"] = str(interface.queues)
    if interface.mtu != _PLAIN.mtu:
        keys["mtu"] = f"{interface.mtu} B"
    if interface.vlan is not None:
        keys["vlan"] = _flow(_port_vlan(interface.vlan))
    if interface.steering is not None:
        keys["steering"] = _flow(_steer(interface.steering))
    if interface.offload is not None:
        keys["offload"] = f"[{', '.join(interface.offload)}]"
    return keys


def _steer(said: Steer) -> dict[str, str]:
    keys = {key: str(getattr(said, key)) for key in ("key", "spread") if getattr(said, key) != getattr(Steer, key)}
    if said.weights:
        keys["weights"] = f"[{', '.join(map(str, said.weights))}]"
    if said.filters:
        keys["filters"] = f"[{', '.join(_flow(_ring_filter(each)) for each in said.filters)}]"
    return keys


def _ring_filter(said: RingFilter) -> dict[str, str]:
    others = {key: str(value) for key, value in vars(said).items() if value and key != "ring"}
    return {"ring": str(said.ring), **others}


def _port_vlan(vlan: PortVlan) -> dict[str, str]:
    keys = {key: str(vid) for key in ("access", "native", "qinq") if (vid := getattr(vlan, key))}
    if vlan.trunk:
        keys["trunk"] = f"[{', '.join(map(str, vlan.trunk))}]"
    return keys | ({"tag": vlan.tag} if vlan.tag != "802.1Q" else {})


def _vlan(node: str, vlan: Vlan) -> dict[str, str]:
    keys = {"parent": vlan.parent.removeprefix(f"{node}-"), "id": str(vlan.id)}
    if vlan.tag != "802.1Q":
        keys["tag"] = vlan.tag
    if vlan.pcp:
        keys["pcp"] = str(vlan.pcp)
    if vlan.addresses:
        keys["addresses"] = f"[{', '.join(vlan.addresses)}]"
    return keys | ({"mtu": f"{vlan.mtu} B"} if vlan.mtu else {})


def _overlay(overlay: Overlay) -> dict[str, str]:
    keys = {"vni": str(overlay.vni), "members": f"[{', '.join(map(_quoted, overlay.members))}]"}
    if overlay.port != Overlay.port:
        keys["port"] = str(overlay.port)
    if overlay.network:
        keys["network"] = overlay.network
    if overlay.underlay != Overlay.underlay:
        keys["underlay"] = overlay.underlay
    return keys | ({"vlan": str(overlay.vlan)} if overlay.vlan else {})


def _link(link: Link) -> dict[str, str]:
    keys = {"ends": f"[{_quoted(str(link.a))}, {_quoted(str(link.b))}]"}
    if link.rate:
        keys["rate"] = _exactly(link.rate, RATE)
    if link.delay:
        keys["delay"] = _exactly(link.delay, TIME)
    if link.loss:
        keys["loss"] = f"{_decimal(link.loss * 100)} %"
    for key, limit in (("queue", link.queue), ("mark", link.mark)):
        if limit:
            keys[key] = _exactly(limit.n, SIZE) if limit.unit == "bytes" else str(limit)
    return keys


def _exactly(value: int, units: dict[str, int]) -> str:
    """In the largest unit in which it is a whole number."""
    unit, factor = max(((u, f) for u, f in units.items() if value % f == 0), key=lambda pair: pair[1])
    return f"{value // factor} {unit}"


def _decimal(value: float) -> str:
    """Without an exponent, which the file's numbers don't have."""
    return f"{value:.12f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    """Quoted where YAML would see more in it than text."""
    import re

    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_. -]*[A-Za-z0-9]|[A-Za-z]", text) and text.lower() not in _WORDS
    return text if plain else '"' + "".join(_escaped(c) for c in text) + '"'


def _escaped(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    return c if c.isprintable() else f"\\U{ord(c):08x}"


_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def _flow(keys: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}"
