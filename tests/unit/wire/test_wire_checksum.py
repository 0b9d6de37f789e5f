"""The Internet checksum against the vectors of its RFCs, and against the loop that everybody writes first."""

from __future__ import annotations

import pytest

from netlab.wire import checksum


def by_the_book(data: bytes) -> int:
    """RFC 1071 §4.1 word by word."""
    data += b"\0" * (len(data) % 2)
    total = 0
    for i in range(0, len(data), 2):
        total += data[i] << 8 | data[i + 1]
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_the_example_of_rfc_1071():
    data = bytes.fromhex("0001f203f4f5f6f7")
    assert checksum.fold(checksum.total(data)) == 0xDDF2
    assert checksum.internet(data) == 0x220D


def test_bytes_swapped_give_the_sum_swapped():
    data = bytes(range(1, 41))
    swapped = bytes(b for i in range(0, len(data), 2) for b in (data[i + 1], data[i]))
    assert checksum.internet(swapped).to_bytes(2, "little") == checksum.internet(data).to_bytes(2, "big")


def test_an_odd_last_byte_counts_as_the_high_half_of_a_word():
    assert checksum.internet(b"\x12\x34\x56") == checksum.internet(b"\x12\x34\x56\x00") == 0xFFFF - 0x1234 - 0x5600


@pytest.mark.parametrize("size", [0, 1, 2, 511, 512, 513, 514, 767, 768, 769, 1460, 9001, 65535])
@pytest.mark.parametrize("fill", [0x00, 0x5A, 0xFF])
def test_every_size_agrees_with_the_loop(size, fill):
    data = bytes([fill]) * size
    assert checksum.internet(data) == by_the_book(data)
    assert checksum.internet(memoryview(data)) == by_the_book(data)
    assert checksum.internet(bytearray(data)) == by_the_book(data)


def test_no_bits_at_all_and_minus_zero_are_told_apart():
    assert checksum.internet(b"\0\0") == 0xFFFF  # nothing was summed
    assert checksum.internet(b"\xff\xff") == 0x0000  # the sum is "minus zero"
    assert (checksum.fold(0), checksum.fold(0xFFFF), checksum.fold(2 * 0xFFFF)) == (0, 0xFFFF, 0xFFFF)


def test_a_packet_with_its_own_checksum_is_correct_until_a_bit_turns():
    data = bytearray(b"\x45\x00\x00\x54\x00\x00\x40\x00\x40\x01")
    data += checksum.internet(data).to_bytes(2, "big")
    assert checksum.correct(data)
    data[3] ^= 1
    assert not checksum.correct(data)


def test_the_update_of_rfc_1624_gives_plus_zero_where_rfc_1141_fails():
    """The example of RFC 1624 §4: the older equation gives 0xffff here, and a router would send a wrong header."""
    assert checksum.update16(0xDD2F, 0x5555, 0x3285) == 0x0000


def test_updating_agrees_with_computing_anew():
    words = [0x4500, 0x0054, 0x1C46, 0x4000, 0x4001, 0xC0A8, 0x0001, 0xC0A8, 0x00C7]

    def computed() -> int:
        return checksum.internet(b"".join(word.to_bytes(2, "big") for word in words))

    before = computed()
    ttl_down = words[4] - 0x100
    after = checksum.update16(before, words[4], ttl_down)
    words[4] = ttl_down
    assert after == computed()

    old, new = words[5] << 16 | words[6], 0x0A000001
    moved = checksum.update32(after, old, new)
    words[5:7] = [new >> 16, new & 0xFFFF]
    assert moved == computed()


def test_a_pseudo_header_is_a_plain_sum_for_both_ip_versions():
    src4, dst4 = 0x0A00010A, 0x0A00020A
    spelled4 = src4.to_bytes(4, "big") + dst4.to_bytes(4, "big") + bytes((0, 17)) + (1000).to_bytes(2, "big")
    assert checksum.internet(b"x", checksum.pseudo(src4, dst4, 17, 1000)) == by_the_book(spelled4 + b"x")

    src6, dst6 = 0xFD << 120 | 0xFFFF_FFFF_0001, 0xFE80 << 112 | 7
    spelled6 = src6.to_bytes(16, "big") + dst6.to_bytes(16, "big") + (70000).to_bytes(4, "big") + bytes((0, 0, 0, 58))
    assert checksum.internet(b"x", checksum.pseudo(src6, dst6, 58, 70000)) == by_the_book(spelled6 + b"x")


def test_a_checksum_that_was_left_undone_is_finished():
    """What a packet socket shows of a packet whose sender has a device that sums."""
    from netlab.wire import ipv4, tcp, udp

    done = ipv4.build(1, 2, 17, udp.build(40000, 9000, b"hello", 1, 2))
    undone = ipv4.build(1, 2, 17, udp.partial(40000, 9000, b"hello", 1, 2))
    assert checksum.finish(undone, 20, 6) == done

    segment = tcp.build(1, 2, 3, 4, tcp.ACK, 5, b"data", 6, 7)
    pseudo = checksum.fold(checksum.pseudo(6, 7, 6, len(segment)))
    assert checksum.finish(segment[:16] + pseudo.to_bytes(2, "big") + segment[18:], 0, 16) == segment
