"""What a packet socket says, made into what a wire would have carried."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest

from netlab.errors import NetlabError
from netlab.probe.capture import (
    PACKET_AUXDATA,
    SO_TIMESTAMPNS,
    SOL_PACKET,
    Capture,
    captured,
    complete_checksum,
    steadied,
)
from netlab.wire import checksum

A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
PLAIN = bytes(10)


def stamp(seconds: int, ns: int) -> tuple[int, int, bytes]:
    return socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@ll", seconds, ns)


def aux(status: int, tci: int = 0, tpid: int = 0) -> tuple[int, int, bytes]:
    return SOL_PACKET, PACKET_AUXDATA, struct.pack("=IIIHHHH", status, 98, 98, 0, 14, tci, tpid)


def pseudo(frame: bytes) -> bytes:
    """The frame as a sender leaves it to its card: the checksum field holds the pseudo header's sum."""
    length = len(frame) - 34
    total = checksum.fold(sum(struct.unpack("!HHHH", frame[26:34])) + frame[23] + length)
    return frame[:40] + total.to_bytes(2, "big") + frame[42:]


def test_a_wall_clock_stamp_becomes_a_monotonic_time(frames: Any) -> None:
    seen = captured("h1-eth0", True, PLAIN + frames.request(), [stamp(100, 5)], 40_000_000_000)
    assert (seen.t, seen.interface, seen.out, seen.frame) == (60_000_000_005, "h1-eth0", True, frames.request())


def test_a_checksum_left_to_the_card_is_completed(frames: Any) -> None:
    datagram = pseudo(frames.udp(A, B, (4000, 5000), b"odd"))
    left = struct.pack("=BBHHHH", 1, 0, 0, 0, 34, 6)
    seen = captured("h1-eth0", True, left + datagram, [], 0)
    whole = seen.frame[26:34] + bytes((0, 17)) + seen.frame[38:40] + seen.frame[34:]
    assert checksum.correct(whole)
    assert seen.frame[:40] == datagram[:40] and seen.frame[42:] == datagram[42:]


def test_a_finished_frame_is_left_alone(frames: Any) -> None:
    datagram = frames.udp(A, B, (4000, 5000), b"no checksum at all")
    assert captured("h1-eth0", True, PLAIN + datagram, [], 0).frame == datagram


def test_a_checksum_is_never_written_as_none(frames: Any) -> None:
    """A UDP checksum of 0 says that there is none; its equal, 0xffff, is written (RFC 768)."""
    frame = bytes(34) + b"\xff\xff" + bytes(4) + b"\0\0"
    assert complete_checksum(frame, 34, 6)[40:42] == b"\xff\xff"


def test_a_checksum_that_would_lie_outside_is_not_written() -> None:
    assert complete_checksum(bytes(20), 34, 6) == bytes(20)


def test_a_tag_that_travelled_beside_the_frame_is_put_back(frames: Any) -> None:
    frame = frames.request()
    seen = captured("h1-eth0", False, PLAIN + frame, [aux(0x51, 100, 0x88A8)], 0)
    assert seen.frame == frame[:12] + b"\x88\xa8\x00\x64" + frame[12:]
    assert seen.seen == len(frame)


def test_a_tag_without_a_type_is_a_customer_s(frames: Any) -> None:
    seen = captured("h1-eth0", False, PLAIN + frames.request(), [aux(0x11, 20)], 0)
    assert seen.frame[12:16] == b"\x81\x00\x00\x14"


def test_a_tag_and_a_checksum_do_not_disturb_each_other(frames: Any) -> None:
    left = struct.pack("=BBHHHH", 1, 0, 0, 0, 34, 6) + pseudo(frames.udp(A, B, (4000, 5000), b"data"))
    bare = captured("h1-eth0", True, left, [], 0).frame
    tagged = captured("h1-eth0", True, left, [aux(0x51, 7, 0x8100)], 0).frame
    assert tagged == bare[:12] + b"\x81\x00\x00\x07" + bare[12:]


def test_the_clocks_distance_moves_only_when_somebody_set_the_clock() -> None:
    import time

    now = time.time_ns() - time.monotonic_ns()
    assert steadied(now + 20_000) == now + 20_000
    assert abs(steadied(now + 3_600_000_000_000) - now) < 100_000_000


class Willing(socket.socket):
    """Takes every option, as a packet socket would."""

    def setsockopt(self, *_: Any) -> None:
        pass


def test_a_capture_that_cannot_be_opened_whole_leaves_nothing_open() -> None:
    opened: list[socket.socket] = []

    def open_socket(name: str) -> socket.socket:
        if opened:
            raise NetlabError("the network has ended")
        opened.append(Willing(socket.AF_INET, socket.SOCK_DGRAM))
        return opened[0]

    with pytest.raises(NetlabError, match="has ended"):
        Capture(("h1-eth0", "h2-eth0"), open_socket)
    assert opened[0].fileno() == -1
