"""Pages of a trace buffer, written here byte by byte as the kernel writes them."""

from __future__ import annotations

import struct

import pytest

from netlab.probe.event import CONSUME, KFREE, QUEUE, READY, XMIT, Event
from netlab.probe.pages import MISSED_EVENTS, MISSED_STORED, Format, PageParser

HEADER_PAGE = """\
\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;
"""
COMMON = """\
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
"""
QUEUE_FORMAT = f"""\
name: net_dev_queue
ID: 11
format:
{COMMON}
\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:unsigned int len;\toffset:16;\tsize:4;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:20;\tsize:4;\tsigned:0;
"""
CONSUME_FORMAT = f"""\
name: consume_skb
ID: 12
format:
{COMMON}
\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:void * location;\toffset:16;\tsize:8;\tsigned:0;
"""
KFREE_FORMAT = f"""\
name: kfree_skb
ID: 13
format:
{COMMON}
\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:void * location;\toffset:16;\tsize:8;\tsigned:0;
\tfield:unsigned short protocol;\toffset:24;\tsize:2;\tsigned:0;
\tfield:enum skb_drop_reason reason;\toffset:28;\tsize:4;\tsigned:0;

print fmt: "%s", __print_symbolic(REC->reason, {{ 2, "NOT_SPECIFIED" }}, {{ 0x3, "NO_SOCKET" }})
"""
READY_FORMAT = f"""\
name: sk_data_ready
ID: 14
format:
{COMMON}
\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:__u16 family;\toffset:16;\tsize:2;\tsigned:0;
\tfield:__u16 protocol;\toffset:18;\tsize:2;\tsigned:0;
"""
FORMATS = {
    "net/net_dev_queue": Format.parse(QUEUE_FORMAT),
    "skb/consume_skb": Format.parse(CONSUME_FORMAT),
    "skb/kfree_skb": Format.parse(KFREE_FORMAT),
    "sock/sk_data_ready": Format.parse(READY_FORMAT),
}
SKB = 0xFFFF888012345600


def queued(name: bytes, length: int) -> bytes:
    text = name + b"\0"
    body = struct.pack("=HBBiQII", 11, 0, 0, 1, SKB, length, len(text) << 16 | 24) + text
    return body + bytes(-len(body) % 4)


def consumed(location: int) -> bytes:
    return struct.pack("=HBBiQQ", 12, 0, 0, 1, SKB, location)


def dropped(reason: int) -> bytes:
    return struct.pack("=HBBiQQHHI", 13, 0, 0, 1, SKB, 0xABC, 8, 0, reason)


def ready(flags: int, protocol: int) -> bytes:
    return struct.pack("=HBBiQHH", 14, flags, 0, 1, SKB, 2, protocol)


