"""Packets in pieces: what their memory costs, who holds it, and what is said of those who hold it wrongly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from netlab.stack.mbufs import (
    MCLBYTES,
    Array,
    Chain,
    DoubleFree,
    Escaped,
    Leak,
    NoBuffers,
    Pool,
    Shared,
    UseAfterFree,
    ephemeral,
    lines_touched,
)

Variant = type[Chain] | type[Array]
BOTH = pytest.mark.parametrize("variant", [Chain, Array])


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool() as made:
        yield made


@BOTH
def test_a_header_goes_into_the_headroom_that_was_left_for_it(pool: Pool, variant: Variant) -> None:
    m = variant(pool, b"payload", headroom=28)
    before = pool.in_use()
    m.prepend(b"UDP-----")
    m.prepend(b"I" * 20)
    assert (bytes(m), m.headroom, pool.in_use()) == (b"I" * 20 + b"UDP-----payload", 0, before)
    m.prepend(b"E" * 14)
    assert len(m.pieces) == 2, "no room was left: another piece"
    m.free()


@BOTH
def test_headers_that_lie_in_two_pieces_are_brought_together(pool: Pool, variant: Variant) -> None:
    m = variant(pool, b"I" * 20)
    m.cat(variant(pool, b"T" * 20 + b"data"))
    with pytest.raises(ValueError, match=r"pullup\(40\) first"):
        m.contiguous(40)
    m.pullup(40)
    assert bytes(m.contiguous(40)) == b"I" * 20 + b"T" * 20
    assert bytes(m) == b"I" * 20 + b"T" * 20 + b"data"
    m.free()


@BOTH
def test_a_copy_takes_no_cluster_and_writing_needs_one(pool: Pool, variant: Variant) -> None:
    m = variant(pool, b"x" * 5000)
    clusters = pool.in_use()["cluster"]
    copy = m.copy(1000, 3000)
    assert pool.in_use()["cluster"] == clusters
    with pytest.raises(Shared, match="unshare"):
        m.write(1500, b"y")
    assert bytes(m) == b"x" * 5000, "and nothing was written"
    m.unshare()
    m.write(1500, b"y")
    assert bytes(copy) == b"x" * 3000
    m.free()
    assert bytes(copy) == b"x" * 3000, "a cluster lives until its last holder frees it"
    copy.free()


@BOTH
def test_a_packet_is_split_and_joined_again(pool: Pool, variant: Variant) -> None:
    data = bytes(range(250)) * 20
    m = variant(pool, data)
    rest = m.split(1448)
    assert (bytes(m), bytes(rest)) == (data[:1448], data[1448:])
    m.cat(rest)
    assert bytes(m) == data
    with pytest.raises(UseAfterFree, match="taken over by cat"):
        len(rest)
    m.free()


@BOTH
def test_places_of_headers_are_forgotten_where_they_could_be_wrong(pool: Pool, variant: Variant) -> None:
    m = variant(pool, b"E" * 14 + b"I" * 20 + b"U" * 8, headroom=64)
    m.layers.l2, m.layers.l3, m.layers.l4 = 0, 14, 34
    m.adj(14)
    assert (m.layers.l2, m.layers.l3, m.layers.l4) == (None, 0, 20)
    m.prepend(b"E" * 14, "l2")
    assert (m.layers.l2, m.layers.l3, m.layers.l4) == (0, 14, 34), "said to be in front of what is known"
    other = m.copy(14)
    assert (other.layers.l3, other.layers.l4) == (0, 20)
    m.unshare()
    m.write(14, b"\x46")
    assert (m.layers.l3, m.layers.l4) == (14, None), "a header that changed may have another length"
    m.prepend(b"outer header")
    assert (m.layers.l2, m.layers.l3, m.layers.l4) == (None, None, None)
    other.adj(-10)
    assert (other.layers.l3, other.layers.l4) == (0, None), "cut off"
    m.free()
    other.free()


def test_what_nobody_freed_is_named_with_the_line_that_took_it() -> None:
    pool = Pool()
    kept = [Chain(pool, b"short") for _ in range(3)]
    with pytest.raises(Leak, match=r"3 × mbuf taken at test_mbufs\.py:\d+ in <listcomp>|3 × mbuf taken at test_mbufs"):
        pool.check()
    for m in kept:
        m.free()
    pool.check()


@BOTH
def test_a_freed_packet_is_neither_read_nor_freed_again(pool: Pool, variant: Variant) -> None:
    m = variant(pool, b"gone")
    m.free()
    with pytest.raises(UseAfterFree, match=r"made at test_mbufs.*freed at test_mbufs"):
        bytes(m)
    with pytest.raises(DoubleFree, match="freed again at test_mbufs"):
        m.free()


def test_memory_that_is_given_back_is_taken_first(pool: Pool) -> None:
    first, second = pool.take("mbuf"), pool.take("mbuf")
    assert second.address - first.address == 256
    pool.drop(first)
    third = pool.take("mbuf")
    assert third.address == first.address
    with pytest.raises(DoubleFree, match="taken at"):
        pool.drop(first)
    pool.drop(second)
    pool.drop(third)


def test_a_pool_at_its_limit_says_who_holds_it() -> None:
    pool = Pool(limits={"cluster": 2})
    m = Chain(pool, bytes(2 * MCLBYTES))
    with pytest.raises(NoBuffers, match=r"all 2 of kind cluster are in use.*test_mbufs"):
        Chain(pool, bytes(300))
    m.free()


def test_few_tags_lie_in_the_mbuf_and_many_cost_a_line_each(pool: Pool) -> None:
    inside, listed = Chain(pool, b"data", tags="mbuf"), Chain(pool, b"data", tags="list")
    for kind in range(4):
        inside.tags.set(kind, kind * 10)
        listed.tags.set(kind, kind * 10)
    assert list(inside.tags) == list(listed.tags)
    assert pool.in_use()["tag"] == 4
    assert lines_touched(listed) - lines_touched(inside) >= 3
    with pytest.raises(NoBuffers, match="room for 4 tags"):
        inside.tags.set(9, 9)
    listed.tags.set(9, 9)
    copy = listed.copy()
    listed.tags.remove(9)
    assert (copy.tags.get(9), listed.tags.get(9)) == (9, None)
    for m in (inside, listed, copy):
        m.free()


def test_an_array_finds_an_offset_in_a_third_of_the_lines_that_a_list_needs(pool: Pool) -> None:
    chain, array = Chain(pool, bytes(200_000)), Array(pool, bytes(200_000))
    walk = lines_touched(chain, 190_000, 190_000), lines_touched(array, 190_000, 190_000)
    assert walk[0] > 90 and walk[0] >= 3 * walk[1]
    assert lines_touched(chain) - walk[0] > 3000, "to read the bytes costs more than to find them"
    chain.free()
    array.free()


def test_a_small_packet_lies_in_its_mbuf_or_takes_a_cluster(pool: Pool) -> None:
    chain, array = Chain(pool, bytes(60)), Array(pool, bytes(60))
    assert (chain.pieces, array.pieces) == ((60,), (60,))
    assert pool.in_use() == {"mbuf": 2, "cluster": 1}
    chain.free()
    array.free()


class Socket:
    """Somebody who keeps what he is given."""

    def __init__(self) -> None:
        self.queue: list[object] = []


@BOTH
def test_an_ephemeral_mbuf_is_consumed_inline_or_copied(pool: Pool, variant: Variant) -> None:
    with ephemeral(pool, b"lent bytes", variant) as m:
        also = m
        m.prepend(b"E" * 14)
        rest = m.split(14)
        copy = m.copy()
    assert (bytes(rest), bytes(copy)) == (b"lent bytes", b"E" * 14)
    with pytest.raises(UseAfterFree):
        bytes(also)
    rest.free()
    copy.free()


def test_who_keeps_an_ephemeral_mbuf_is_named(pool: Pool) -> None:
    socket = Socket()
    with pytest.raises(Escaped, match=r"made at test_mbufs.* was kept by a Socket\.queue"), ephemeral(pool, b"x") as m:
        socket.queue.append(m)
    with pytest.raises(UseAfterFree):
        bytes(socket.queue[0])  # type: ignore[call-overload]
    mine = Chain(pool, b"mine")
    with pytest.raises(Escaped, match=r"kept by cat\(\)"), ephemeral(pool, b"x") as m:
        mine.cat(m)
    mine.free()
