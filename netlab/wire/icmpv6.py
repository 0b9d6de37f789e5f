"""ICMPv6 (RFC 4443) with neighbour discovery and its options (RFC 4861; prefix and RDNSS: RFC 4861, 8106).

The header is ICMP's, so `Header` is `icmp.Header`; what differs is the checksum, which covers a pseudo header.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

from netlab.wire import Octets
from netlab.wire.checksum import internet
from netlab.wire.icmp import Header, parse

__all__ = ["Header", "parse"]

UNREACHABLE, PACKET_TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM = 1, 2, 3, 4
ECHO_REQUEST, ECHO_REPLY = 128, 129
MLD_QUERY, MLD_REPORT, MLD_DONE, MLD2_REPORT = 130, 131, 132, 143
ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT, REDIRECT = range(133, 138)
NO_ROUTE, ADMIN_PROHIBITED, BEYOND_SCOPE, ADDRESS_UNREACHABLE, PORT_UNREACHABLE = range(5)
SOURCE_LINK, TARGET_LINK, PREFIX, REDIRECTED, MTU, RDNSS = 1, 2, 3, 4, 5, 25
"""Kinds of neighbour discovery option."""
TO_INCLUDE, TO_EXCLUDE = 3, 4
"""Kinds of record in a multicast listener report: to listen to nobody but, to everybody but (RFC 3810 §5.2.12)."""
PROTO = 58
SIZE = 8
QUOTE = 1232
"""How much of a packet an error quotes, so that it stays within the minimum MTU (RFC 4443 §2.4 c)."""
ND_HOPS = 255
"""The hop limit that neighbour discovery is sent with, and without which it must be ignored: no router passed it on."""
ROUTER, SOLICITED, OVERRIDE = 0x80000000, 0x40000000, 0x20000000
"""Flags in the ``rest`` of a neighbour advertisement."""

_HEAD = Struct("!BBHI")


def checksum_ok(data: Octets, at: int, end: int, src: int, dst: int) -> bool:
    """Whether the message from ``at`` to ``end`` between two addresses sums up."""
    return internet(data[at:end], src + dst + PROTO + end - at) == 0


def build(type: int, code: int, rest: int, payload: bytes, src: int, dst: int) -> bytes:
    """A message with its checksum."""
    start = (type << 8) + code + rest + src + dst + PROTO + SIZE + len(payload)
    return _HEAD.pack(type, code, internet(payload, start), rest) + payload


def is_error(type: int) -> bool:
    """Whether a message of this type quotes a packet (RFC 4443 §2.1)."""
    return type < 128


def echo_request(id: int, seq: int, payload: bytes, src: int, dst: int) -> bytes:
    """A ping."""
    return build(ECHO_REQUEST, 0, id << 16 | seq, payload, src, dst)


def echo_reply(id: int, seq: int, payload: bytes, src: int, dst: int) -> bytes:
    """The answer to a ping: same id, seq and payload."""
    return build(ECHO_REPLY, 0, id << 16 | seq, payload, src, dst)


def unreachable(code: int, packet: bytes, src: int, dst: int) -> bytes:
    """An error "destination unreachable" about ``packet``."""
    return build(UNREACHABLE, code, 0, packet[:QUOTE], src, dst)


def packet_too_big(mtu: int, packet: bytes, src: int, dst: int) -> bytes:
    """An error "packet too big" about ``packet``, for a next hop whose MTU is ``mtu``."""
    return build(PACKET_TOO_BIG, 0, mtu, packet[:QUOTE], src, dst)


def time_exceeded(packet: bytes, src: int, dst: int, *, code: int = 0) -> bytes:
    """An error "time exceeded" about ``packet``; code 0 for the hop limit, 1 for reassembly."""
    return build(TIME_EXCEEDED, code, 0, packet[:QUOTE], src, dst)


def parameter_problem(code: int, pointer: int, packet: bytes, src: int, dst: int) -> bytes:
    """An error about the byte of ``packet`` at ``pointer``; code 1 for an unknown next header, 2 for an option."""
    return build(PARAMETER_PROBLEM, code, pointer, packet[:QUOTE], src, dst)


def listener_report(groups: Iterable[int], src: int, dst: int, *, joined: bool = True) -> bytes:
    """A multicast listener report, version 2: "I joined (or left) these groups" (RFC 3810 §5.2).

    Goes to ff02::16 with 1 hop, behind a hop-by-hop header whose body is `ipv6.ROUTER_ALERT` (§5).
    """
    kind = TO_EXCLUDE if joined else TO_INCLUDE
    records = [bytes((kind, 0, 0, 0)) + group.to_bytes(16, "big") for group in groups]
    return build(MLD2_REPORT, 0, len(records), b"".join(records), src, dst)


# ---- neighbour discovery -------------------------------------------------------------------------


class Neighbor(NamedTuple):
    """The body of a neighbour solicitation or advertisement; ``link`` is the MAC it tells, or empty."""

    target: int
    link: bytes


def parse_neighbor(data: Octets, at: int, end: int) -> Neighbor | None:
    """The body of the solicitation or advertisement whose header is at ``at``; None when it is malformed."""
    if end - at < 24 or end > len(data):
        return None
    found = options(data, at + 24, end)
    if found is None:
        return None
    wanted = TARGET_LINK if data[at] == NEIGHBOR_ADVERTISEMENT else SOURCE_LINK
    link = next((value for kind, value in found if kind == wanted and len(value) == 6), b"")
    return Neighbor(int.from_bytes(data[at + 8 : at + 24], "big"), link)


def neighbor_solicitation(target: int, mac: bytes, src: int, dst: int) -> bytes:
    """Who has ``target``? ``mac`` is the asker's; empty while he only checks that nobody has it (RFC 4862 §5.4)."""
    body = target.to_bytes(16, "big") + (option(SOURCE_LINK, mac) if mac else b"")
    return build(NEIGHBOR_SOLICITATION, 0, 0, body, src, dst)


