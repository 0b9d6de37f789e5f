"""The parts of a connection, each alone: numbers, tables, timers, queues, cookies."""

from __future__ import annotations

import random

import pytest

from netlab.stack.tcp.cookies import CookieJar, recall, syn_cookie
from netlab.stack.tcp.knobs import freebsd, linux
from netlab.stack.tcp.options import pack_freebsd, pack_linux, scale_for
from netlab.stack.tcp.reassembly import Reassembly
from netlab.stack.tcp.rto import RtoEstimator
from netlab.stack.tcp.scoreboard import Scoreboard, Sent
from netlab.stack.tcp.segment import Segment, reset_for
from netlab.stack.tcp.sequence import WRAP, unwrap
from netlab.stack.tcp.state import TABLE, State
from netlab.units import MS, SEC
from netlab.wire import tcp
from netlab.wire.tcp import Options


@pytest.mark.parametrize("near", [0, 5, WRAP - 1, WRAP, 7 * WRAP + 3, -1])
@pytest.mark.parametrize("away", [0, 1, -1, 1000, -1000, (1 << 31) - 1, -(1 << 31)])
def test_a_wire_number_means_the_nearest(near: int, away: int) -> None:
    assert unwrap(near, (near + away) % WRAP) == near + away


def test_every_state_is_reached_and_left() -> None:
    reached = {transition.next for transition in TABLE.values()}
    left = {state for state, _ in TABLE}
    assert reached == left == set(State)


def test_a_reset_answers_what_belongs_to_nobody() -> None:
    assert reset_for(Segment(7, 0, tcp.SYN)) == Segment(0, 8, tcp.RST | tcp.ACK)
    assert reset_for(Segment(7, 9, tcp.ACK, payload=b"abc")) == Segment(9, 0, tcp.RST)
    assert reset_for(Segment(WRAP - 1, 0, tcp.FIN, payload=b"ab")) == Segment(0, 2, tcp.RST | tcp.ACK)
    assert reset_for(Segment(7, 0, tcp.RST)) is None


@pytest.mark.parametrize(("buffer", "shift"), [(65535, 0), (65536, 1), (2**21, 6), (2**30, 14), (2**40, 14)])
def test_the_smallest_scale_that_is_enough(buffer: int, shift: int) -> None:
    assert scale_for(buffer) == shift


def test_two_layouts_of_the_same_options() -> None:
    said = Options(mss=1460, window_scale=7, sack_ok=True, timestamps=(1, 0))
    assert pack_freebsd(said).hex() == "020405b401030307" + "0402" + "080a0000000100000000"
    assert pack_linux(said).hex() == "020405b4" + "0402080a0000000100000000" + "01030307"
    for pack in (pack_freebsd, pack_linux):
        header = tcp.build(1, 2, 0, 0, tcp.SYN, 0, b"", 3, 4, options=pack(said))
        parsed = tcp.parse(header)
        assert parsed is not None
        assert tcp.options(header, 0, parsed) == said


# ---- the timeout (RFC 6298) ----------------------------------------------------------------------


def test_the_first_sample_and_the_next() -> None:
    rto = RtoEstimator(linux())
    assert rto.timeout == 1 * SEC
    rto.sample(100 * MS)
    assert (rto.srtt, rto.variance, rto.timeout) == (100 * MS, 50 * MS, 300 * MS)
    rto.sample(200 * MS)
    assert rto.srtt == 112_500_000, "7/8 old and 1/8 new"
    assert rto.variance == 62_500_000, "3/4 old and 1/4 of the difference"


