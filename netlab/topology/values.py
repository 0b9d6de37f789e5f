"""The values that a topology is written with: names, addresses, quantities. Each parser takes the text and its name.

A parser raises BadInput with what is wrong and what would be right; the caller knows where it stood.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, IPv4Network, IPv6Interface, NetmaskValueError
from typing import Any

from netlab.errors import BadInput
from netlab.topology.spec import NAME_LIMIT, End, Limit
from netlab.topology.words import listing, nearest
from netlab.units import PACKETS, SIZE, parse, parse_rate, parse_size, parse_time

NODE_NAME = r"[A-Za-z][A-Za-z0-9_]*"
INTERFACE_NAME = r"[A-Za-z][A-Za-z0-9_.]*"
MAC = r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}"
TAKEN = ("lo", "all", "default")
"""Names that Linux gives a meaning of its own among interfaces."""
MTU_RANGE = (68, 65535)
"""RFC 791 §3.2: every network carries 68 bytes; an IPv4 packet has at most 65,535."""
QUEUES_LIMIT = 64
TABLES_LIMIT = 65535
"""As many as FreeBSD allows (RT_MAXFIBS); Linux would take more."""
KERNEL_TABLES = (253, 254, 255)
"""default, main and local: Linux fills them itself."""
PRIORITY_LIMIT = 32765
"""Linux has a rule for its main table at 32,766, behind all others."""
MARK_LIMIT = 999_999_999
WEIGHT_LIMIT = 256
"""Linux keeps the weight of a next hop in a byte, less one."""
VID_LIMIT = 4094
"""0 is for tags with a priority alone, 4095 is reserved (IEEE 802.1Q-2018 table 9-2)."""
VNI_LIMIT = 2**24 - 1


def node_name(text: str, what: str) -> str:
    """A node's name: letters, digits and _; a dash would be mistaken for the one in "h1-eth0"."""
    if not re.fullmatch(NODE_NAME, text) or text in TAKEN:
        raise BadInput(f"{what} '{text}' cannot be used", right="a name is a letter, then letters, digits or _")
    return text


def interface_name(text: str, what: str) -> str:
    """The part of an interface's name behind its node ("eth0"); the full form "h1-eth0" is taken too."""
    if not re.fullmatch(f"({NODE_NAME}-)?{INTERFACE_NAME}", text):
        raise BadInput(f"{what} '{text}' cannot be used", right="write the part behind the node's name, as eth0")
    return text


def plain_name(node: str, interface: str) -> str:
    """The name that people use: "h1-eth0" for "eth0" of h1 (and for "h1-eth0" itself)."""
    return interface if interface.startswith(f"{node}-") else f"{node}-{interface}"


def end(text: str, what: str) -> End:
    """One end of a link: "h1", or "h1:eth0" with its interface."""
    node, colon, interface = text.partition(":")
    if colon and not interface:
        raise BadInput(f"{what} has '{text}'", right=f"write {node}, or its interface too, as {node}:eth0")
    return End(node_name(node, f"{what}: the name"), interface_name(interface, what) if colon else "")


def one_of(*words: str) -> Callable[[str, str], str]:
    """A parser for one of a few words."""

    def parse_word(text: str, what: str) -> str:
        if text not in words:
            raise BadInput(f"{what} is '{text}'", right=nearest(text, words, "it may be"))
        return text

    return parse_word


