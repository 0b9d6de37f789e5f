"""Capture files: written, read back, cut short, and shown to tshark and tcpdump."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from netlab.errors import BadInput
from netlab.wire import pcap, pcapng
from netlab.wire.pcap import Packet
from netlab.wire.samples import samples


def written(frames: list[bytes]) -> bytes:
    file = io.BytesIO()
    writer = pcapng.Writer(file, comment="seed 1")
    first, second = writer.interface("h1-eth0", rate=10**7, description="to s1"), writer.interface("r1-eth1")
    for i, frame in enumerate(frames):
        writer.packet((first, second)[i % 2], i * 1001, frame, comment=f"frame {i}", direction=pcapng.OUTBOUND)
    return file.getvalue()


def read(data: bytes) -> list[Packet]:
    return list(pcapng.Reader(io.BytesIO(data)))


def test_packets_come_back_with_interface_time_and_comment():
    frames = [b"x" * size for size in (0, 1, 59, 60, 61, 1514)]
    packets = read(written(frames))
    assert packets == [
        Packet(i * 1001, ("h1-eth0", "r1-eth1")[i % 2], frame, len(frame), f"frame {i}")
        for i, frame in enumerate(frames)
    ]


def test_the_same_frames_give_the_same_bytes():
    assert written([b"a", b"b"]) == written([b"a", b"b"])


def test_an_interface_is_described_once():
    file = io.BytesIO()
    writer = pcapng.Writer(file)
    assert [writer.interface(name) for name in ("a", "b", "a")] == [0, 1, 0]
    assert file.getvalue().count(b"\x02\x00\x01\x00a") == 1


def test_times_beyond_32_bits_and_a_shortened_frame():
    file = io.BytesIO()
    writer = pcapng.Writer(file)
    writer.packet(writer.interface("a"), 10**19, b"head", length=9000)
    assert read(file.getvalue()) == [Packet(10**19, "a", b"head", 9000)]


def test_a_file_that_ends_anywhere_gives_what_was_whole():
    data = written([b"first", b"second"])
    whole = read(data)
    for end in range(28 + 40, len(data)):
        reader = pcapng.Reader(io.BytesIO(data[:end]))
        packets = list(reader)
        assert packets == whole[: len(packets)]
        assert len(packets) < 2


def test_a_file_that_was_cut_short_says_so():
    data = written([b"first", b"second"])
    reader = pcapng.Reader(io.BytesIO(data[:-1]))
    assert len(list(reader)) == 1 and reader.cut_short
    complete = pcapng.Reader(io.BytesIO(data))
    assert len(list(complete)) == 2 and not complete.cut_short


def block(order: str, kind: int, body: bytes) -> bytes:
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def test_a_big_endian_file_with_microseconds_and_unknown_blocks_is_read():
    """What other programs write: the other byte order, a resolution by default, statistics, a simple packet block."""
    section = block(">", 0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = block(">", 1, struct.pack(">HHI", 1, 0, 0))
    statistics = block(">", 5, bytes(12))
    enhanced = block(">", 6, struct.pack(">IIIII", 0, 0, 5, 3, 3) + b"abc\0")
    simple = block(">", 3, struct.pack(">I", 2) + b"de\0\0")
    assert read(section + interface + statistics + enhanced + simple) == [
        Packet(5000, "", b"abc", 3),
        Packet(0, "", b"de", 2),
    ]


def test_a_resolution_in_powers_of_two_and_an_offset_are_understood():
    section = block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    options = struct.pack("<HHB3x", 9, 1, 0x80 | 10) + struct.pack("<HHq", 14, 8, 100) + bytes(4)
    interface = block("<", 1, struct.pack("<HHI", 1, 0, 0) + options)
    enhanced = block("<", 6, struct.pack("<IIIII", 0, 0, 512, 0, 0))
    assert read(section + interface + enhanced)[0].t == 100_500_000_000


def test_a_packet_of_an_interface_that_was_never_described_ends_the_file():
    section = block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    reader = pcapng.Reader(io.BytesIO(section + block("<", 6, bytes(20))))
    assert list(reader) == [] and reader.cut_short


@pytest.mark.parametrize("data", [b"", b"not a capture", bytes(100), b"\x0a\x0d\x0d\x0a"])
def test_what_is_no_capture_is_refused_with_a_sentence(data, tmp_path: Path):
    path = tmp_path / "x.pcapng"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"x\.pcapng: this is no pcapng capture; give a file that"):
        pcapng.read(path)


def test_a_file_that_is_not_there_is_refused_with_a_sentence(tmp_path: Path):
    with pytest.raises(BadInput, match="the capture cannot be read"):
        pcapng.read(tmp_path / "nothing")


def test_classic_captures_go_both_ways(tmp_path: Path):
    path = tmp_path / "x.pcap"
    with path.open("wb") as file:
        writer = pcap.Writer(file)
        writer.packet(5_000_000_007, b"frame")
        writer.packet(6_000_000_000, b"head", length=1500)
    assert pcapng.read(path) == [Packet(5_000_000_007, "", b"frame", 5), Packet(6_000_000_000, "", b"head", 1500)]
    cut = pcap.Reader(io.BytesIO(path.read_bytes()[:-1]))
    assert len(list(cut)) == 1 and cut.cut_short


def test_a_classic_capture_of_the_other_byte_order_in_microseconds():
    data = struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + struct.pack(">IIII", 1, 2, 3, 3) + b"abc"
    reader = pcap.Reader(io.BytesIO(data))
    assert list(reader) == [Packet(1_000_002_000, "", b"abc", 3, "", pcap.RAW)]


# ---- other people's eyes -------------------------------------------------------------------------


@pytest.fixture
def every_kind(tmp_path: Path) -> Path:
    path = tmp_path / "samples.pcapng"
    with path.open("wb") as file:
        writer = pcapng.Writer(file)
        for i, (name, frame) in enumerate(samples().items()):
            writer.packet(writer.interface("h1-eth0"), i * 1000, frame, comment=name)
    return path


CHECK_ALL = [f"-o{proto}.check_checksum:TRUE" for proto in ("ip", "udp", "tcp")]
CHECK_ALL.append("-otcp.analyze_sequence_numbers:FALSE")  # the samples are no conversation
CHECKSUMS = ("ip", "udp", "tcp", "icmp", "icmpv6")
WARNING = 0x600000
COMPLAINTS = " || ".join(
    [
        "_ws.malformed",
        f"(_ws.expert.severity >= {WARNING} && !tcp.flags.reset == 1)",  # a reset alone is worth a warning there
        *(f"{proto}.checksum.status == 0" for proto in CHECKSUMS),
    ]
)


def tshark(path: Path, *arguments: str) -> list[str]:
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed; 'apt-get install tshark' would make this run")
    done = subprocess.run([program, "-nr", path, *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def test_tshark_finds_nothing_wrong_with_any_kind_of_frame(every_kind: Path):
    assert tshark(every_kind, *CHECK_ALL, "-Y", COMPLAINTS, "-T", "fields", "-e", "frame.comment") == []


def test_tshark_would_have_found_a_wrong_checksum(tmp_path: Path):
    """So that the test above can fail."""
    path = tmp_path / "wrong.pcapng"
    frame = bytearray(samples()["tcp data"])
    frame[-1] ^= 1
    with path.open("wb") as file:
        writer = pcapng.Writer(file)
        writer.packet(writer.interface("a"), 0, bytes(frame))
    assert len(tshark(path, *CHECK_ALL, "-Y", COMPLAINTS)) == 1


def test_tshark_reads_names_times_and_comments(every_kind: Path):
    fields = [f"-e{name}" for name in ("frame.interface_name", "frame.time_epoch", "frame.comment")]
    assert tshark(every_kind, "-T", "fields", *fields) == [
        f"h1-eth0\t{i / 10**6:.6f}000\t{name}" for i, name in enumerate(samples())
    ]


def test_tcpdump_finds_nothing_wrong_with_any_kind_of_frame(every_kind: Path):
    program = shutil.which("tcpdump")
    if program is None:
        pytest.skip("tcpdump is not installed; 'apt-get install tcpdump' would make this run")
    done = subprocess.run([program, "-nvvr", every_kind], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count("cksum") > 20
    complaints = ("wrong", "bad", "invalid", "incorrect", "truncated", "[|")
    assert [line for line in done.stdout.splitlines() if any(word in line for word in complaints)] == []