def neighbor_advertisement(target: int, mac: bytes, src: int, dst: int, *, flags: int = SOLICITED | OVERRIDE) -> bytes:
    """``target`` is at ``mac``; ``flags`` of ROUTER, SOLICITED, OVERRIDE."""
    return build(NEIGHBOR_ADVERTISEMENT, 0, flags, target.to_bytes(16, "big") + option(TARGET_LINK, mac), src, dst)


class Prefix(NamedTuple):
    """A prefix that a router tells; times in seconds."""

    prefix: int
    length: int
    on_link: bool = True
    autonomous: bool = True
    """Whether hosts may make addresses of it."""
    valid: int = 86400
    preferred: int = 14400


class Advertisement(NamedTuple):
    """What a router advertisement says; ``lifetime`` 0 means it is no default router."""

    hop_limit: int
    flags: int
    lifetime: int
    reachable: int
    """ms, 0 for unspecified."""
    retransmit: int
    """ms, 0 for unspecified."""
    link: bytes
    mtu: int
    """0 when the router does not say."""
    prefixes: tuple[Prefix, ...]


_TIMES = Struct("!II")
_PREFIX = Struct("!BBIII16s")


def router_solicitation(mac: bytes, src: int, dst: int) -> bytes:
    """Is there a router? ``mac`` is empty while the asker has no address yet."""
    return build(ROUTER_SOLICITATION, 0, 0, option(SOURCE_LINK, mac) if mac else b"", src, dst)


def router_advertisement(said: Advertisement, src: int, dst: int) -> bytes:
    """A router's word, with the options that its fields ask for."""
    body = _TIMES.pack(said.reachable, said.retransmit)
    body += option(SOURCE_LINK, said.link) if said.link else b""
    body += option(MTU, bytes(2) + said.mtu.to_bytes(4, "big")) if said.mtu else b""
    body += b"".join(_prefix_option(prefix) for prefix in said.prefixes)
    return build(ROUTER_ADVERTISEMENT, 0, said.hop_limit << 24 | said.flags << 16 | said.lifetime, body, src, dst)


def _prefix_option(said: Prefix) -> bytes:
    flags = said.on_link << 7 | said.autonomous << 6
    return option(
        PREFIX, _PREFIX.pack(said.length, flags, said.valid, said.preferred, 0, said.prefix.to_bytes(16, "big"))
    )


def parse_advertisement(data: Octets, at: int, end: int) -> Advertisement | None:
    """What the router advertisement whose header is at ``at`` says; None when it is malformed."""
    if end - at < 16 or end > len(data):
        return None
    found = options(data, at + 16, end)
    if found is None:
        return None
    rest = int.from_bytes(data[at + 4 : at + 8], "big")
    reachable, retransmit = _TIMES.unpack_from(data, at + 8)
    link = next((value for kind, value in found if kind == SOURCE_LINK), b"")
    mtu = next((int.from_bytes(value[2:6], "big") for kind, value in found if kind == MTU), 0)
    prefixes = tuple(_parse_prefix(value) for kind, value in found if kind == PREFIX and len(value) == 30)
    return Advertisement(rest >> 24, rest >> 16 & 0xFF, rest & 0xFFFF, reachable, retransmit, link, mtu, prefixes)


def _parse_prefix(value: bytes) -> Prefix:
    length, flags, valid, preferred, _, prefix = _PREFIX.unpack(value)
    return Prefix(int.from_bytes(prefix, "big"), length, flags & 0x80 != 0, flags & 0x40 != 0, valid, preferred)


def option(kind: int, value: bytes) -> bytes:
    """A neighbour discovery option; its length is in units of 8 bytes, so the value is padded with zeros."""
    padding = -(len(value) + 2) % 8
    return bytes((kind, (len(value) + 2 + padding) // 8)) + value + bytes(padding)


def options(data: Octets, at: int, end: int) -> list[tuple[int, bytes]] | None:
    """(kind, value) for each option from ``at`` to ``end``; None when one has length 0 or is cut short (§4.6)."""
    found: list[tuple[int, bytes]] = []
    while at < end:
        size = data[at + 1] << 3 if at + 1 < end else 0
        if size == 0 or at + size > end:
            return None
        found.append((data[at], bytes(data[at + 2 : at + size])))
        at += size
    return found
