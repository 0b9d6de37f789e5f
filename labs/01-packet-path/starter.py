"""Lab 01: the forwarding stage of a router.

Each packet begins with its IPv4 header (RFC 791 §3.1):

    byte  8       TTL
    bytes 10-11   header checksum
    bytes 16-19   destination address

Addresses are ints: 10.0.2.1 is 0x0A000201. Only this file is handed in; it may import from the standard library.
"""


def forward(packets, routes, addresses):
    """One hop for each packet, in order.

    packets     [(packet, interface it came in by), ...]
    routes      [(prefix, length, gateway, interface), ...]   gateway 0: the destination itself is the neighbour
    addresses   {interface: the router's own address on it}

    A hop is one of
        ("send", interface, next_hop, packet)   packet as it is to leave, next_hop the neighbour it goes to
        ("time-exceeded", source)               source: the router's address on the interface it came in by
        ("no-route",)
    """
    raise NotImplementedError("write the forwarding stage")
