"""ICMP errors by the names that scripts use: what each tells TCP (RFC 1122 §4.2.3.9, RFC 5927)."""

from __future__ import annotations

import re
from typing import NamedTuple

from netlab.packetdrill.script import Icmp, Refused


class Meaning(NamedTuple):
    """The errno that a message stands for ("" for none), and whether it may end a connection."""

    error: str
    hard: bool = False


SOFT = Meaning("EHOSTUNREACH")
REFUSES = Meaning("ECONNREFUSED", True)
TOO_BIG = Meaning("EMSGSIZE")
NOTHING = Meaning("")

_UNREACHABLE_4 = (
    ("net_unreachable", SOFT),
    ("host_unreachable", SOFT),
    ("protocol_unreachable", REFUSES),
    ("port_unreachable", REFUSES),
    ("frag_needed", TOO_BIG),
    ("source_route_failed", SOFT),
    ("net_unknown", SOFT),
    ("host_unknown", SOFT),
    ("source_host_isolated", SOFT),
    ("net_prohibited", REFUSES),
    ("host_prohibited", REFUSES),
    ("net_unreachable_for_tos", SOFT),
    ("host_unreachable_for_tos", SOFT),
    ("packet_filtered", REFUSES),
    ("precedence_violation", SOFT),
    ("precedence_cutoff", SOFT),
)
"""In the order of their codes (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1)."""
_UNREACHABLE_6 = (
    ("no_route", SOFT),
    ("admin_prohibited", REFUSES),
    ("not_neighbour", SOFT),
    ("address_unreachable", SOFT),
    ("port_unreachable", REFUSES),
)
"""In the order of their codes (RFC 4443 §3.1)."""
_OTHER_NAMES = {
    "proto_unreachable": REFUSES,
    "communication_prohibited": REFUSES,
    "comm_prohibited": REFUSES,
    "tos_net_unreachable": SOFT,
    "tos_host_unreachable": SOFT,
    "addr_unreachable": SOFT,
}
_EXPIRED = Meaning("EHOSTUNREACH", True)
_TIME_EXCEEDED = {
    "": _EXPIRED,
    "ttl_exceeded_in_transit": _EXPIRED,
    "exceeded_hop_limit": _EXPIRED,
    "exc_ttl": _EXPIRED,
    "exc_hoplimit": _EXPIRED,
    "frag_reass_exceeded": SOFT,
    "exceeded_frag_time": SOFT,
    "exc_fragtime": SOFT,
    "fragment_reassembly_time_exceeded": SOFT,
}
_TYPES = {
    4: {3: "unreachable", 4: "source_quench", 5: "redirect", 11: "time_exceeded", 12: "parameter_problem"},
    6: {1: "unreachable", 2: "packet_too_big", 3: "time_exceeded", 4: "parameter_problem"},
}
_SILENT = (
    "source_quench",  # RFC 6633: to be ignored
    "redirect",
    "echo_request",
    "echo_reply",
    "timestamp_request",
    "timestamp_reply",
    "information_request",
    "information_reply",
    "address_mask_request",
    "address_mask_reply",
)


def meaning(message: Icmp, version: int) -> Meaning:
    """What the message tells TCP; Refused for a name that stands for no message."""
    kind = _type(message.type, version)
    if kind == "unreachable":
        return _unreachable(message, version)
    if kind == "packet_too_big":
        return TOO_BIG
    if kind == "time_exceeded":
        found = _TIME_EXCEEDED.get(_numbered(message.code, ("", "frag_reass_exceeded")))
        return found or _unknown(message)
    if kind == "parameter_problem":
        return SOFT
    return NOTHING if kind in _SILENT else _unknown(message)


def _type(name: str, version: int) -> str:
    number = re.fullmatch(r"type_(\d+)", name)
    return _TYPES[version].get(int(number[1]), "echo_request") if number else name


def _unreachable(message: Icmp, version: int) -> Meaning:
    codes = _UNREACHABLE_4 if version == 4 else _UNREACHABLE_6
    names = dict(_UNREACHABLE_4 + _UNREACHABLE_6) | _OTHER_NAMES
    code = _numbered(message.code, tuple(name for name, _ in codes)) or codes[0][0]
    return names.get(code) or _unknown(message)


def _numbered(code: str, names: tuple[str, ...]) -> str:
    """``code_3`` as the name that it has; any other code as it is."""
    number = re.fullmatch(r"code_(\d+)", code)
    if number is None:
        return code
    return names[int(number[1])] if int(number[1]) < len(names) else names[0]


def _unknown(message: Icmp) -> Meaning:
    raise Refused(f"ICMP {message.type} {message.code}".strip())
