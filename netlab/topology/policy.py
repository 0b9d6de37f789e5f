"""Tables beside the main one, and the rules that choose between them (policy routing)."""

from __future__ import annotations

from netlab.errors import NetlabError
from netlab.topology import values
from netlab.topology.mistakes import Mistakes
from netlab.topology.routing import Routing, longest_first
from netlab.topology.spec import Node, PlanTable, Rule
from netlab.topology.words import listing


def tables(node: Node, routing: Routing) -> tuple[PlanTable, ...]:
    """The node's tables in the author's order; what is wrong with them is noted."""
    made: list[PlanTable] = []
    mistakes, place = routing.mistakes, ("node", node.name)
    if node.kind == "switch" and (node.tables or node.rules):
        mistakes.note(f"switch {node.name} has tables of routes", place, right="a switch forwards frames; use a router")
        return ()
    for table in node.tables:
        if table.number in (t.number for t in made):
            mistakes.note(f"{node.name} has two tables with the number {table.number}", place, right="make it one")
        elif not 0 < table.number <= values.TABLES_LIMIT or table.number in values.KERNEL_TABLES:
            right = "it is a number from 1 to 65535 but 253 to 255; what belongs to main stands in routes"
            mistakes.note(f"{node.name} has a table with the number {table.number}", place, right=right)
        routes = {route.prefix: route for route in routing.written(node, table.routes, table.number)}
        made.append(PlanTable(table.number, longest_first(routes.values())))
    return tuple(made)


def rules(node: Node, interfaces: list[str], mistakes: Mistakes) -> tuple[Rule, ...]:
    """The node's rules, lowest priority first; what is wrong with them is noted."""
    found = {0, *(table.number for table in node.tables)}
    seen: set[int] = set()
    for rule in node.rules:
        place = (("rule", (node.name, rule.priority)), ("node", node.name))
        what = f"rule {rule.priority} of {node.name}"
        if rule.priority in seen:
            mistakes.note(f"{node.name} has two rules of priority {rule.priority}", *place, right="renumber one")
        seen.add(rule.priority)
        if rule.table not in found:
            known = listing(["main", *(str(number) for number in sorted(found - {0}))])
            mistakes.note(f"{what} names the table {rule.table}, which it has not", *place, right=f"it has {known}")
        if rule.iif and rule.iif not in interfaces:
            right = f"it has {listing(interfaces)}"
            mistakes.note(f"{what} names the interface '{rule.iif}', which it has not", *place, right=right)
        _check_values(rule, what, mistakes, place)
    return tuple(sorted(node.rules, key=lambda rule: rule.priority))


def _check_values(rule: Rule, what: str, mistakes: Mistakes, place: tuple[tuple[str, object], ...]) -> None:
    """What a file's parser has checked already, for topologies that were made in Python."""
    if not 1 <= rule.priority <= values.PRIORITY_LIMIT:
        right = f"it is a number from 1 to {values.PRIORITY_LIMIT}"
        mistakes.note(f"{what} has the priority {rule.priority}", *place, right=right)
    if not 0 <= rule.mark <= values.MARK_LIMIT:
        mistakes.note(f"{what} has the mark {rule.mark}", *place, right=f"it is from 1 to {values.MARK_LIMIT}")
    if rule.source:
        try:
            values.prefix(rule.source, f"from of {what}")
        except NetlabError as error:
            mistakes.take(error, *place)
