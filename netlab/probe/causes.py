"""Which packet caused which, as far as their bytes tell.

An echo reply names its request, an ARP reply its request, an ICMP error quotes the packet that it is about, and a UDP
datagram that brings back the payload of one in the other direction is its echo. Other packets have no known cause.
"""

from __future__ import annotations

ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
TAGS = (0x8100, 0x88A8)
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
ICMP_ERRORS = frozenset((3, 4, 5, 11, 12))
REMEMBERED = 16384
"""Packets are remembered for at least this many keys after them."""

Key = tuple[str, bytes]


class Causes:
    """A bounded memory of packets by what an answer to them would show."""

    def __init__(self) -> None:
        self._young: dict[Key, int] = {}
        self._old: dict[Key, int] = {}

    def note(self, frame: bytes, pkt: int) -> int:
        """Remember the packet, and give the one that caused it (0 where none is known)."""
        about, answerable = keys(frame)
        parent = self._find(about) if about is not None else 0
        for key in answerable:
            if not (parent and key[0] == "udp"):  # an echo's echo would make every later datagram its child
                self._young[key] = pkt
        if len(self._young) > REMEMBERED:
            self._old, self._young = self._young, {}
        return parent

    def _find(self, key: Key) -> int:
        return self._young.get(key) or self._old.get(key, 0)


def keys(frame: bytes) -> tuple[Key | None, list[Key]]:
    """What the frame answers, if it is an answer, and what answers to it would show. Never raises."""
    kind, at = network(frame)
    if kind == IPV4 and len(frame) >= at + 20:
        return _ipv4(frame, at)
    if kind == IPV6 and len(frame) >= at + 48:
        return _ipv6(frame, at)
    if kind == ARP and len(frame) >= at + 28:
        return _arp(frame, at)
    return None, []


def network(frame: bytes) -> tuple[int, int]:
    """The EtherType behind any tags, and where its header begins."""
    at = 12
    kind = int.from_bytes(frame[at : at + 2], "big")
    while kind in TAGS:
        at += 4
        kind = int.from_bytes(frame[at : at + 2], "big")
    return kind, at + 2


def protocol(frame: bytes) -> int:
    """The protocol over IP that the frame carries; -1 for another frame. Behind IPv6 extension headers it is theirs."""
    kind, at = network(frame)
    if kind == IPV6 and len(frame) > at + 6:
        return frame[at + 6]
    return frame[at + 9] if kind == IPV4 and len(frame) > at + 9 else -1


def maker(frame: bytes) -> str:
    """The stage that such a packet comes from."""
    if network(frame)[0] == ARP:
        return "arp.output"
    proto = protocol(frame)
    known = {ICMP: "icmp.output", TCP: "tcp.output", UDP: "udp.output", ICMPV6: "icmp6.output"}
    ip = "ip6.output" if network(frame)[0] == IPV6 else "ip.output"
    return known.get(proto, ip if proto >= 0 else "kernel")


def _arp(frame: bytes, at: int) -> tuple[Key | None, list[Key]]:
    operation, sender, target = frame[at + 7], frame[at + 14 : at + 18], frame[at + 24 : at + 28]
    if operation == 1:
        return None, [("arp", sender + target)]
    return ("arp", target + sender), []


def _ipv4(frame: bytes, at: int) -> tuple[Key | None, list[Key]]:
    start = at + (frame[at] & 15) * 4
    proto = frame[at + 9]
    quoted = [("quoted", _quoted(frame, at))]
    ends, back = frame[at + 12 : at + 20], frame[at + 16 : at + 20] + frame[at + 12 : at + 16]
    if proto == ICMP:
        kind, ident = frame[start : start + 1], frame[start + 4 : start + 8]
        if kind == b"\x08":
            return None, [("echo", ends + ident), *quoted]
        if kind == b"\0":
            return ("echo", back + ident), quoted
        if kind and kind[0] in ICMP_ERRORS:
            return ("quoted", _quoted(frame, start + 8)), []
    if proto == UDP:
        there, here = frame[start : start + 2], frame[start + 2 : start + 4]
        payload = frame[start + 8 :]
        if payload:
            return ("udp", back + here + there + payload), [("udp", ends + there + here + payload), *quoted]
    return None, quoted


def _ipv6(frame: bytes, at: int) -> tuple[Key | None, list[Key]]:
    """Of packets without extension headers; a quote in an ICMPv6 error is whole enough to be known by its ends."""
    start, proto = at + 40, frame[at + 6]
    ends, back = frame[at + 8 : at + 40], frame[at + 24 : at + 40] + frame[at + 8 : at + 24]
    there, here, payload = frame[start : start + 2], frame[start + 2 : start + 4], frame[start + 8 :]
    if proto == ICMPV6:
        kind, ident = frame[start], frame[start + 4 : start + 8]
        known: dict[int, tuple[Key | None, list[Key]]] = {
            128: (None, [("echo", ends + ident), ("quoted", ends + b"\x80" + ident)]),
            129: (("echo", back + ident), []),
            135: (None, [("nd", frame[start + 8 : start + 24])]),
            136: (("nd", frame[start + 8 : start + 24]), []),
        }
        return known.get(kind, (("quoted", _quoted6(frame, start + 8)) if kind < 128 else None, []))
    if proto == UDP and payload:
        quoted: list[Key] = [("quoted", ends + b"\x11" + there + here)]
        return ("udp", back + here + there + payload), [("udp", ends + there + here + payload), *quoted]
    return None, []


def _quoted6(frame: bytes, at: int) -> bytes:
    """What names the packet that an ICMPv6 error quotes."""
    start, proto = at + 40, frame[at + 6 : at + 7]
    name = b"\x80" + frame[start + 4 : start + 8] if proto == b"\x3a" else proto + frame[start : start + 4]
    return frame[at + 8 : at + 40] + name


def _quoted(frame: bytes, at: int) -> bytes:
    """What an ICMP error keeps of a packet and no hop changes: id, protocol, addresses, the start of the payload.

    RFC 792 has eight bytes quoted. Of UDP the checksum is left out, because a sender may leave it to its network card.
    """
    start = at + (frame[at] & 15) * 4 if len(frame) > at else at
    size = 6 if frame[at + 9 : at + 10] == b"\x11" else 8
    return frame[at + 4 : at + 6] + frame[at + 9 : at + 10] + frame[at + 12 : at + 20] + frame[start : start + size]
