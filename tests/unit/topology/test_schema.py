"""The schema that editors get and the loader that reads are one table; here they judge the same texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from netlab.errors import BadTopology
from netlab.topology.keys import TOPOLOGY
from netlab.topology.load import load_topology
from netlab.topology.schema import schema

jsonschema = pytest.importorskip("jsonschema", reason="uv pip install jsonschema makes this run")

GOOD = [
    "nodes: {h1: , h2: {kind: host}}\nlinks: [{ends: [h1, h2]}]\n",
    "name: x\nnodes: {h1: {stack: netlab}, s1: {kind: switch}}\n"
    "links: [{ends: ['h1:eth0', s1], rate: 1.5 Mbit/s, delay: 2 ms, loss: 5 %, queue: 9 packets, mark: 5 packets}]\n",
    "nodes: {h1: {interfaces: {eth0: {addresses: [10.0.1.1/24], queues: 4, mtu: 9000 B}},"
    " routes: [{prefix: default, via: 10.0.1.2}]}, r1: {kind: router}}\nlinks: [{ends: [h1, r1]}]\n",
    "nodes: {h1: {vlans: {v10: {parent: eth0, id: 10, tag: 802.1ad, pcp: 5, mtu: 1400 B}}}, h2: ,"
    " s1: {kind: switch, interfaces: {eth1: {vlan: {trunk: [10, 20], native: 1}}, eth2: {vlan: {qinq: 7}}}}}\n"
    "links: [{ends: [h1, s1]}, {ends: [h2, s1]}]\n",
    "nodes: {h1: , h2: }\nlinks: [{ends: [h1, h2]}]\n"
    "overlays: {blue: {vni: 42, members: [h1, h2], port: 8472, network: 192.168.42.0/24}}\n",
]
GOOD += [
    "nodes: {h1: {routes: [{prefix: default, via: 10.0.1.2, weight: 2, also: [{via: 10.0.1.3, weight: 4}]}]}, h2: }\n"
    "links: [{ends: [h1, h2]}]\n",
    "nodes: {h1: {tables: {100: [{prefix: default, via: 10.0.1.2}], 7: []},"
    " rules: [{priority: 5, from: 10.0.0.0/8, mark: 7, iif: eth0, table: 100}, {priority: 6, table: main}]}, h2: }\n"
    "links: [{ends: ['h1:eth0', h2]}]\n",
    "nodes: {h1: {interfaces: {eth0: {queues: 2, steering: {key: symmetric, spread: spray, weights: [1, 0],"
    " filters: [{ring: 1, priority: 2, src: 10.0.1.1, proto: udp, src_port: 9}]}}}}, h2: }\n"
    "links: [{ends: [h1, h2]}]\n",
]
BAD = [
    "nodes: {h1: {routes: [{prefix: default, via: 10.0.1.2, also: [{weight: 4}]}]}}\n",
    "nodes: {h1: {rules: [{priority: 0, table: main}]}}\n",
    "nodes: {h1: {rules: [{priority: 5, table: other}]}}\n",
    "nodes: {h1: {rules: [{table: main}]}}\n",
    "nodes: {h1: {tables: {x: []}}}\n",
    "nodes: {h1: {interfaces: {eth0: {queues: 2, steering: {spread: butter}}}}}\n",
    "nodes: {h1: {interfaces: {eth0: {queues: 2, steering: {filters: [{priority: 2}]}}}}}\n",
    "nodes: [h1]\n",
    "links: []\n",
    "nodes: {h1: {kind: hub}}\n",
    "nodes: {h1: {colour: red}}\n",
    "nodes: {h-1: }\n",
    "nodes: {h1: {interfaces: {eth0: {queues: 0}}}}\n",
    "nodes: {h1: , h2: }\nlinks: [{ends: [h1]}]\n",
    "nodes: {h1: , h2: }\nlinks: [{ends: [h1, h2], rate: 10 Mbit}]\n",
    "nodes: {h1: , h2: }\nlinks: [{ends: [h1, h2], delay: 2}]\n",
    "nodes: {h1: , h2: }\nlinks: [{rate: 1 Mbit/s}]\n",
    "nodes: {h1: {routes: [{prefix: default}]}}\n",
    "nodes: {h1: {vlans: {v10: {parent: eth0}}}, h2: }\nlinks: [{ends: [h1, h2]}]\n",
    "nodes: {h1: {vlans: {v10: {parent: eth0, id: 4095}}}, h2: }\nlinks: [{ends: [h1, h2]}]\n",
    "nodes: {h1: , h2: }\nlinks: [{ends: [h1, h2]}]\noverlays: {blue: {vni: 16777216, members: [h1, h2]}}\n",
]


def accepted_by_schema(text: str) -> bool:
    as_json = json.loads(json.dumps(yaml.safe_load(text)))  # whose keys are text, a table's number too
    return bool(jsonschema.Draft202012Validator(schema()).is_valid(as_json))


def accepted_by_loader(folder: Path, text: str) -> bool:
    path = folder / "x.yaml"
    path.write_text(text)
    try:
        load_topology(path)
    except BadTopology:
        return False
    return True


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert json.loads(json.dumps(schema())) == schema()


@pytest.mark.parametrize("text", GOOD)
def test_what_one_takes_the_other_takes(tmp_path: Path, text: str) -> None:
    assert accepted_by_loader(tmp_path, text)
    assert accepted_by_schema(text)


@pytest.mark.parametrize("text", BAD)
def test_what_one_refuses_the_other_refuses(tmp_path: Path, text: str) -> None:
    assert not accepted_by_loader(tmp_path, text)
    assert not accepted_by_schema(text)


def every_key(shape: dict[str, Any]) -> list[dict[str, Any]]:
    children = [*shape.get("properties", {}).values()]
    children += [shape[key] for key in ("items", "additionalProperties") if isinstance(shape.get(key), dict)]
    return [*shape.get("properties", {}).values(), *(found for child in children for found in every_key(child))]


def test_every_key_is_explained_and_every_example_is_accepted_by_its_own_pattern() -> None:
    keys = every_key(TOPOLOGY.schema())
    assert len(keys) > 15
    for key in keys:
        assert key["description"]
        for example in key.get("examples", []):
            jsonschema.validate(example, key)
