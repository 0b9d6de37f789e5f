"""TCP headers and options, and the options and proofs of multipath TCP."""

from __future__ import annotations

import pytest

from netlab.wire import mptcp, tcp
from netlab.wire.address import parse_ipv4, parse_ipv6

A, B = parse_ipv4("10.0.1.10"), parse_ipv4("10.0.2.10")


def segment(options: bytes = b"", payload: bytes = b"") -> bytes:
    return tcp.build(40000, 80, 1000, 2000, tcp.SYN | tcp.ACK, 65535, payload, A, B, options=options)


def read(options: bytes) -> tcp.Options:
    data = segment(options)
    header = tcp.parse(data)
    assert header is not None
    return tcp.options(data, 0, header)


def test_what_a_header_says():
    data = segment(b"\x02\x04\x05\xb4", b"abc")
    header = tcp.parse(data)
    assert header is not None
    assert (header.src, header.dst, header.seq, header.ack) == (40000, 80, 1000, 2000)
    assert (header.size, header.flags, tcp.flag_names(header.flags)) == (24, tcp.SYN | tcp.ACK, "SYN ACK")
    assert tcp.flag_names(0) == "none"
    assert tcp.checksum_ok(data, 0, len(data), A, B)
    assert not tcp.checksum_ok(data, 0, len(data) - 1, A, B)


@pytest.mark.parametrize("offset", [0, 4, 7, 15])
def test_a_data_offset_below_5_or_behind_the_end_is_not_read(offset):
    data = bytearray(segment(b"\x01" * 4))
    data[12] = offset << 4
    assert tcp.parse(data) is None


@pytest.mark.parametrize(
    "said",
    [
        tcp.NONE,
        tcp.Options(mss=1460),
        tcp.Options(mss=1460, window_scale=7, sack_ok=True, timestamps=(1, 2)),
        tcp.Options(timestamps=(0xFFFFFFFF, 0)),
        tcp.Options(timestamps=(3, 4), sack=((10, 20), (30, 40), (50, 60))),
        tcp.Options(sack=((1, 2), (3, 4), (5, 6), (7, 8))),
        tcp.Options(sack_ok=True, fast_open=b""),
        tcp.Options(fast_open=bytes(16)),
        tcp.Options(mptcp=(b"\x00\x01", b"\x50")),
        tcp.Options(other=((253, b"\x00\x00"),)),
    ],
)
def test_options_are_whole_words_and_read_back(said):
    packed = tcp.pack_options(said)
    assert len(packed) % 4 == 0 and len(packed) <= tcp.MAXIMUM_OPTIONS
    assert read(packed) == said


def test_a_linux_syn_is_written_as_linux_writes_it():
    said = tcp.Options(mss=1460, window_scale=7, sack_ok=True, timestamps=(0x01020304, 0))
    assert tcp.pack_options(said).hex() == "020405b40402080a010203040000000001030307"


@pytest.mark.parametrize("options", ["02040500 02000000", "02010000", "08ff0000", "01010102"])
def test_a_malformed_list_says_nothing(options):
    assert read(bytes.fromhex(options)) == tcp.NONE


def test_an_option_of_a_wrong_length_is_of_no_known_kind():
    assert read(b"\x02\x03\x05\x01") == tcp.Options(other=((tcp.MSS, b"\x05"),))


def test_what_follows_the_end_of_options_is_not_read():
    assert read(b"\x00\x02\x04\x05") == tcp.NONE


# ---- multipath TCP -------------------------------------------------------------------------------

IP6 = parse_ipv6("fd00::7")
PROOF = bytes(range(20))


