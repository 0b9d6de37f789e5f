"""The keys of a topology file: what may be written, how it is read, and what an editor is told about it.

A new key is one line here and one in `netlab.topology.yaml_file`, which makes the spec of what was read.
"""

from __future__ import annotations

from typing import Any

from netlab.topology import values
from netlab.topology.shapes import Fields, Key, ListOf, Named, Schema, Text
from netlab.units import PACKETS, RATE, SIZE, TIME

_NUMBER = r"\s*[0-9]+(\.[0-9]+)?\s*"


def _quantity(units: dict[str, int], example: str) -> Schema:
    choices = "|".join(unit.replace("/", r"\/") for unit in units)
    return {"type": "string", "pattern": f"^{_NUMBER}({choices})\\s*$", "examples": [example]}


def _text(pattern: str, *examples: str) -> Schema:
    return {"type": "string", "pattern": f"^({pattern})$", "examples": list(examples)}


_IPV4 = r"[0-9]{1,3}(\.[0-9]{1,3}){3}"
_LENGTH = r"\/[0-9]{1,2}"
_END = f"{values.NODE_NAME}(:({values.NODE_NAME}-)?{values.INTERFACE_NAME})?"


def _link_label(index: int, node: Any) -> str:
    """ "link h1-s1" where its ends can be read, else "link 3"."""
    if node.id == "mapping":
        for key, value in node.value:
            ends = value.value if key.value == "ends" and value.id == "sequence" else []
            if len(ends) == 2 and all(end.id == "scalar" for end in ends):
                return "link " + "-".join(end.value.partition(":")[0] for end in ends)
    return f"link {index + 1}"


NODE_NAME = Text(values.node_name, _text(values.NODE_NAME, "h1"))
INTERFACE_NAME = Text(values.interface_name, _text(f"({values.NODE_NAME}-)?{values.INTERFACE_NAME}", "eth0"))
KIND = Text(values.one_of("host", "router", "switch"), {"enum": ["host", "router", "switch"]})
STACK = Text(values.one_of("kernel", "netlab"), {"enum": ["kernel", "netlab"]})
QUEUES = Text(values.count(1, values.QUEUES_LIMIT), {"type": "integer", "minimum": 1, "maximum": values.QUEUES_LIMIT})

INTERFACE = Fields(
    {
        "addresses": Key(
            ListOf(Text(values.cidr, _text(_IPV4 + _LENGTH, "10.0.1.1/24"))),
            "IPv4 addresses with their prefix lengths; left out, one is chosen",
        ),
        "mac": Key(Text(values.mac, _text(values.MAC, "02:00:00:00:01:00")), "MAC address; left out, one is chosen"),
        "queues": Key(QUEUES, "how many pairs of rings the interface has; 1 when left out"),
        "mtu": Key(Text(values.mtu, _quantity(SIZE, "1500 B")), "the longest packet; 1500 B when left out"),
    }
)

ROUTE = Fields(
    {
        "prefix": Key(
            Text(values.prefix, _text(f"default|{_IPV4}{_LENGTH}", "10.0.2.0/24", "default")),
            "what is sent this way, as 10.0.2.0/24 or default",
            required=True,
        ),
        "via": Key(
            Text(values.address, _text(_IPV4, "10.0.1.254")),
            "the address of the neighbour it is sent to, as 10.0.1.254",
            required=True,
        ),
    }
)

NODE = Fields(
    {
        "kind": Key(KIND, "host, router (forwards packets) or switch (forwards frames); host when left out"),
        "stack": Key(STACK, "whose network stack it runs: kernel, or netlab for our own; kernel when left out"),
        "interfaces": Key(
            Named("interface", INTERFACE_NAME, INTERFACE), "its interfaces, by name; left out, one for each link"
        ),
        "routes": Key(ListOf(ROUTE), "routes beside those that netlab finds; one for the same prefix replaces it"),
    }
)

LINK = Fields(
    {
        "ends": Key(
            ListOf(Text(values.end, _text(_END, "h1", "h1:eth0")), length=2),
            "the two nodes it joins, as [h1, s1], or with interfaces, as ['h1:eth0', s1]",
            required=True,
        ),
        "rate": Key(
            Text(values.rate, _quantity(RATE, "10 Mbit/s")), "bits a second each way; as fast as can be when left out"
        ),
        "delay": Key(Text(values.time, _quantity(TIME, "2 ms")), "time on the way, each direction; none when left out"),
        "loss": Key(
            Text(values.loss, {"type": "string", "pattern": f"^{_NUMBER}%\\s*$", "examples": ["1 %"]}),
            "share of frames lost, each direction; none when left out",
        ),
        "queue": Key(
            Text(values.limit, _quantity({**PACKETS, **SIZE}, "100 packets")),
            "the most that waits for the link, in packets or bytes",
        ),
    }
)

TOPOLOGY = Fields(
    {
        "name": Key(Text(values.word, {"type": "string"}), "the network's name; the file's when left out"),
        "nodes": Key(Named("node", NODE_NAME, NODE), "nodes by name, as 'h1: {kind: host}'", required=True),
        "links": Key(ListOf(LINK, label=_link_label), "links, as '- {ends: [h1, s1]}'"),
    }
)
