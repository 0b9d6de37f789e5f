"""The keys of a topology file: what may be written, how it is read, and what an editor is told about it.

A new key is one line here and one in `netlab.topology.yaml_file`, which makes the spec of what was read.
"""

from __future__ import annotations

from typing import Any, get_args

from netlab.topology import values
from netlab.topology.shapes import Fields, Key, ListOf, Named, Schema, Text
from netlab.topology.spec import Offload
from netlab.units import PACKETS, RATE, SIZE, TIME

_NUMBER = r"\s*[0-9]+(\.[0-9]+)?\s*"


def _quantity(units: dict[str, int], example: str) -> Schema:
    choices = "|".join(unit.replace("/", r"\/") for unit in units)
    return {"type": "string", "pattern": f"^{_NUMBER}({choices})\\s*$", "examples": [example]}


def _text(pattern: str, *examples: str) -> Schema:
    return {"type": "string", "pattern": f"^({pattern})$", "examples": list(examples)}


_IPV4 = r"[0-9]{1,3}(\.[0-9]{1,3}){3}"
_IPV6 = r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*"
_LENGTH = r"\/[0-9]{1,3}"
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

TAG = Text(values.one_of("802.1Q", "802.1ad"), {"enum": ["802.1Q", "802.1ad"]})
VID = Text(values.count(1, values.VID_LIMIT), {"type": "integer", "minimum": 1, "maximum": values.VID_LIMIT})

PORT_VLAN = Fields(
    {
        "access": Key(VID, "the one VLAN that it belongs to; its frames are untagged"),
        "trunk": Key(ListOf(VID), "the VLANs that it carries, each frame with a tag, as [10, 20]"),
        "native": Key(VID, "the VLAN of a trunk that is not tagged; none when left out"),
        "qinq": Key(VID, "the service VLAN that whatever comes in travels in, tags and all"),
        "tag": Key(TAG, "the kind of a trunk's tags: 802.1Q, or 802.1ad for a provider's; 802.1Q when left out"),
    }
)

ADDRESSES = Key(
    ListOf(Text(values.cidr, _text(f"({_IPV4}|{_IPV6}){_LENGTH}", "10.0.1.1/24", "fd00:1::1/64"))),
    "IPv4 addresses with their prefix lengths; left out, one is chosen",
)

_PORT = Text(values.count(1, 65535), {"type": "integer", "minimum": 1, "maximum": 65535})
_RING = {"type": "integer", "minimum": 0, "maximum": values.QUEUES_LIMIT - 1}

RING_FILTER = Fields(
    {
        "ring": Key(Text(values.count(0, values.QUEUES_LIMIT - 1), _RING), "the ring that they go to", required=True),
        "priority": Key(
            Text(values.count(0, 9999), {"type": "integer", "minimum": 0, "maximum": 9999}),
            "its place among the filters: of those that fit, the lowest decides; 0 when left out",
        ),
        "src": Key(Text(values.address, _text(_IPV4, "10.0.1.1")), "packets from this address; any when left out"),
        "dst": Key(Text(values.address, _text(_IPV4, "10.0.1.1")), "packets to this address; any when left out"),
        "proto": Key(Text(values.one_of("tcp", "udp", "icmp"), {"enum": ["tcp", "udp", "icmp"]}), "any when left out"),
        "src_port": Key(_PORT, "packets from this port; any when left out"),
        "dst_port": Key(_PORT, "packets to this port; any when left out"),
    }
)

STEERING = Fields(
    {
        "key": Key(
            Text(values.one_of("microsoft", "symmetric"), {"enum": ["microsoft", "symmetric"]}),
            "the hash's key: microsoft, or symmetric for one ring both ways; microsoft when left out",
        ),
        "spread": Key(
            Text(values.one_of("hash", "spray"), {"enum": ["hash", "spray"]}),
            "hash keeps a flow on a ring, spray gives each packet another; hash when left out",
        ),
        "weights": Key(
            ListOf(Text(values.count(0, 128), {"type": "integer", "minimum": 0, "maximum": 128})),
            "each ring's share of the hashes, as [2, 1, 1, 0]; all the same when left out",
        ),
        "filters": Key(ListOf(RING_FILTER), "flows that go to a ring of their own, as '- {ring: 3, dst_port: 80}'"),
    }
)

_OFFLOADS = get_args(Offload)
OFFLOAD = ListOf(Text(values.one_of(*_OFFLOADS), {"enum": list(_OFFLOADS)}))

INTERFACE = Fields(
    {
        "addresses": ADDRESSES,
        "mac": Key(Text(values.mac, _text(values.MAC, "02:00:00:00:01:00")), "MAC address; left out, one is chosen"),
        "queues": Key(QUEUES, "how many pairs of rings the interface has; 1 when left out"),
        "mtu": Key(Text(values.mtu, _quantity(SIZE, "1500 B")), "the longest packet; 1500 B when left out"),
        "steering": Key(STEERING, "how packets are spread over its rings; by a hash of their flow when left out"),
        "offload": Key(
            OFFLOAD, "what it cuts, joins and sums, as [tso, gro]; [] for nothing; its node's when left out"
        ),
        "vlan": Key(PORT_VLAN, "on a switch, its part in VLANs: {access: 10}, {trunk: [10, 20]} or {qinq: 100}"),
    }
)

VLAN = Fields(
    {
        "parent": Key(
            INTERFACE_NAME, "the interface that it lies on, as eth0, or another VLAN's, as v100", required=True
        ),
        "id": Key(VID, "the VLAN, 1 to 4094, in the tag of its frames", required=True),
        "tag": Key(TAG, "the kind of its tag: 802.1Q, or 802.1ad; 802.1Q when left out"),
        "pcp": Key(
            Text(values.count(0, 7), {"type": "integer", "minimum": 0, "maximum": 7}),
            "the priority code point of what it sends; 0 when left out",
        ),
        "addresses": ADDRESSES,
        "mtu": Key(Text(values.mtu, _quantity(SIZE, "1500 B")), "the longest packet; as much as fits when left out"),
    }
)

