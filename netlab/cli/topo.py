"""`nlab topo`: a network's file, shown, checked, or described to an editor."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from netlab.cli.args import subverb
from netlab.cli.table import print_json, table
from netlab.errors import BadTopology, NetlabError
from netlab.topology.spec import Plan, PlanInterface, PlanRoute
from netlab.units import format_rate, format_time

EXAMPLE = """nlab topo show star,5
  nlab topo show 'pair,rate=10 Mbit/s' --json
  nlab topo show star --yaml > my-network.yaml
  nlab topo check my-network.yaml
  nlab topo schema > topology.schema.json"""

NETWORK = "a name (star), with arguments (star,20), or a .yaml or .py file"


def arguments(parser: ArgumentParser) -> None:
    """The subcommands."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="show|check|schema")
    show = subverb(verbs, "show", "draw and describe a network", "nlab topo show 'pair,rate=10 Mbit/s'")
    show.add_argument("network", help=NETWORK)
    form = show.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the whole plan as JSON")
    form.add_argument("--yaml", action="store_true", help="the network as a file of your own to begin with")
    form.add_argument("--html", type=Path, metavar="FILE", help="a drawing, as one HTML file")
    check = subverb(verbs, "check", "say all that is wrong with a network (exit 2)", "nlab topo check net.yaml")
    check.add_argument("networks", nargs="+", metavar="network", help=NETWORK)
    check.add_argument("--backend", choices=["sim", "mininet"], help="also ask whether this world can open it (exit 3)")
    check.add_argument("--json", action="store_true", help="the mistakes as JSON")
    says = "a JSON schema, with which an editor checks and completes a .yaml file"
    subverb(verbs, "schema", says, "nlab topo schema > topology.schema.json")


def run(options: Namespace) -> int:
    """The exit code."""
    return {"show": _show, "check": _check, "schema": _schema}[options.what](options)


def plan_of(network: str) -> Plan:
    """The plan of a name or file."""
    from netlab.topology.load import load_topology
    from netlab.topology.resolve import resolve

    return resolve(load_topology(network))


def _schema(_: Namespace) -> int:
    from netlab.topology.schema import schema

    print_json(schema())
    return 0


# ---- show ------------------------------------------------------------------------------------------


def _show(options: Namespace) -> int:
    from netlab.topology.load import load_topology
    from netlab.topology.resolve import resolve

    topology = load_topology(options.network)
    plan = resolve(topology)
    if options.yaml:
        from netlab.topology.write import to_yaml

        print(to_yaml(topology), end="")
    elif options.html:
        from netlab.cli.kept import writing_to

        page = _page(plan)
        with writing_to(options.html) as file:
            file.write_text(page, encoding="utf-8")
        print(options.html)
    elif options.json:
        from netlab.topology.codec import plan_to_data

        print_json(plan_to_data(plan))
    else:
        print(described(plan))
    return 0


def _page(plan: Plan) -> str:
    """A drawing and the tables, as one HTML file."""
    from html import escape

    from netlab.view.path import network
    from netlab.view.render.svg import snapshot

    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(plan.name)}</title>'
    return f"{head}<body>{snapshot(network(plan))}<pre>{escape(described(plan))}</pre></body></html>\n"


def described(plan: Plan) -> str:
    """The network in words, a drawing and tables."""
    from netlab.cli.overlays import overlays_table, ports_table, vlans_table
    from netlab.cli.sketch import sketch

    drawing = sketch(plan)
    parts = [
        f"{plan.name}: {summary(plan)}",
        drawing,
        nodes_table(plan),
        ports_table(plan),
        vlans_table(plan),
        overlays_table(plan),
        links_table(plan),
        routes_table(plan),
        rules_table(plan),
    ]
    return "\n\n".join(part for part in parts if part)


def summary(plan: Plan) -> str:
    """ "3 hosts, 1 switch, 3 links"."""
    counts = [(sum(node.kind == kind for node in plan.nodes), kind) for kind in ("host", "router", "switch")]
    counts.append((len(plan.links), "link"))
    return ", ".join(f"{n} {what}{_plural(what) if n != 1 else ''}" for n, what in counts if n)