@pytest.mark.parametrize(
    ("said", "size"),
    [
        (mptcp.Capable(), 4),
        (mptcp.Capable(1), 12),
        (mptcp.Capable(1, 2), 20),
        (mptcp.Capable(1, 2, 1000), 22),
        (mptcp.Capable(1, 2, 1000, 0xABCD, mptcp.CHECKSUM_REQUIRED | mptcp.HMAC_SHA256), 24),
        (mptcp.JoinSyn(True, 3, 0xDEADBEEF, 7), 12),
        (mptcp.JoinSynAck(False, 3, PROOF[:8], 7), 16),
        (mptcp.JoinAck(PROOF), 24),
        (mptcp.Dss(), 4),
        (mptcp.Dss(data_ack=5), 12),
        (mptcp.Dss(data_ack=5, wide_ack=False), 8),
        (mptcp.Dss(dsn=1 << 63, ssn=1, length=1000), 18),
        (mptcp.Dss(dsn=9, ssn=1, length=1000, wide_dsn=False, checksum=3), 16),
        (mptcp.Dss(5, 6, 7, 8, 9, True), 28),
        (mptcp.AddAddr(1, 4, A, None, PROOF[:8]), 16),
        (mptcp.AddAddr(1, 4, A, 80, PROOF[:8]), 18),
        (mptcp.AddAddr(1, 6, IP6, None, PROOF[:8]), 28),
        (mptcp.AddAddr(1, 6, IP6, 80, PROOF[:8]), 30),
        (mptcp.AddAddr(1, 4, A), 8),
        (mptcp.AddAddr(1, 4, A, 80), 10),
        (mptcp.AddAddr(1, 6, IP6), 20),
        (mptcp.AddAddr(1, 6, IP6, 80), 22),
        (mptcp.RemoveAddr((1, 2, 3)), 6),
        (mptcp.Prio(True), 3),
        (mptcp.Fail(1 << 60), 12),
        (mptcp.FastClose(1 << 60), 12),
        (mptcp.Reset(1, mptcp.MIDDLEBOX), 4),
    ],
)
def test_every_option_has_the_length_of_rfc_8684_and_reads_back(said, size):
    value = said.pack()
    assert len(value) + 2 == size
    assert mptcp.parse(value) == said


@pytest.mark.parametrize(
    "value", ["", "00", "000101", "10", "20", "2001", "30", "40", "5000", "60", "70", "80", "90", "f0"]
)
def test_a_value_of_a_length_that_its_subtype_cannot_have_is_none(value):
    assert mptcp.parse(bytes.fromhex(value)) is None


@pytest.mark.parametrize(
    ("key", "token", "idsn"),
    [
        (0x1FDB5DF328BC3DEF, 0x239FBDB0, 14413541604287230029),
        (0x29A6C86981AD933C, 0xA35D6D82, 11713449205243392241),
    ],
)
def test_tokens_and_data_sequence_numbers_of_a_real_connection(key, token, idsn):
    assert mptcp.token(key) == token
    assert mptcp.initial_dsn(key) == idsn


def test_the_first_data_option_as_it_stands_on_the_wire():
    dsn = mptcp.initial_dsn(0x1FDB5DF328BC3DEF) + 1
    assert mptcp.Dss(dsn=dsn, ssn=1, length=4).pack().hex() == "200c" + f"{dsn:016x}" + "00000001" + "0004"


@pytest.mark.parametrize(
    ("keys", "nonces", "start", "end"),
    [
        (b"0b0b0b0b0b0b0b0b", b"48692054", "8385e24f", "622dcafa"),
        (b"aaaaaaaaaaaaaaaa", b"dddddddd", "2c5e2191", "f71046e9"),
        (b"0102030405060708", b"cdcdcdcd", "e73b9ba9", "5dbbc6e7d"),
    ],
)
def test_proofs_of_a_join_agree_with_linux(keys, nonces, start, end):
    """The vectors of Linux' own test of its MPTCP hashes."""
    numbers = [int.from_bytes(part, "big") for part in (keys[:8], keys[8:], nonces[:4], nonces[4:])]
    proof = mptcp.join_hmac(*numbers).hex()
    assert proof.startswith(start) and proof.endswith(end)


def test_both_ends_prove_themselves_with_their_own_key_first():
    assert mptcp.join_hmac(1, 2, 3, 4) != mptcp.join_hmac(2, 1, 4, 3)


def test_an_address_is_proved_by_the_last_bits_of_its_hmac():
    """RFC 8684 §3.4.1. (Old kernels sent the first ones.)"""
    import hashlib
    import hmac

    key = (1).to_bytes(8, "big") + (2).to_bytes(8, "big")
    whole = hmac.new(key, b"\x05" + A.to_bytes(4, "big") + b"\0\x50", hashlib.sha256).digest()
    assert mptcp.add_addr_hmac(1, 2, 5, 4, A, 80) == whole[24:]


def test_the_checksum_of_a_mapping_covers_the_whole_data_sequence_number():
    from netlab.wire.checksum import internet

    dsn, payload = 0x0123456789ABCDEF, b"some data"
    spelled = dsn.to_bytes(8, "big") + (77).to_bytes(4, "big") + (9).to_bytes(2, "big") + b"\0\0"
    assert mptcp.dss_checksum(dsn, 77, 9, payload) == internet(spelled + payload)
