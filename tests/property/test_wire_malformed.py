"""Whatever comes from a wire or a file, reading it never raises anything that its reader did not promise."""

from __future__ import annotations

import io

from hypothesis import example, given, settings
from hypothesis import strategies as st

from netlab.errors import BadInput
from netlab.wire import arp, ethernet, icmp, icmpv6, ipv4, ipv6, mptcp, pcap, pcapng, tcp, udp, vlan, vxlan
from netlab.wire.decode import describe, flow_hash, flow_key, layers, malformed
from netlab.wire.samples import samples

FRAMES = list(samples().values())
PARSERS = [module.parse for module in (arp, ethernet, icmp, icmpv6, ipv4, ipv6, tcp, udp, vlan, vxlan)]

noise = st.binary(max_size=200)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A frame that was right, with bytes turned, cut out, put in, and its end lost."""
    frame = bytearray(draw(st.sampled_from(FRAMES)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(frame) - 1)))
        match draw(st.sampled_from(["turn", "cut", "insert", "end"])):
            case "turn":
                frame[place : place + 1] = draw(st.binary(min_size=1, max_size=2))
            case "cut":
                del frame[place : place + draw(st.integers(1, 20))]
            case "insert":
                frame[place:place] = draw(st.binary(min_size=1, max_size=20))
            case "end":
                del frame[place:]
    return bytes(frame)


frames = noise | damaged()


@given(frames)
@settings(max_examples=300)
def test_decoding_never_raises(frame):
    found = layers(frame)
    assert found, "every frame has at least one layer"
    assert len(found) < 100
    assert all(0 <= at <= len(frame) + 4 for _, _, at in found)
    assert describe(frame)
    assert flow_key(frame)
    assert 0 <= flow_hash(frame) < 2**32


@given(frames)
def test_all_kinds_of_buffer_are_read_alike(frame):
    want = [(name, at) for name, _, at in layers(frame)]
    for other in (bytearray(frame), memoryview(frame)):
        assert [(name, at) for name, _, at in layers(other)] == want
        assert describe(other) == describe(frame)
        assert flow_key(other) == flow_key(frame)


@given(frames)
def test_bare_packets_never_raise(packet):
    assert layers(packet, "ip")
    assert describe(packet, "ip")
    assert flow_key(packet, "ip")


@given(noise, st.integers(0, 220))
def test_no_parser_raises_at_any_offset(data, at):
    for parse in PARSERS:
        header = parse(data, at)
        assert header is None or at + header.size <= len(data)
    assert isinstance(ipv4.fault(data, at), str)
    assert isinstance(ipv6.fault(data, at), str)
    upper = ipv6.upper(data, at)
    assert upper is None or upper.at <= len(data)


@given(st.sampled_from([0x45, 0x4F, 0x60, 0x50]), noise)
def test_no_parser_raises_on_what_begins_like_a_header(first, data):
    test_no_parser_raises_at_any_offset.hypothesis.inner_test(bytes((first,)) + data, 0)


@given(st.binary(max_size=40))
@example(b"\x05\x01\x00\x00")
def test_tcp_options_never_raise(options):
    padded = options + bytes(-len(options) % 4)
    data = tcp.build(1, 2, 3, 4, 5, 6, b"", 7, 8, options=padded)
    header = tcp.parse(data)
    assert header is not None
    assert isinstance(tcp.options(data, 0, header), tcp.Options)


@given(st.binary(max_size=40))
def test_mptcp_options_never_raise(value):
    said = mptcp.parse(value)
    assert said is None or isinstance(said.pack(), bytes)


@given(st.integers(0, 8), st.integers(0, 31), st.binary(max_size=30))
def test_mptcp_options_of_every_subtype_never_raise(subtype, second, rest):
    test_mptcp_options_never_raise.hypothesis.inner_test(bytes((subtype << 4, second)) + rest)


@given(noise, st.integers(0, 40))
def test_neighbour_discovery_never_raises(data, at):
    for end in (len(data), len(data) + 8, at):
        icmpv6.options(data, at, min(end, len(data)))
        icmpv6.parse_neighbor(data, at, end)
        icmpv6.parse_advertisement(data, at, end)


@given(st.binary(max_size=40))
def test_ipv4_options_never_raise(options):
    packet = ipv4.build(1, 2, 3, b"", options=options)
    found = ipv4.options(packet)
    assert found is None or all(len(value) <= 38 for _, value in found)


def capture() -> bytes:
    file = io.BytesIO()
    writer = pcapng.Writer(file, comment="c")
    for i, frame in enumerate(FRAMES[:6]):
        writer.packet(writer.interface(f"h{i % 2}"), i, frame, comment="said")
    return file.getvalue()


def classic() -> bytes:
    file = io.BytesIO()
    writer = pcap.Writer(file)
    for i, frame in enumerate(FRAMES[:6]):
        writer.packet(i, frame)
    return file.getvalue()


@given(st.sampled_from([capture(), classic()]), st.integers(0, 900), st.binary(max_size=8), st.integers(0, 1200))
def test_a_damaged_capture_gives_packets_or_one_sentence(data, place, patch, end):
    spoiled = (data[:place] + patch + data[place + len(patch) :])[: max(end, 8)]
    reader = pcap.Reader if pcap.is_pcap(spoiled) else pcapng.Reader
    try:
        packets = list(reader(io.BytesIO(spoiled)))
    except BadInput as error:
        assert "this is no pcap" in str(error)
    else:
        assert sum(len(packet.data) for packet in packets) <= len(spoiled)


def test_a_complaint_is_about_the_first_thing_that_is_wrong():
    frame = FRAMES[4][:50]
    assert malformed(layers(frame)).startswith("IPv4 total length")
