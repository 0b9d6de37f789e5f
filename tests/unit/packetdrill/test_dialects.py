"""The language in both dialects, Google's and FreeBSD's: every construct is read, or refused by name."""

from __future__ import annotations

import pytest

from netlab.packetdrill.icmps import REFUSES, SOFT, TOO_BIG, meaning
from netlab.packetdrill.packets import FLAGS
from netlab.packetdrill.parser import parse
from netlab.packetdrill.script import BadScript, Call, Icmp, Name, Packet, Refused, TcpOption
from netlab.packetdrill.settings import settings
from netlab.wire import tcp


def packet(text: str) -> Packet:
    [event] = parse(f"0 {text}").events
    assert isinstance(event.action, Packet)
    return event.action


def icmp(text: str) -> Icmp:
    [event] = parse(f"0 {text}").events
    assert isinstance(event.action, Icmp)
    return event.action


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("> (tos 0x10) . 1:1(0)", "tos", 16),
        ("> [class 0x10] . 1:1(0)", "tos", 16),
        ("> [ect0, ttl 7] . 1:1(0)", "ttl", 7),
        ("> (ecn ce, hlim 9) . 1:1(0)", "ttl", 9),
        ("> (dscp EF, ecn ect0) . 1:1(0)", "dscp", 46),
        ("> (dscp EF, ecn ect0) . 1:1(0)", "ecn", (2,)),
        ("> (dscp 0x2c) . 1:1(0)", "dscp", 44),
        ("> (dscp VOICE_ADMIT, flowlabel 0x123, hlim 3) . 1:1(0)", "flow_label", 0x123),
        ("> 1234 > 80 S 0:0(0)", "ports", (1234, 80)),
        ("< [ce] 80 > 1234 . 1:1(0) ack 1 win 5", "ports", (80, 1234)),
        ("> R 17:17(0)!", "seq_absolute", True),
        ("> . ...(100) ack 1", "seq_any", True),
        ("> . ...(100) ack 1", "size", 100),
        ("> . 1:1(0) <nop,nop,TS val ... ecr 7>", "any_stamp", True),
        ("< . 1:1(0) win 5 <nop,nop,TS val 5 ecr 7!>", "raw_echo", True),
        ("> P. 1:11(10) ack 1 win 5 urg 7", "urgent", 7),
        ("> S 4294967295:4294967295(0)", "seq", 4294967295),
        ("> . 4294967290:4(10) ack 1", "size", 10),
    ],
)
def test_what_may_stand_around_and_in_a_segment(text: str, field: str, value: object) -> None:
    assert getattr(packet(text), field) == value


@pytest.mark.parametrize(
    ("letters", "bits"),
    [
        ("S.5", tcp.SYN | tcp.ACK | tcp.AE | tcp.ECE),
        (".0", tcp.ACK),
        ("P.7", tcp.PSH | tcp.ACK | tcp.AE | tcp.CWR | tcp.ECE),
        ("SAEW", tcp.SYN | tcp.AE | tcp.ECE | tcp.CWR),
        ("SEC", tcp.SYN | tcp.ECE | tcp.CWR),
        ("FSRPUEWA.", 511),
    ],
)
def test_flags_of_accurate_ecn(letters: str, bits: int) -> None:
    assert packet(f"> {letters} 1:1(0)").flags == bits
    assert FLAGS["2"] == tcp.CWR


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("FOEXP", TcpOption(254, b"\xf9\x89")),
        ("exp-FO 0102", TcpOption(254, b"\xf9\x89\x01\x02")),
        ("FO TFO_COOKIE", TcpOption(34, bytes.fromhex("3021b9d889017eeb"))),
        ("FO 1234567890123456", TcpOption(34, bytes.fromhex("1234567890123456"))),
        ("md5 " + "ab" * 16, TcpOption(19, b"\xab" * 16)),
        ("AccECN0 ee0b 1 eceb 2 ee1b 3", TcpOption(172, b"\0\0\1\0\0\2\0\0\3")),
        ("AccECN1 ee1b 1", TcpOption(174, b"\0\0\1")),
        ("exp-AccECN0 ee0b 1", TcpOption(254, b"\xac\xc0\0\0\1")),
        ("ECN e1b 1 ceb 2 e0b 3", TcpOption(174, b"\0\0\1\0\0\2\0\0\3")),
        ("exp-tarr 4", TcpOption(254, b"\x00\xac\x00\x80")),
    ],
)
def test_options_that_our_tcp_need_not_know(text: str, option: TcpOption) -> None:
    options = packet(f"> S 0:0(0) <mss 10,{text},nop>").options
    assert options is not None
    assert options[1] == option


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("< icmp unreachable port_unreachable [1:1461(1460)]", ("unreachable", "port_unreachable", 1, 0)),
        ("< [5:15(10)] icmp unreachable frag_needed mtu 1300", ("unreachable", "frag_needed", 5, 1300)),
        ("< icmp unreachable frag_needed mtu 1300 [5:15(10)]", ("unreachable", "frag_needed", 5, 1300)),
        ("< (ttl 3) icmp type_3 code_4 mtu 900 id 7 [5:15(10)]", ("type_3", "code_4", 5, 900)),
        ("< icmp time_exceeded ttl_exceeded_in_transit", ("time_exceeded", "ttl_exceeded_in_transit", 0, 0)),
    ],
)
def test_icmp_errors_quote_behind_or_in_front(text: str, want: tuple[str, str, int, int]) -> None:
    found = icmp(text)
    assert (found.type, found.code, found.seq, found.mtu) == want