OVERLAY = Fields(
    {
        "vni": Key(
            Text(values.count(1, values.VNI_LIMIT), {"type": "integer", "minimum": 1, "maximum": values.VNI_LIMIT}),
            "the VXLAN's number, 1 to 16777215",
            required=True,
        ),
        "members": Key(ListOf(NODE_NAME), "the nodes that it joins, as [h1, h3]", required=True),
        "port": Key(
            Text(values.count(1, 65535), {"type": "integer", "minimum": 1, "maximum": 65535}),
            "the UDP port of its tunnels: 4789 when left out, 8472 was Linux's",
        ),
        "network": Key(
            Text(values.network, _text(_IPV4 + _LENGTH, "192.168.42.0/24")),
            "the subnet of the addresses in it; one is chosen when left out",
        ),
        "underlay": Key(
            Text(values.one_of("ipv4", "ipv6"), {"enum": ["ipv4", "ipv6"]}),
            "what its tunnels go over: ipv4 or ipv6; ipv4 when left out",
        ),
        "vlan": Key(VID, "the VLAN that it is a part of on switches that have VLANs; 1 when left out"),
    }
)


WEIGHT = Key(
    Text(values.count(1, values.WEIGHT_LIMIT), {"type": "integer", "minimum": 1, "maximum": values.WEIGHT_LIMIT}),
    "how many flows go this way, beside the weights of the other ways; 1 when left out",
)

WAY = Fields(
    {
        "via": Key(
            Text(values.address, _text(_IPV4, "10.0.2.254")),
            "the address of the neighbour that flows are sent to, as 10.0.2.254",
            required=True,
        ),
        "weight": WEIGHT,
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
        "weight": WEIGHT,
        "also": Key(ListOf(WAY), "equal ways beside it (ECMP), as '- {via: 10.0.2.254}'; a flow keeps to one"),
    }
)

_TABLE = r"main|[1-9][0-9]{0,4}"

RULE = Fields(
    {
        "priority": Key(
            Text(
                values.count(1, values.PRIORITY_LIMIT),
                {"type": "integer", "minimum": 1, "maximum": values.PRIORITY_LIMIT},
            ),
            "its place among the rules: of those that fit, the lowest decides",
            required=True,
        ),
        "table": Key(
            Text(values.table, {"anyOf": [{"const": "main"}, {"type": "integer", "minimum": 1, "maximum": 65535}]}),
            "the table that it sends packets to: a number of tables, or main",
            required=True,
        ),
        "from": Key(
            Text(values.prefix, _text(f"default|{_IPV4}{_LENGTH}", "10.0.1.0/24")),
            "packets with such a source address; any when left out",
        ),
        "mark": Key(
            Text(values.count(1, values.MARK_LIMIT), {"type": "integer", "minimum": 1, "maximum": values.MARK_LIMIT}),
            "packets with this mark (fwmark); any when left out",
        ),
        "iif": Key(INTERFACE_NAME, "packets that came in by this interface; any when left out"),
    }
)

NODE = Fields(
    {
        "kind": Key(KIND, "host, router (forwards packets) or switch (forwards frames); host when left out"),
        "offload": Key(
            OFFLOAD, "what its interfaces cut, join and sum: of rxcsum, txcsum, tso, uso, lro, gso, gro; [] for nothing"
        ),
        "stack": Key(STACK, "whose network stack it runs: kernel, or netlab for our own; kernel when left out"),
        "interfaces": Key(
            Named("interface", INTERFACE_NAME, INTERFACE), "its interfaces, by name; left out, one for each link"
        ),
        "vlans": Key(
            Named("vlan", INTERFACE_NAME, VLAN),
            "on a host or router, its VLAN interfaces, as 'v10: {parent: eth0, id: 10}'",
        ),
        "routes": Key(ListOf(ROUTE), "routes beside those that netlab finds; one for the same prefix replaces it"),
        "tables": Key(
            Named("table", Text(values.table, _text(_TABLE, "100")), ListOf(ROUTE)),
            "tables of routes beside the main one, as '100: [{prefix: default, via: 10.0.1.254}]'; see rules",
        ),
        "rules": Key(
            ListOf(RULE), "what chooses a table for a packet, as '- {priority: 10, from: 10.0.1.0/24, table: 100}'"
        ),
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
        "mark": Key(
            Text(values.limit, _quantity({**PACKETS, **SIZE}, "20 packets")),
            "what waits before ECN-capable packets are marked (DCTCP's K), in packets or bytes; no marks when left out",
        ),
    }
)

TOPOLOGY = Fields(
    {
        "name": Key(Text(values.word, {"type": "string"}), "the network's name; the file's when left out"),
        "nodes": Key(Named("node", NODE_NAME, NODE), "nodes by name, as 'h1: {kind: host}'", required=True),
        "links": Key(ListOf(LINK, label=_link_label), "links, as '- {ends: [h1, s1]}'"),
        "ipv6": Key(
            Text(values.ipv6, {"enum": [True, False, "static", "slaac"]}),
            "true gives every interface an IPv6 address too; slaac has hosts make theirs of what routers advertise",
        ),
        "overlays": Key(
            Named("overlay", INTERFACE_NAME, OVERLAY), "VXLANs over the links, as 'blue: {vni: 42, members: [h1, h3]}'"
        ),
    }
)
