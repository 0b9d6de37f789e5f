"""What a frame belongs to: its packet (`flow_key`, the same at every hop) and its flow (`five_tuple`, `flow_hash`)."""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from netlab.wire import Octets, ethernet, ipv4, ipv6
from netlab.wire.dissect import Layer, layers

_V4 = Struct("!BIIBHH")
_CHECKSUM_AT = {ipv4.TCP: 16, ipv4.UDP: 6, ipv4.ICMPV6: 2}
"""Where a transport header holds its checksum."""


def flow_key(frame: Octets, link: str = "ethernet") -> bytes:
    """The same bytes for the same packet at any hop, and other bytes for another packet.

    What a hop may change is left out: the link's header, VLAN tags, padding, TTL, DSCP and ECN, IP checksum and
    options. So is the transport checksum: it follows from the rest, and a sender that leaves it to its device shows
    it undone. An ARP packet's key is its bytes; equal packets (an ARP request that is repeated, say) have equal keys.
    """
    found = layers(frame, link)
    for name, header, at in found:
        if name == "ipv4":
            return _ipv4_key(frame, header, at)
        if name == "ipv6":
            return _ipv6_key(frame, header, at)
        if name == "arp":
            return bytes(frame[at : at + header.size])
    return _other_key(frame, found)


def _ipv4_key(frame: Octets, header: ipv4.Header, at: int) -> bytes:
    end = at + header.length
    start = at + header.size
    payload = _without_checksum(frame, start, end, header.proto) if not header.offset else frame[start:end]
    fixed = _V4.pack(4, header.src, header.dst, header.proto, header.id, header.fragment & 0x3FFF)
    return fixed + blake2b(payload, digest_size=8).digest()


def _ipv6_key(frame: Octets, header: ipv6.Header, at: int) -> bytes:
    """The addresses, and all that follows the fixed header except the transport checksum."""
    end = at + ipv6.SIZE + header.length
    upper = ipv6.upper(frame, at)
    payload = frame[at + ipv6.SIZE : end]
    if upper is not None and not (upper.fragment and upper.fragment.offset):
        payload = bytes(frame[at + ipv6.SIZE : upper.at]) + _without_checksum(frame, upper.at, end, upper.proto)
    fixed = bytes((6,)) + header.src.to_bytes(16, "big") + header.dst.to_bytes(16, "big")
    return fixed + blake2b(payload, digest_size=8).digest()


def _without_checksum(frame: Octets, start: int, end: int, proto: int) -> bytes:
    hole = _CHECKSUM_AT.get(proto)
    if hole is None:
        return bytes(frame[start:end])
    return bytes(frame[start : start + hole]) + bytes(frame[start + hole + 2 : end])


def _other_key(frame: Octets, found: list[Layer]) -> bytes:
    """The EtherType and the payload, less the zeros that may be padding; all bytes of what is no frame."""
    last, header, _ = found[-1] if found else ("", b"", 0)
    if last != "payload" or found[0][0] != "ethernet":
        return blake2b(frame, digest_size=8).digest()
    kind: int = found[0][1].type if found[0][1].type >= ethernet.LENGTH_LIMIT else 0
    return kind.to_bytes(2, "big") + blake2b(bytes(header).rstrip(b"\0"), digest_size=8).digest()


class FiveTuple(NamedTuple):
    """Who talks to whom; ports are 0 where the protocol has none, and in fragments."""

    src: int
    dst: int
    proto: int
    src_port: int
    dst_port: int


def five_tuple(frame: Octets, link: str = "ethernet") -> FiveTuple | None:
    """The outermost IP packet's flow; None when there is none.

    Every fragment of a packet, the first one too, is without ports: so all of them are of one flow.
    """
    ip: ipv4.Header | ipv6.Header | None = None
    proto, whole = 0, True
    for name, header, _ in layers(frame, link):
        if name in ("udp", "tcp") and ip is not None and whole:
            return FiveTuple(ip.src, ip.dst, proto, header.src, header.dst)
        if name in ("ipv4", "ipv6"):
            if ip is not None:
                break
            ip, proto, whole = header, header.proto, name == "ipv6" or not header.is_fragment
        elif name in ("ipv6.extension", "ipv6.fragment"):
            proto, whole = header.proto, whole and name != "ipv6.fragment"
    return None if ip is None else FiveTuple(ip.src, ip.dst, proto, 0, 0)


def flow_hash(frame: Octets, link: str = "ethernet") -> int:
    """32 bits that are the same for all packets of a flow, in every process; by MAC addresses and type without IP."""
    flow = five_tuple(frame, link)
    said = bytes(frame[:14]) if flow is None else repr(tuple(flow)).encode()
    return int.from_bytes(blake2b(said, digest_size=4).digest(), "big")