def after(ns: int, body: bytes) -> bytes:
    """A record ``ns`` after the one before; a long one has its length in a word of its own."""
    if len(body) <= 28 * 4:
        return struct.pack("=I", ns << 5 | len(body) // 4) + body
    return struct.pack("=II", ns << 5, len(body) + 4) + body


def page(stamp: int, *records: bytes, flags: int = 0, tail: bytes = b"") -> bytes:
    data = b"".join(records)
    return (struct.pack("=QQ", stamp, len(data) | flags) + data + tail).ljust(4096, b"\0")


def parse(*pages: bytes, parser: PageParser | None = None) -> list[Event]:
    out: list[Event] = []
    parser = parser or PageParser(FORMATS, HEADER_PAGE, {"h1-eth0~aa": "h1-eth0"})
    for one in pages:
        parser.parse(one, 1, out)
    return out


def test_times_add_up_from_the_page_s_own_stamp() -> None:
    assert parse(page(1000, after(5, queued(b"h1-eth0~aa", 98)), after(7, consumed(0xF00)))) == [
        (1005, QUEUE, 1, SKB, "h1-eth0", 98),
        (1012, CONSUME, 1, SKB, 0xF00, 0),
    ]


def test_another_arena_s_device_is_left_out_but_its_time_counts() -> None:
    events = parse(page(1000, after(5, queued(b"h1-eth0~zz", 98)), after(7, consumed(1))))
    assert [(t, what) for t, what, *_ in events] == [(1012, CONSUME)]


def test_a_tracepoint_that_nobody_asked_for_is_stepped_over() -> None:
    stranger = struct.pack("=HBBiQ", 99, 0, 0, 1, 0)
    assert [e[0] for e in parse(page(0, after(1, stranger), after(1, consumed(1))))] == [2]


def test_a_long_record_has_its_length_in_a_word_of_its_own() -> None:
    long = consumed(1) + bytes(200)
    assert [e[0] for e in parse(page(0, after(1, long), after(1, consumed(2))))] == [1, 2]


def test_a_pause_longer_than_27_bits_is_an_extended_time() -> None:
    pause = 5_000_000_000
    extend = struct.pack("=II", (pause & (1 << 27) - 1) << 5 | 30, pause >> 27)
    assert [e[0] for e in parse(page(100, extend, after(1, consumed(1))))] == [pause + 101]


def test_an_absolute_stamp_takes_its_five_highest_bits_from_the_page() -> None:
    high, low = 3 << 59, 123_456_789_000
    stamp = struct.pack("=II", (low & (1 << 27) - 1) << 5 | 31, low >> 27)
    assert [e[0] for e in parse(page(high + 1, stamp, after(1, consumed(1))))] == [high + low + 1]


def test_a_discarded_event_is_padding_whose_time_counts() -> None:
    discarded = struct.pack("=II", 9 << 5 | 29, 12) + bytes(8)
    assert [e[0] for e in parse(page(100, discarded, after(1, consumed(1))))] == [110]


def test_padding_without_a_time_ends_the_page() -> None:
    assert parse(page(100, struct.pack("=II", 29, 0), after(1, consumed(1)))) == []


def test_a_drop_s_reason_has_a_name() -> None:
    parser = PageParser(FORMATS, HEADER_PAGE, {})
    [event] = parse(page(0, after(1, dropped(3))), parser=parser)
    assert event[1] == KFREE
    assert parser.reasons[event[5]] == "NO_SOCKET"


def test_a_socket_is_told_of_only_by_interrupt_work() -> None:
    events = parse(page(0, after(1, ready(0, 17)), after(1, ready(0x10, 17))))
    assert [(t, what, at) for t, what, _, _, at, _ in events] == [(2, READY, 17)]


@pytest.mark.parametrize(("flags", "tail", "missed"), [(0, b"", 0), (MISSED_EVENTS, b"", 1)])
def test_a_page_after_a_gap_says_so(flags: int, tail: bytes, missed: int) -> None:
    parser = PageParser(FORMATS, HEADER_PAGE, {})
    parse(page(0, after(1, consumed(1)), flags=flags, tail=tail), parser=parser)
    assert parser.missed == missed


def test_a_page_that_knows_how_much_was_missed_is_believed() -> None:
    parser = PageParser(FORMATS, HEADER_PAGE, {})
    flags = MISSED_EVENTS | MISSED_STORED
    parse(page(0, after(1, consumed(1)), flags=flags, tail=struct.pack("=Q", 4711)), parser=parser)
    assert parser.missed == 4711


def test_a_format_without_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="ID:"):
        Format.parse("name: nothing")


def test_the_kernel_may_move_a_field() -> None:
    moved = Format.parse(QUEUE_FORMAT.replace("offset:16", "offset:28"))
    parser = PageParser({"net/net_dev_start_xmit": moved}, HEADER_PAGE, {"h1-eth0~aa": "h1-eth0"})
    body = struct.pack("=HBBiQIIi", 11, 0, 0, 1, SKB, 0, 11 << 16 | 32, 0) + struct.pack("=I", 42) + b"h1-eth0~aa\0\0"
    body = body[:28] + struct.pack("=I", 42) + b"h1-eth0~aa\0\0"
    assert parse(page(0, after(1, body)), parser=parser) == [(1, XMIT, 1, SKB, "h1-eth0", 42)]
