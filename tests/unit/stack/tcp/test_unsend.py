"""What the own interface refused was never sent: segments are taken back, and go again as if for the first time."""

from __future__ import annotations

from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.knobs import linux
from netlab.stack.tcp.segment import Segment
from netlab.stack.tcp.sequence import WRAP
from netlab.units import MS
from netlab.wire.tcp import ACK, SYN, Options


def established(iss: int = 1000) -> Connection:
    """An active opener with a window of ten segments of 1,000 bytes, and nothing sent yet."""
    connection = Connection(linux(), mss=1000, iss=iss)
    connection.timestamping = connection.scaling = False
    connection.open(0)
    answer = Options(mss=1000, sack_ok=True)
    connection.segment(Segment(5000, (iss + 1) % WRAP, SYN | ACK, 60000, options=answer), 10 * MS)
    return connection


def texts(connection: Connection, now: int) -> list[tuple[int, int]]:
    """What `push` sends now: first byte, counted from the first of all, and how many."""
    sent = [action for action in connection.push(now) if isinstance(action, Segment)]
    return [((s.seq - connection.iss - 1) % WRAP, len(s.payload)) for s in sent]


def test_the_tail_from_a_refused_segment_on_goes_again() -> None:
    connection = established()
    connection.write(bytes(5000))
    assert texts(connection, 20 * MS) == [(0, 1000), (1000, 1000), (2000, 1000), (3000, 1000), (4000, 1000)]
    assert connection.unsend(connection.iss + 1 + 3000)
    assert connection.snd_nxt == connection.snd_max == connection.iss + 1 + 3000
    assert connection.in_flight == 3000
    assert texts(connection, 21 * MS) == [(3000, 1000), (4000, 1000)]
    assert not connection.board.lost, "it is no retransmission: nothing was lost"


def test_all_taken_back_leaves_no_timer_and_no_flight() -> None:
    connection = established()
    connection.write(bytes(1000))
    assert texts(connection, 20 * MS) == [(0, 1000)]
    assert connection.unsend(connection.iss + 1)
    assert connection.in_flight == 0
    assert not {"retransmit", "tail"} & connection.timers.keys()
    assert texts(connection, 30 * MS) == [(0, 1000)]
    assert {"retransmit", "tail"} & connection.timers.keys()


def test_a_fin_is_taken_back_with_its_text() -> None:
    connection = established()
    connection.write(bytes(500))
    connection.shutdown(20 * MS)
    assert connection.fin_sent
    connection.unsend(connection.iss + 1)
    assert not connection.fin_sent
    again = [action for action in connection.push(21 * MS) if isinstance(action, Segment)]
    assert len(again) == 1 and again[0].flags & 1 and len(again[0].payload) == 500


def test_a_retransmission_that_was_refused_is_lost_again_and_takes_nothing_else_back() -> None:
    connection = established()
    connection.write(bytes(4000))
    texts(connection, 20 * MS)
    connection.timer(2000 * MS)  # a tail loss probe
    connection.timer(9000 * MS)
    first = connection.board.segments[0]
    assert first.times > 1, "the timer has run out, and the first segment was sent again"
    before = connection.snd_nxt
    assert not connection.unsend(first.start)
    assert connection.snd_nxt == before
    assert (first.lost, first.retransmitted) == (True, False)
    assert texts(connection, 9001 * MS)[0] == (0, 1000)


def test_a_piece_in_the_middle_of_a_long_segment_is_where_it_is_cut() -> None:
    connection = established()
    connection.longest = lambda: 64000
    connection.write(bytes(6000))
    assert texts(connection, 20 * MS) == [(0, 6000)]
    connection.unsend(connection.iss + 1 + 2000)
    assert connection.in_flight == 2000
    assert texts(connection, 21 * MS) == [(2000, 4000)]


def test_sequence_numbers_may_wrap() -> None:
    connection = established(iss=WRAP - 1500)
    connection.write(bytes(3000))
    assert len(texts(connection, 20 * MS)) == 3
    connection.unsend(connection.iss + 1 + 2000)
    assert texts(connection, 21 * MS) == [(2000, 1000)]


def test_no_more_than_the_limit_waits_unsent() -> None:
    """TCP_NOTSENT_LOWAT: the rest stays with the program, which hears when there is room."""
    connection = established()
    connection.unsent_limit = 3000
    assert connection.write(bytes(20000)) == 3000
    sent = connection.push(20 * MS)
    assert [action.what for action in sent if not isinstance(action, Segment)] == ["writable"]
    assert connection.write(bytes(20000)) == 3000, "what was sent does not count"