def test_it_doubles_until_a_limit_and_starts_afresh_with_a_sample() -> None:
    rto = RtoEstimator(linux())
    waits = []
    for _ in range(9):
        waits.append(rto.timeout // SEC)
        rto.ran_out()
    assert waits == [1, 2, 4, 8, 16, 32, 64, 120, 120]
    rto.sample(10 * MS)
    assert rto.timeout == 210 * MS


def test_freebsd_adds_its_slop_to_all_but_the_first() -> None:
    rto = RtoEstimator(freebsd())
    first = rto.timeout
    rto.ran_out()
    assert (first, rto.timeout) == (1 * SEC, 2_200 * MS)


# ---- reassembly ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_any_pieces_gives_the_stream_back(seed: int) -> None:
    rng = random.Random(seed)
    stream = rng.randbytes(2000)
    queue, taken = Reassembly(), bytearray()
    while len(taken) < len(stream):
        start = rng.randrange(len(stream))
        end = min(len(stream), start + rng.randrange(1, 400))
        if start < len(taken):
            start = len(taken)
        if start >= end:
            continue
        queue.add(start, stream[start:end])
        taken += queue.take(len(taken))
        assert all(a.end < b.start for a, b in zip(queue.runs, queue.runs[1:], strict=False)), "runs never touch"
    assert bytes(taken) == stream


def test_what_is_held_wins_over_what_comes_later() -> None:
    queue = Reassembly()
    queue.add(10, b"AAAA")
    queue.add(8, b"bbbbbbbb")
    assert queue.take(8) == b"bbAAAAbb"


# ---- the scoreboard ------------------------------------------------------------------------------


def flight(n: int) -> Scoreboard:
    board = Scoreboard()
    for i in range(n):
        board.sent(Sent(i * 100, i * 100 + 100, i))
    return board


def test_what_is_in_flight_counts_losses_and_what_went_again() -> None:
    board = flight(5)
    assert board.in_flight == 500
    board.mark_sacked(200, 400)
    assert (board.in_flight, board.sacked) == (300, 200)
    board.mark_lost(board.segments[0])
    assert board.in_flight == 200
    board.sent_again(board.segments[0], 9)
    assert board.in_flight == 300
    assert board.next_lost() is None
    board.lose_all()
    assert board.in_flight == 0
    assert board.next_lost() is board.segments[0], "what went again is lost again"


def test_an_acknowledgement_in_the_middle_of_a_segment_cuts_it() -> None:
    board = flight(3)
    done = board.acknowledged(150)
    assert [s.start for s in done] == [0]
    assert (board.segments[0].start, board.outstanding) == (150, 150)


def test_lost_segments_are_merged_and_cut() -> None:
    board = flight(4)
    board.lose_all()
    board.merge_next(board.segments[0], 250)
    assert [(s.start, s.end) for s in board.segments] == [(0, 200), (200, 300), (300, 400)]
    board.split(board.segments[0], 120)
    assert [(s.start, s.end) for s in board.segments][:2] == [(0, 120), (120, 200)]
    assert board.lost == 400


# ---- cookies -------------------------------------------------------------------------------------

PAIR = (1, 80, 2, 5000, 4)


def test_a_syn_cookie_recalls_what_the_syn_said() -> None:
    syn = Segment(123, 0, tcp.SYN, options=Options(mss=1460, window_scale=7, sack_ok=True))
    cookie = syn_cookie(b"secret", PAIR, syn)
    recalled = recall(b"secret", PAIR, Segment(124, cookie + 1, tcp.ACK))
    assert recalled is not None
    assert recalled.irs == 123
    assert recalled.options == Options(mss=1460, window_scale=7, sack_ok=True)


def test_a_syn_cookie_of_another_secret_address_or_number_is_none() -> None:
    cookie = syn_cookie(b"secret", PAIR, Segment(123, 0, tcp.SYN))
    assert recall(b"other", PAIR, Segment(124, cookie + 1, tcp.ACK)) is None
    assert recall(b"secret", (9, *PAIR[1:]), Segment(124, cookie + 1, tcp.ACK)) is None
    assert recall(b"secret", PAIR, Segment(125, cookie + 1, tcp.ACK)) is None
    assert recall(b"secret", PAIR, Segment(124, cookie + 2, tcp.ACK)) is None


def test_a_jar_asks_keeps_and_gives_up() -> None:
    jar = CookieJar()
    assert jar.option_for(1) == b"", "an empty option asks"
    jar.learn(1, b"12345678", data_taken=False)
    assert jar.option_for(1) == b"12345678"
    jar.learn(1, None, data_taken=True)
    assert jar.option_for(1) == b"12345678", "a cookie that worked needs no new one"
    jar.learn(2, None, data_taken=False)
    assert jar.option_for(2) is None, "a peer that was asked in vain is not asked again"
