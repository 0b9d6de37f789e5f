"""Packet specifications: ``< S 0:0(0) win 1000 <mss 1460,nop,wscale 7>``, ICMP errors and UDP."""

from __future__ import annotations

from netlab.packetdrill.around import Around, Quoted, around, ports, quoted, sequence, tunnel
from netlab.packetdrill.reader import Reader
from netlab.packetdrill.script import BadScript, Datagram, Icmp, Packet, Refused
from netlab.packetdrill.tcpoptions import options
from netlab.wire import tcp

FLAGS = {
    "F": tcp.FIN,
    "S": tcp.SYN,
    "R": tcp.RST,
    "P": tcp.PSH,
    ".": tcp.ACK,
    "U": tcp.URG,
    "E": tcp.ECE,
    "W": tcp.CWR,
    "C": tcp.CWR,
    "A": tcp.AE,
}
FLAGS |= {str(n): bool(n & 4) * tcp.AE | bool(n & 2) * tcp.CWR | bool(n & 1) * tcp.ECE for n in range(8)}
"""A digit is AccECN's counter in the three bits AE, CWR and ECE."""
REFUSED = {
    "sctp": "SCTP",
    "udplite": "UDP-Lite",
    "gre": "GRE encapsulation",
    "GREv0": "GRE encapsulation",
    "mpls": "MPLS encapsulation",
    "ipv4": "IPv4 encapsulation",
    "ipv6": "IPv6 encapsulation",
    "vxlan": "VXLAN encapsulation",
    "psp": "PSP",
}


def packet(reader: Reader) -> Packet | Icmp | Datagram:
    """What follows a time and begins with "<" or ">"."""
    inbound = reader.take().text == "<"
    fields = around(reader)
    word = reader.peek().text
    if word in REFUSED:
        raise Refused(REFUSED[word], reader.line)
    if word == "icmp":
        return _icmp(reader, inbound, fields.quoted)
    if word == "udp":
        return _datagram(reader, inbound)
    return _tcp(reader, inbound, fields)


def _tcp(reader: Reader, inbound: bool, fields: Around) -> Packet:
    where = ports(reader) if reader.peek().kind == "integer" and reader.peek(1).text == ">" else None
    flags = _flags(reader)
    seq = sequence(reader)
    ack = reader.integer("an acknowledgement number") if reader.accept("ack") else None
    window = reader.integer("a window") if reader.accept("win") else None
    urgent = reader.integer("an urgent pointer") if reader.accept("urg") else 0
    said = options(reader)
    if reader.sees("["):
        raise Refused("payload that is spelled out", reader.line)
    if inbound and (said.options is None or seq.any or said.any_stamp):
        raise BadScript(reader.line, "'...' is for packets that leave: one that comes must say what it holds")
    return Packet(
        inbound,
        flags,
        seq.start,
        seq.size,
        ack,
        window,
        said.options,
        fields.ecn,
        fields.tos,
        fields.ttl,
        urgent,
        tunnel(reader),
        where,
        fields.dscp,
        fields.flow_label,
        seq.absolute,
        seq.any,
        said.any_stamp,
        said.raw_echo,
    )


def _flags(reader: Reader) -> int:
    """``S``, ``P.``, ``-`` for none; ``S.5`` and ``SAEW.`` speak of AccECN."""
    text = ""
    while reader.peek().kind in ("word", "float") or reader.peek().text in (".", "-"):
        if reader.peek().kind == "word" and text:
            break
        text += reader.take().text
    if text == "-":
        return 0
    if not text or any(letter not in FLAGS for letter in text):
        raise BadScript(reader.line, f"'{text or reader.peek().text}' are no TCP flags; flags are FSRP.UEWCA-")
    flags = 0
    for letter in text:
        flags |= FLAGS[letter]
    return flags


# ---- the others ----------------------------------------------------------------------------------


def _icmp(reader: Reader, inbound: bool, before: Quoted | None) -> Icmp:
    """``icmp TYPE CODE mtu N [1:1461(1460)]``; older scripts have the quoted segment in front."""
    reader.take()
    kind = reader.take().text
    code = reader.take().text if reader.peek().kind == "word" and not reader.sees("mtu") else ""
    mtu = reader.integer("an MTU") if reader.accept("mtu") else 0
    if reader.accept("id"):
        reader.integer("an identifier")
    said = before
    if reader.accept("["):
        said = quoted(reader)
        reader.expect("]")
    if not inbound:
        raise Refused("an ICMP message that must leave", reader.line)
    # Where nothing is said, the quoted segment begins with the first number of all.
    said = said or Quoted()
    if said.protocol != "tcp":
        raise Refused(f"an ICMP error about {said.protocol.upper()}", reader.line)
    return Icmp(inbound, kind, code, said.seq, mtu, said.udp)


def _datagram(reader: Reader, inbound: bool) -> Datagram:
    reader.take()
    if reader.peek().kind == "integer":
        ports(reader)
    reader.expect("(")
    size = reader.integer("a length")
    reader.expect(")")
    return Datagram(inbound, size)