def _plural(what: str) -> str:
    return "es" if what.endswith("ch") else "s"


def nodes_table(plan: Plan) -> str:
    """Every interface of every node; what they cut, join and sum where the plan says so anywhere."""
    switched = any(i.offload is not None for i in plan.interfaces())
    rows: list[tuple[str, ...]] = []
    for node in plan.nodes:
        for i in node.interfaces:
            row = (node.name, node.kind, node.stack, i.name, " ".join(i.addresses) or "-", i.mac, i.peer)
            rows.append((*row, _offload(i)) if switched else row)
        if not node.interfaces:
            rows.append((node.name, node.kind, node.stack, *["-"] * (5 if switched else 4)))
    head = ("node", "kind", "stack", "interface", "address", "MAC", "joined to")
    return table((*head, "offload") if switched else head, rows)


def _offload(interface: PlanInterface) -> str:
    return "as the world has it" if interface.offload is None else " ".join(interface.offload) or "none"


def links_table(plan: Plan, *, every: bool = False) -> str:
    """Rate, delay, loss, queue and marking of every link that has one; of ``every`` link, or none in words."""
    limited = [link for link in plan.links if every or link.rate or link.delay or link.loss or link.queue or link.mark]
    rows = [
        (
            f"{link.a} ── {link.b}",
            format_rate(link.rate) if link.rate else "-",
            format_time(link.delay) if link.delay else "-",
            f"{link.loss * 100:g} %" if link.loss else "-",
            link.queue or "-",
            f"above {link.mark}" if link.mark else "-",
        )
        for link in limited
    ]
    return (
        table(("link", "rate", "delay", "loss", "queue", "marks"), rows) if rows else "Every link is as fast as can be."
    )


def routes_table(plan: Plan) -> str:
    """Every route by way of a neighbour; empty when there is none."""
    rows = [
        (node.name, "default" if route.prefix == "0.0.0.0/0" else route.prefix, f"via {route.ways}", _interfaces(route))
        for node in plan.nodes
        for route in node.routes
        if route.via
    ]
    return table(("node", "to", "route", "by"), rows) if rows else ""


def _interfaces(route: PlanRoute) -> str:
    return ", ".join([route.interface, *(way.interface for way in route.also)])


def rules_table(plan: Plan) -> str:
    """Every rule, and the routes of the table that it names; empty when there is none."""
    rows = []
    for node in plan.nodes:
        tables = {table.number: table for table in node.tables}
        for rule in node.rules:
            fits = [("from", rule.source), ("mark", rule.mark), ("in by", rule.iif)]
            said = ", ".join(f"{what} {value}" for what, value in fits if value) or "everything"
            routes = tables[rule.table].routes if rule.table else ()
            ways = ", ".join(f"{route.prefix} via {route.ways}" for route in routes) or "-"
            rows.append((node.name, rule.priority, said, rule.table or "main", ways))
    return table(("node", "priority", "packets", "table", "routes in it"), rows) if rows else ""


# ---- check -----------------------------------------------------------------------------------------


def _check(options: Namespace) -> int:
    mistakes: list[NetlabError] = []
    for network in options.networks:
        fine, found = _looked_at(network, options.backend)
        mistakes += found
        if not options.json:
            print("\n".join(map(str, found)) or f"{network}: fine ({fine})")
    if options.json:
        print_json([{"where": e.where, "what": e.what, "right": e.right} for e in mistakes])
    return min((mistake.exit_code for mistake in mistakes), default=0)


def _looked_at(network: str, backend: str | None) -> tuple[str, list[NetlabError]]:
    """What the network is, and what is wrong with it."""
    try:
        plan = plan_of(network)
        return summary(plan), _unfit(plan, backend) if backend else []
    except BadTopology as bad:
        return "", bad.errors
    except NetlabError as error:
        return "", [error]


def _unfit(plan: Plan, backend: str) -> list[NetlabError]:
    from netlab.errors import Unavailable
    from netlab.experiment.run import backend_named

    problems = backend_named(backend).problems(plan)
    return [Unavailable(p.said, where=f"{backend}: {p.where}") for p in problems if p.severity == "refuse"]