def count(low: int, high: int) -> Callable[[str, str], int]:
    """A parser for a bare number within bounds."""

    def parse_count(text: str, what: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise BadInput(f"{what} is '{text}'", right=f"it is a number from {low} to {high}")
        return int(text)

    return parse_count


def word(text: str, what: str) -> str:
    """Any text but none."""
    if not text.strip():
        raise BadInput(f"{what} is empty", right="write one word or leave the key out")
    return text


def time(text: str, what: str) -> int:
    """Nanoseconds from "2 ms"."""
    return parse_time(text, what)


def rate(text: str, what: str) -> int:
    """Bits a second from "10 Mbit/s"; a rate of 0 would let nothing through."""
    bits = parse_rate(text, what)
    if bits < 1:
        raise BadInput(f"{what} '{text}' lets nothing through", right="leave it out for a link without a limit")
    return bits


def mtu(text: str, what: str) -> int:
    """Bytes from "1500 B", within what IPv4 allows."""
    octets = parse_size(text, what)
    low, high = MTU_RANGE
    if not low <= octets <= high:
        raise BadInput(f"{what} '{text}' is out of range", right=f"it is from {low} B to {high} B")
    return octets


def loss(text: str, what: str) -> float:
    """A probability from "1 %"."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*", text)
    if match is None:
        raise BadInput(f"{what} '{text}' is not a share in per cent", right="write it as 1 %")
    percent = float(match.group(1))
    if percent > 100:
        raise BadInput(f"{what} '{text}' is more than everything", right="it is from 0 % to 100 %")
    return percent / 100


def limit(text: str, what: str) -> Limit:
    """A queue's length from "100 packets" or "64 kB"."""
    number = parse(text, {**PACKETS, **SIZE}, what)
    if number < 1:
        raise BadInput(f"{what} '{text}' holds nothing", right="it holds at least 1 packet")
    return Limit(number, "packets" if text.rstrip().endswith(tuple(PACKETS)) else "bytes")


def mac(text: str, what: str) -> str:
    """A station's address, in lower case."""
    if not re.fullmatch(MAC, text):
        raise BadInput(f"{what} '{text}' is no MAC address", right="write six pairs, as 02:00:00:00:01:00")
    if int(text[:2], 16) & 1:
        raise BadInput(f"{what} '{text}' is a multicast address", right="the first pair of a station's is even")
    return text.lower()


def cidr(text: str, what: str) -> str:
    """An interface's address with its prefix length: "10.0.1.1/24" or "fd00:1::1/64"."""
    if ":" in text:
        return _cidr6(text, what)
    address = _ipv4(text.partition("/")[0], text, what)
    if "/" not in text:
        raise BadInput(f"{what} '{text}' has no prefix length", right=f"write it as {text}/24")
    try:
        interface = IPv4Interface(text)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise BadInput(f"{what} '{text}' has no such prefix length", right=f"write it as {address}/24") from None
    network = interface.network
    if network.prefixlen <= 30 and address in (network.network_address, network.broadcast_address):
        name = "the network itself" if address == network.network_address else "its broadcast address"
        raise BadInput(f"{what} '{text}' is {name}", right=f"hosts are {network[1]} to {network[-2]}")
    return str(interface)


def _cidr6(text: str, what: str) -> str:
    if "/" not in text:
        raise BadInput(f"{what} '{text}' has no prefix length", right=f"write it as {text}/64")
    try:
        interface = IPv6Interface(text)
    except ValueError:
        raise BadInput(f"{what} '{text}' is no IPv6 address", right="write it as fd00:1::1/64") from None
    ip = interface.ip
    if ip.is_multicast or ip.is_loopback or ip.is_unspecified or ip.is_link_local or ip.scope_id:
        right = "write it as fd00:1::1/64; a link-local address comes by itself"
        raise BadInput(f"{what} '{text}' cannot be given to an interface", right=right)
    return str(interface)


def ipv6(text: str, what: str) -> str:
    """How IPv6 addresses come to the nodes: "" for not at all."""
    modes = {"false": "", "true": "static", "static": "static", "slaac": "slaac"}
    if text.lower() not in modes:
        raise BadInput(f"{what} is '{text}'", right=nearest(text, ("true", "false", "slaac"), "it may be"))
    return modes[text.lower()]


def table(text: str, what: str) -> int:
    """The number of a table of routes; 0 is the main one."""
    if text == "main":
        return 0
    number = int(text) if re.fullmatch(r"[1-9][0-9]{0,4}", text) else 0
    if not 0 < number <= TABLES_LIMIT or number in KERNEL_TABLES:
        raise BadInput(
            f"{what} '{text}' cannot be used", right="it is main, or a number from 1 to 65535 but 253 to 255"
        )
    return number


def address(text: str, what: str) -> str:
    """A bare IPv4 address."""
    return str(_ipv4(text, text, what))


def prefix(text: str, what: str) -> str:
    """A route's destination: "10.0.2.0/24", or "default" for everything."""
    if text == "default":
        return "0.0.0.0/0"
    try:
        network = IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise BadInput(f"{what} '{text}' is no prefix", right="write it as 10.0.2.0/24, or default") from None
    if str(network.network_address) != text.partition("/")[0]:
        raise BadInput(f"{what} '{text}' has bits behind its length", right=f"write {network}")
    return str(network)


def network(text: str, what: str) -> str:
    """A subnet: "192.168.42.0/24"."""
    if text == "default":
        raise BadInput(f"{what} is 'default'", right="write it as 192.168.42.0/24")
    return prefix(text, what)


def _ipv4(text: str, whole: str, what: str) -> IPv4Address:
    try:
        found = IPv4Address(text)
    except AddressValueError:
        kind = "is IPv6, and only IPv4 can be written here" if ":" in text else "is no IPv4 address"
        raise BadInput(f"{what} '{whole}' {kind}", right="write it as 10.0.1.1/24") from None
    if found.is_multicast or found.is_loopback or found.is_unspecified or found == IPv4Address("255.255.255.255"):
        raise BadInput(f"{what} '{whole}' cannot belong to one interface", right="write it as 10.0.1.1/24")
    return found


def short(name: str, hint: str) -> None:
    """BadInput when a plain interface name is longer than a kernel name has room for."""
    if len(name) > NAME_LIMIT:
        raise BadInput(
            f"the interface name '{name}' has {len(name)} characters, and {NAME_LIMIT} is the most", right=hint
        )


def known_nodes(names: list[str]) -> str:
    """The end of "…, which is no node"."""
    return f"nodes are {listing(names)}" if names else "the file has no nodes"


Parser = Callable[[str, str], Any]
