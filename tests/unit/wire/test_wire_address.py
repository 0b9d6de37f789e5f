"""Addresses as text and as numbers."""

from __future__ import annotations

import ipaddress

import pytest

from netlab.errors import BadInput
from netlab.wire import address


def test_an_ipv4_address_goes_to_an_int_and_back():
    assert address.parse_ipv4("10.0.1.255") == 0x0A0001FF
    assert address.format_ipv4(0x0A0001FF) == "10.0.1.255"


@pytest.mark.parametrize(
    "text", ["", "10.0.1", "10.0.1.256", "10.0.1.1.1", "10.0.01.1", "a.b.c.d", "10.0.1.-1", "１.1.1.1"]
)
def test_what_is_no_ipv4_address_is_named_in_the_error(text):
    with pytest.raises(BadInput, match="is no IPv4 address; write four numbers from 0 to 255"):
        address.parse_ipv4(text)


def test_a_mac_address_goes_to_six_bytes_and_back():
    mac = address.parse_mac("02:00:00:00:0a:FF")
    assert mac == b"\x02\0\0\0\x0a\xff"
    assert address.format_mac(mac) == "02:00:00:00:0a:ff"
    assert address.parse_mac("02-00-00-00-0a-ff") == mac


@pytest.mark.parametrize("text", ["", "02:00:00:00:00", "02:00:00:00:00:0g", "02:00-00:00:00:01", "020000000001"])
def test_what_is_no_mac_address_is_named_in_the_error(text):
    with pytest.raises(BadInput, match="is no MAC address; write six pairs of hex digits"):
        address.parse_mac(text)


@pytest.mark.parametrize(
    "text",
    [
        *("::", "::1", "1::", "fd00::1", "fe80::ff:fe00:1", "1:2:3:4:5:6:7:8", "2001:db8::1:0:0:1", "::ffff:10.0.1.1"),
        *("2001:0:0:1::1", "1:0:0:2:0:0:0:3", "0:1:2:3:4:5:6:7", "1:2:3:4:5:6:7:0", "1:0:1:0:1:0:1:0"),
    ],
)
def test_ipv6_text_agrees_with_the_standard_library(text):
    number = int(ipaddress.IPv6Address(text))
    assert address.parse_ipv6(text) == number
    mapped = number >> 32 == 0xFFFF  # the library prints these in hex before Python 3.13
    assert address.format_ipv6(number) == (text if mapped else str(ipaddress.IPv6Address(number)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        ":::",
        "1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7::8",
        "::1.2.3",
    ],
)
def test_what_is_no_ipv6_address_is_named_in_the_error(text):
    with pytest.raises(BadInput, match="is no IPv6 address; write up to eight groups"):
        address.parse_ipv6(text)


def test_a_cidr_knows_its_network_its_broadcast_and_what_lies_inside():
    cidr = address.parse_cidr("10.0.1.77/24")
    assert (cidr.version, cidr.length, str(cidr)) == (4, 24, "10.0.1.77/24")
    assert address.format_ipv4(cidr.network) == "10.0.1.0"
    assert address.format_ipv4(cidr.broadcast) == "10.0.1.255"
    assert address.parse_ipv4("10.0.1.3") in cidr
    assert address.parse_ipv4("10.0.2.3") not in cidr
    everything = address.parse_cidr("0.0.0.0/0")
    assert address.parse_ipv4("255.1.2.3") in everything


def test_a_cidr_of_ipv6_and_one_without_a_length():
    cidr = address.parse_cidr("fd00::1:2/64")
    assert (cidr.version, cidr.network) == (6, 0xFD00 << 112)
    assert address.parse_ipv6("fd00::ffff:ffff:ffff:ffff") == cidr.broadcast
    assert address.parse_cidr("fd00::1").length == 128
    assert address.parse_cidr("10.0.0.1").length == 32


@pytest.mark.parametrize("text", ["10.0.1.1/", "10.0.1.1/33", "10.0.1.1/x", "fd00::1/129", "10.0.1.1/-1", "10.0.1.1/²"])
def test_an_impossible_prefix_length_is_named_in_the_error(text):
    with pytest.raises(BadInput, match="has no prefix length; write an address, a slash and a number up to"):
        address.parse_cidr(text)


def test_addresses_that_are_made_from_others():
    mac = address.parse_mac("34:56:78:9a:bc:de")  # the example of RFC 4291 appendix A
    assert address.format_ipv6(address.link_local(mac)) == "fe80::3656:78ff:fe9a:bcde"
    target = address.parse_ipv6("4037::1:800:200e:8c6c")  # the example of RFC 4291 §2.7.1
    group = address.solicited_node(target)
    assert address.format_ipv6(group) == "ff02::1:ff0e:8c6c"
    assert address.format_mac(address.multicast_mac6(group)) == "33:33:ff:0e:8c:6c"
    assert address.format_mac(address.multicast_mac4(address.parse_ipv4("224.128.0.251"))) == "01:00:5e:00:00:fb"


def test_groups_are_told_from_single_addresses():
    assert address.is_multicast4(address.parse_ipv4("239.1.1.1"))
    assert not address.is_multicast4(address.parse_ipv4("240.0.0.1"))
    assert address.is_multicast6(address.parse_ipv6("ff02::1"))
    assert not address.is_multicast6(address.parse_ipv6("fe80::1"))
    assert address.is_group_mac(address.BROADCAST)
    assert not address.is_group_mac(address.NO_MAC)
