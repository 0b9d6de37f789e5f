"""The language: what a script's text says, and what is wrong with it."""

from __future__ import annotations

import pytest

from netlab.packetdrill.packets import FLAGS
from netlab.packetdrill.parser import parse
from netlab.packetdrill.preprocess import preprocess
from netlab.packetdrill.script import ANYTHING, BadScript, Call, Code, Command, Either, Icmp, Name, Packet, Refused
from netlab.wire import tcp

MS = 1_000_000


def packet(text: str) -> Packet:
    [event] = parse(f"0 {text}").events
    assert isinstance(event.action, Packet)
    return event.action


def call(text: str) -> Call:
    [event] = parse(f"0 {text}").events
    assert isinstance(event.action, Call)
    return event.action


@pytest.mark.parametrize(
    ("text", "kind", "start", "end"),
    [
        ("0.25", "absolute", 250, 250),
        ("3", "absolute", 3000, 3000),
        ("+0.1", "relative", 100, 100),
        ("+.1", "relative", 100, 100),
        ("+0", "relative", 0, 0),
        ("0.1~0.2", "absolute", 100, 200),
        ("+0.1~+0.2", "relative", 100, 200),
        ("+0.1~0.2", "relative", 100, 200),
        ("*", "any", 0, 0),
        ("", "relative", 0, 0),
    ],
)
def test_times(text: str, kind: str, start: int, end: int) -> None:
    [event] = parse(f"{text} > . 1:1(0)").events if text else parse("0 `true` `true`").events[1:]
    assert (event.time.kind, event.time.start // MS, event.time.end // MS) == (kind, start, end)


@pytest.mark.parametrize(("text", "ends"), [("0...0.2", 200), ("1.00...6.00", 6000), ("+0.1...0.3", 300)])
def test_a_blocking_call_has_an_end(text: str, ends: int) -> None:
    [event] = parse(f"{text} accept(3, ..., ...) = 4").events
    assert isinstance(event.action, Call)
    assert event.action.ends == ends * MS


@pytest.mark.parametrize(
    "letters", ["S", "S.", ".", "F.", "P.", "FP.", "R", "R.", "SEW", "SE.", "SW.", "PU.", "SF", "E."]
)
def test_flags(letters: str) -> None:
    want = 0
    for letter in letters:
        want |= FLAGS[letter]
    assert packet(f"> {letters} 1:1(0)").flags == want
    assert packet("> - 1:1(0)").flags == 0


def test_a_whole_packet() -> None:
    p = packet("<[ect0] PU. 1:1001(1000) ack 5 win 300 urg 7 <nop,nop,TS val 7 ecr 8,sack 1:2 3:4>/udp(1 > 2)")
    assert (p.inbound, p.seq, p.size, p.ack, p.window, p.urgent, p.ecn, p.udp) == (
        True,
        1,
        1000,
        5,
        300,
        7,
        (2,),
        (1, 2),
    )
    assert p.options is not None
    assert [option.kind for option in p.options] == [tcp.NOP, tcp.NOP, tcp.TIMESTAMPS, tcp.SACK]


def test_options_that_do_not_matter_and_options_that_must_be_absent() -> None:
    assert packet("> . 1:1(0) <...>").options is None
    assert packet("> . 1:1(0)").options == ()


@pytest.mark.parametrize(("text", "cookie"), [("FO", ""), ("FO 0102aabb", "0102aabb"), ("FO 0xabcd", "abcd")])
def test_fast_open_cookies(text: str, cookie: str) -> None:
    options = packet(f"> S 0:0(0) <mss 10,{text},nop>").options
    assert options is not None
    assert options[1].value.hex() == cookie


def test_tos_and_ttl() -> None:
    assert (packet("> (tos 0x28) . 1:1(0)").tos, packet("> (tos 0x28, ttl 3) . 1:1(0)").ttl) == (0x28, 3)


def test_an_icmp_error_quotes_a_segment() -> None:
    [event] = parse("0 < [1:1461(1460)] icmp unreachable frag_needed mtu 1300").events
    assert event.action == Icmp(True, "unreachable", "frag_needed", 1, 1300)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        ("0x1F", 31),
        ("-1", -1),
        ("...", ANYTHING),
        ('"abc"', "abc"),
        ('"abc"...', ANYTHING),
        ("O_RDWR", Name("O_RDWR")),
        ("O_RDWR | O_NONBLOCK", Either((Name("O_RDWR"), Name("O_NONBLOCK")))),
        ("[1]", [1]),
        ("[]", []),
        ("{onoff=1, linger=2}", {"onoff": 1, "linger": 2}),
        ("{..., 100}", (ANYTHING, 100)),
        ("htons(8080)", 8080),
        ("{sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr(\"1.2.3.4\")}",
         {"sa_family": Name("AF_INET"), "sin_port": 80, "sin_addr": "1.2.3.4"}),
        ("{msg_name(...)=..., msg_iov(1)=[{..., 5}], msg_flags=0}",
         {"msg_name": ANYTHING, "msg_iov": [(ANYTHING, 5)], "msg_flags": 0}),
    ],
)  # fmt: skip
def test_arguments(text: str, value: object) -> None:
    assert call(f"f({text}) = 0").args == (value,)


