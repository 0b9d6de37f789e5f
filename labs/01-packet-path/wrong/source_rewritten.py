"""Puts the router's own address in as the source, as if the packet began anew at each hop: no reply finds its way back.

Check: forwards
"""


def forward(packets, routes, addresses):
    """One TTL less, the checksum kept right, out by the longest matching prefix (RFC 1812 §5.2.1, RFC 1624)."""
    return [hop(packet, interface, routes, addresses) for packet, interface in packets]


def hop(packet, interface, routes, addresses):
    if packet[8] <= 1:
        return ("time-exceeded", addresses[interface])
    destination = int.from_bytes(packet[16:20], "big")
    route = longest_match(destination, routes)
    if route is None:
        return ("no-route",)
    _, _, gateway, out = route
    return ("send", out, gateway or destination, spoken_by(addresses[out], one_ttl_less(packet)))


def spoken_by(address, packet):
    old = int.from_bytes(packet[12:16], "big")
    checksum = packet[10] << 8 | packet[11]
    for shift in (16, 0):
        checksum = updated(checksum, old >> shift & 0xFFFF, address >> shift & 0xFFFF)
    return packet[:10] + checksum.to_bytes(2, "big") + address.to_bytes(4, "big") + packet[16:]


def longest_match(destination, routes):
    matching = [route for route in routes if destination >> (32 - route[1]) == route[0] >> (32 - route[1])]
    return max(matching, key=lambda route: route[1], default=None)


def one_ttl_less(packet):
    old = packet[8] << 8 | packet[9]
    new = old - 0x100
    checksum = updated(packet[10] << 8 | packet[11], old, new)
    return packet[:8] + new.to_bytes(2, "big") + checksum.to_bytes(2, "big") + packet[12:]


def updated(checksum, old, new):
    """RFC 1624 eqn 3: HC' = ~(~HC + ~m + m')."""
    total = (checksum ^ 0xFFFF) + (old ^ 0xFFFF) + new
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