def test_what_icmp_errors_tell_tcp() -> None:
    assert meaning(icmp("< icmp unreachable"), 4) == SOFT, "no code is code 0: the network"
    assert meaning(icmp("< icmp type_3 code_3"), 4) == REFUSES
    assert meaning(icmp("< icmp type_1 code_4"), 6) == REFUSES
    assert meaning(icmp("< icmp type_2 mtu 1280"), 6) == TOO_BIG
    assert meaning(icmp("< icmp unreachable admin_prohibited"), 6) == REFUSES
    assert meaning(icmp("< icmp time_exceeded exceeded_frag_time"), 6) == SOFT
    assert meaning(icmp("< icmp source_quench"), 4).error == ""
    with pytest.raises(Refused, match="ICMP unreachable nowhere"):
        meaning(icmp("< icmp unreachable nowhere"), 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("* close(3) = 0", "for packets that leave"),
        ("0.1~0.2 < S 0:0(0) win 5", "for packets that leave"),
        ("0.2~0.1 > S 0:0(0)", "ends before it begins"),
        ("-1 close(3) = 0", "not negative"),
        ("0 < S 0:0(0) win 5 <...>", "for packets that leave"),
        ("0 < S ...(0) win 5", "for packets that leave"),
        ("0 > 70000 > 80 S 0:0(0)", "70000 is no port"),
        ("0 > (dscp FAST) . 1:1(0)", "no DSCP; known are AF11"),
        ("0 > S 0:0(0) <mss 5", "a TCP option or '>' is wanted here, not the end"),
    ],
)
def test_what_does_not_fit_together_is_said(text: str, said: str) -> None:
    with pytest.raises(BadScript, match=said):
        parse(text)


def test_words_can_be_defined_in_the_script_and_from_outside() -> None:
    text = '--define=PROTO=IPPROTO_TCP --define=SIZE=1000\n0 f(PROTO, SIZE, CC, "SIZE") = SIZE'
    [event] = parse(text, defines={"CC": '"cubic"', "SIZE": "5"}).events
    assert isinstance(event.action, Call)
    assert event.action.args == (Name("IPPROTO_TCP"), 1000, "cubic", "SIZE")
    assert event.action.result == 1000


def test_options_of_the_command_line() -> None:
    script = parse(
        "--ip_version=ipv4-mapped-ipv6 --mtu=1300\n--tolerance_usecs=100 --tcp_ts_tick_usecs=0 0 close(3) = 0"
    )
    found = settings(script.options)
    assert (found.version, found.mtu, found.tolerance, found.stamp_tick) == (4, 1300, 100_000, None)
    assert settings({"tolerance_percent": "10"}).percent == 10
    with pytest.raises(Refused, match="--colour"):
        settings({"colour": "red"})
    with pytest.raises(Refused, match="--mtu=large"):
        settings({"mtu": "large"})


def test_comments_of_three_kinds_and_strings_with_their_signs() -> None:
    script = parse('0 f("a // b /* c */ # d") = 1 // one\n/* two\n > S 0:0(0) */ # three\n+0 g() = 2')
    assert [event.line for event in script.events] == [1, 4]
    [first, _] = script.events
    assert isinstance(first.action, Call)
    assert first.action.args == ("a // b /* c */ # d",)
