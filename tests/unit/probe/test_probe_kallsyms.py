"""Places in the kernel's code, by a table that is written here."""

from __future__ import annotations

from netlab.probe.kallsyms import Places, parse

TABLE = b"""\
ffffffff81000000 T _text
ffffffff81000100 T icmp_rcv
ffffffff81000200 t ping_rcv
ffffffff81000300 t something_else
ffffffff81000400 t arp_process.part.0
ffffffff81000500 T __udp4_lib_rcv
ffffffff81000600 T _etext
ffffffff81000700 d icmp_rcv
"""


def test_a_place_is_the_stage_of_its_function() -> None:
    places = parse(TABLE)
    assert places.stage(0xFFFFFFFF81000180) == "icmp.input"
    assert places.function(0xFFFFFFFF81000280) == "ping_rcv"
    assert places.stage(0xFFFFFFFF81000550) == "udp.input"


def test_a_compiler_s_copy_of_a_function_counts_as_the_function() -> None:
    assert parse(TABLE).stage(0xFFFFFFFF81000410) == "arp.input"


def test_functions_that_are_not_in_the_table_have_no_stage() -> None:
    places = parse(TABLE)
    assert places.stage(0xFFFFFFFF81000350) == ""
    assert places.stage(0xFFFFFFFF81000050) == ""
    assert places.stage(0xFFFFFFFF81000650) == ""
    assert places.stage(0) == ""


def test_a_call_in_a_function_s_last_bytes_returns_to_the_next_one_s_first() -> None:
    assert parse(TABLE).function(0xFFFFFFFF81000200) == "icmp_rcv"


def test_a_kernel_that_hides_its_addresses_has_no_places() -> None:
    hidden = b"0000000000000000 T icmp_rcv\n0000000000000000 T ping_rcv\n"
    assert not parse(hidden)
    assert Places(()).stage(0x1234) == ""
