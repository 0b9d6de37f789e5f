"""Tables beside the main one and the rules that choose them: made in the kernel, read back, compared.

Where a rule's table has no route, Linux would go on to the next rule; the plan says that there is no route then. So
behind each rule stands one with the same priority and the same conditions whose answer is "network unreachable".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from netlab.backend.mininet import rtnl
from netlab.topology.spec import PlanNode, Rule

NEWRULE, GETRULE = 32, 34
MAIN = 254
"""What the plan calls table 0."""
_NEW = rtnl.ACK | rtnl.CREATE | rtnl.EXCL
_TO_TABLE, _UNREACHABLE = 1, 7
_SRC, _IIF, _PRIORITY, _MARK, _TABLE = 2, 3, 6, 10, 15


def multipath(ways: Sequence[tuple[str, int, int]]) -> bytes:
    """The attribute RTA_MULTIPATH: (via, interface index, weight) of each equal way."""
    hops = b""
    for via, index, weight in ways:
        gateway = rtnl.attr(5, ip_address(via).packed)
        hops += struct.pack("=HBBi", 8 + len(gateway), 0, weight - 1, index) + gateway
    return rtnl.attr(9, hops)


def read_ways(value: bytes) -> str:
    """The same in the words of `PlanRoute.ways`."""
    said, at = [], 0
    while at + 8 <= len(value):
        length, _flags, hops, _index = struct.unpack_from("=HBBi", value, at)
        gateway = rtnl.attributes(value[at + 8 : at + length]).get(5, b"")
        said.append(f"{ip_address(gateway) if gateway else ''} ×{hops + 1}")
        at += max(8, length + 3 & ~3)
    return ", ".join(said)


def rule_messages(node: PlanNode, kernel_names: Mapping[str, str]) -> list[bytes]:
    """The node's rules, each with its end; ``kernel_names`` by plain name."""
    return [
        _rule(rule, kernel_names.get(rule.iif, rule.iif), action)
        for rule in node.rules
        for action in (_TO_TABLE, _UNREACHABLE)
    ]


def _rule(rule: Rule, iif: str, action: int) -> bytes:
    source = ip_network(rule.source or "0.0.0.0/0")
    body = struct.pack("=BBBBBBBBI", 2, 0, source.prefixlen, 0, 0, 0, 0, action, 0)
    attrs = [rtnl.u32(_PRIORITY, rule.priority)]
    if action == _TO_TABLE:
        attrs.append(rtnl.u32(_TABLE, rule.table or MAIN))
    if source.prefixlen:
        attrs.append(rtnl.attr(_SRC, source.network_address.packed))
    if iif:
        attrs.append(rtnl.text(_IIF, iif))
    if rule.mark:
        attrs.append(rtnl.u32(_MARK, rule.mark))
    return rtnl.message(NEWRULE, _NEW, body, *attrs)


def read_rules(kernel: rtnl.Rtnl) -> Iterator[dict[str, Any]]:
    """Every IPv4 rule that somebody added."""
    for body in kernel.dump(GETRULE, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 0, 0, 0, 0, 0)):
        _family, _dst, length, _tos, table, _, _, action = struct.unpack_from("=BBBBBBBB", body)
        found = rtnl.attributes(body, 12)
        priority = rtnl.number(found.get(_PRIORITY))
        if action in (_TO_TABLE, _UNREACHABLE) and 0 < priority < 32766:
            source = ".".join(map(str, found.get(_SRC, bytes(4))))
            yield {
                "priority": priority,
                "table": rtnl.number(found.get(_TABLE), table) if action == _TO_TABLE else None,
                "source": f"{source}/{length}" if length else "",
                "mark": rtnl.number(found.get(_MARK)),
                "iif": rtnl.string(found.get(_IIF)).partition("~")[0],
            }


def missing(node: PlanNode, there: Mapping[str, Any]) -> Iterator[str]:
    """What the plan says of the node's tables and rules, and the kernel doesn't."""
    for table in node.tables:
        known = {(r["prefix"], r["via"]) for r in there["tables"].get(str(table.number), ())}
        for route in table.routes:
            if (route.prefix, route.ways) not in known:
                yield f"table {table.number}'s route to {route.prefix} by {route.ways} is missing"
    for rule in node.rules:
        asked = {**vars(rule), "source": "" if rule.source == "0.0.0.0/0" else rule.source}
        for table_number in (rule.table or MAIN, None):
            if {**asked, "table": table_number} not in there["rules"]:
                what = f"rule {rule.priority}" if table_number else f"the end of rule {rule.priority}"
                yield f"{what} is missing"
