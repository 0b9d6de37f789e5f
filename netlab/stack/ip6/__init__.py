"""IPv6: a host's state, its stages, neighbour discovery, and what routers advertise (RFC 8200, 4443, 4861, 4862)."""