def test_results_errnos_and_notes() -> None:
    assert call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").errno == "EINPROGRESS"
    assert call("fcntl(3, F_GETFL) = 0x02 (flags O_RDWR)").result == 2
    assert call("f() = ...").result is ANYTHING


def test_options_commands_code_and_comments() -> None:
    script = parse(
        """--ip_version=ipv6 --tolerance_usecs=5000 --local_ip=192.0.2.1/24
        `sysctl -w a=b`  // before the first event
        0 /* a
        comment */ `second`
        # another
        +0 %{ assert x == 1 }%"""
    )
    assert script.options == {"ip_version": "ipv6", "tolerance_usecs": "5000", "local_ip": "192.0.2.1/24"}
    assert [e.action for e in script.before] == [Command("sysctl -w a=b")]
    assert [e.action for e in script.events] == [Command("second"), Code("assert x == 1")]
    assert [e.line for e in script.events] == [4, 6]


def test_lines_for_one_system() -> None:
    text = "a\n#ifdef FreeBSD\nb\n#else\nc\n#endif\n#ifndef FreeBSD\nd\n#endif\ne"
    assert preprocess(text, frozenset({"FreeBSD"})).split() == ["a", "b", "e"]
    assert preprocess(text, frozenset()).split() == ["a", "c", "d", "e"]
    assert preprocess(text, frozenset()).count("\n") == text.count("\n"), "line numbers stay true"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 > S 0:5(0)", "5 bytes"),
        ("0 > X 0:0(0)", "no TCP flags"),
        ("0 > S 0:0", "'\\('"),
        ("0 close(3", "wanted here"),
        ("0 `never ends", "no partner"),
        ("0 > S 0:0(0) <FO 123>", "half a byte"),
        ("0", "an event is wanted"),
        ("+x close(3) = 0", "a time in seconds"),
    ],
)
def test_what_is_no_script_is_said(text: str, said: str) -> None:
    with pytest.raises(BadScript, match=said) as error:
        parse(f"// a comment\n{text}\n")
    assert error.value.line in (2, 3)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("0 < sctp: INIT", "SCTP"),
        ("0 > S 0:0(0) <mood 1>", "mood"),
        ("0 > gre: S 0:0(0)", "GRE"),
        ("0 > [1:1(0)] icmp unreachable port_unreachable", "must leave"),
    ],
)
def test_what_is_known_and_not_played_is_refused_by_name(text: str, what: str) -> None:
    with pytest.raises(Refused, match=what):
        parse(text)
