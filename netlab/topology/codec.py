"""A Plan as plain data (for a log's header, a message, a digest) and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from netlab.errors import BadInput
from netlab.topology.spec import (
    Limit,
    Plan,
    PlanInterface,
    PlanLink,
    PlanNode,
    PlanRoute,
    PlanTable,
    PlanVlan,
    PlanVtep,
    PlanWay,
    PortVlan,
    RingFilter,
    Rule,
    Steer,
)


def plan_to_data(plan: Plan) -> dict[str, Any]:
    """Dicts, lists, strings and numbers only."""
    data = asdict(plan)
    return {**data, "nodes": [_lists(n) for n in data["nodes"]], "links": list(data["links"])}


def _lists(node: dict[str, Any]) -> dict[str, Any]:
    interfaces = [_interface_lists(i) for i in node["interfaces"]]
    vlans = [{**v, "addresses": list(v["addresses"])} for v in node["vlans"]]
    vteps = [{**v, "addresses": list(v["addresses"]), "remotes": list(v["remotes"])} for v in node["vteps"]]
    tables = [{**t, "routes": _route_lists(t["routes"])} for t in node["tables"]]
    lists = {"routes": _route_lists(node["routes"]), "tables": tables, "rules": list(node["rules"])}
    return {**node, "interfaces": interfaces, "vlans": vlans, "vteps": vteps, **lists}


def _interface_lists(data: dict[str, Any]) -> dict[str, Any]:
    vlan, steer, offload = data["vlan"], data["steering"], data["offload"]
    return {
        **data,
        "addresses": list(data["addresses"]),
        "offload": offload if offload is None else list(offload),
        "vlan": vlan and {**vlan, "trunk": list(vlan["trunk"])},
        "steering": steer and {**steer, "weights": list(steer["weights"]), "filters": list(steer["filters"])},
    }


def plan_from_data(data: dict[str, Any]) -> Plan:
    """The Plan again; equal to the one that `plan_to_data` was given. BadInput when it has another netlab's fields."""
    try:
        return Plan(
            data["name"],
            tuple(_node(n) for n in data["nodes"]),
            tuple(_link(link) for link in data["links"]),
            data["ipv6"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"its plan is of another form ({error})", right="run it again") from error


def _node(data: dict[str, Any]) -> PlanNode:
    interfaces = tuple(_interface(i) for i in data["interfaces"])
    tables = tuple(PlanTable(t["number"], _routes(t["routes"])) for t in data["tables"])
    rules = tuple(Rule(**r) for r in data["rules"])
    vlans = tuple(PlanVlan(**{**v, "addresses": tuple(v["addresses"])}) for v in data["vlans"])
    vteps = tuple(
        PlanVtep(**{**v, "addresses": tuple(v["addresses"]), "remotes": tuple(v["remotes"])}) for v in data["vteps"]
    )
    return PlanNode(
        data["name"], data["kind"], data["stack"], interfaces, _routes(data["routes"]), vlans, vteps, tables, rules
    )


def _routes(data: list[dict[str, Any]]) -> tuple[PlanRoute, ...]:
    return tuple(PlanRoute(**{**r, "also": tuple(PlanWay(**way) for way in r["also"])}) for r in data)


def _route_lists(routes: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    return [{**route, "also": list(route["also"])} for route in routes]


def _interface(data: dict[str, Any]) -> PlanInterface:
    vlan = data["vlan"] and PortVlan(**{**data["vlan"], "trunk": tuple(data["vlan"]["trunk"])})
    return PlanInterface(
        **{
            **data,
            "addresses": tuple(data["addresses"]),
            "vlan": vlan,
            "steering": _steer(data["steering"]),
            "offload": data["offload"] if data["offload"] is None else tuple(data["offload"]),
        }
    )


def _steer(data: dict[str, Any] | None) -> Steer | None:
    if data is None:
        return None
    filters = tuple(RingFilter(**each) for each in data["filters"])
    return Steer(**{**data, "weights": tuple(data["weights"]), "filters": filters})


def _link(data: dict[str, Any]) -> PlanLink:
    queue, mark = (Limit(**data[key]) if data.get(key) else None for key in ("queue", "mark"))
    return PlanLink(data["a"], data["b"], data["rate"], data["delay"], data["loss"], queue, mark)
