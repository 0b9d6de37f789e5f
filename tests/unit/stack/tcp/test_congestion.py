"""Congestion controls, each alone; DCTCP bit by bit against the integer recursion that FreeBSD's kernel runs."""

from __future__ import annotations

import random

import pytest
from twowire import Wire

from netlab.stack.tcp.congestion import CONTROLS
from netlab.stack.tcp.congestion.cubic import Cubic, cube_root
from netlab.stack.tcp.congestion.dctcp import MAX_ALPHA, RECURSIONS, Dctcp, next_alpha
from netlab.stack.tcp.congestion.newreno import NewReno
from netlab.stack.tcp.knobs import SYSTEMS
from netlab.stack.tcp.layer import Pair, Step, TcpLayer, Tunnel
from netlab.stack.tcp.segment import Segment
from netlab.units import MS, SEC
from netlab.wire.tcp import ECE, SYN

MSS = 1000


@pytest.mark.parametrize("name", CONTROLS)
def test_slow_start_doubles_until_the_threshold(name: str) -> None:
    control = CONTROLS[name](MSS, 10)
    assert control.cwnd == 10 * MSS
    for _ in range(5):
        control.acknowledged(2 * MSS, 50 * MS, 0)
    assert control.cwnd == 20 * MSS


@pytest.mark.parametrize("name", CONTROLS)
def test_a_timeout_leaves_one_segment_and_half_the_flight(name: str) -> None:
    control = CONTROLS[name](MSS, 10)
    control.timed_out(10 * MSS, 0, first=True)
    assert control.cwnd == MSS
    assert 5 * MSS <= control.ssthresh <= 7 * MSS
    held = control.ssthresh
    control.timed_out(MSS, SEC, first=False)
    assert control.ssthresh == held, "only the first timeout in a row says something of the path"


def test_newreno_adds_a_segment_each_round_trip() -> None:
    control = NewReno(MSS, 10)
    control.congested(20 * MSS, 0)
    assert control.cwnd == 10 * MSS
    for _ in range(10):
        control.acknowledged(MSS, 50 * MS, 0)
    assert control.cwnd == 11 * MSS


@pytest.mark.parametrize("number", [0, 1, 7, 8, 26, 27, 28, 10**9, 10**18 - 1, 10**18, 3**60])
def test_the_cube_root_is_exact(number: int) -> None:
    root = cube_root(number)
    assert root**3 <= number < (root + 1) ** 3


def test_cubic_is_back_at_its_maximum_after_k() -> None:
    """RFC 9438 §4.2: K = cube root of Wmax (1 - β) / C seconds; 100 segments come back after 4.2 s."""
    control = Cubic(MSS, 10)
    control.cwnd = 100 * MSS
    control.congested(100 * MSS, 0)
    assert control.cwnd == 70 * MSS
    now, rtt = 0, 100 * MS
    sizes = {}
    while now < 9 * SEC:
        for _ in range(control.cwnd // MSS):
            control.acknowledged(MSS, rtt, now)
        now += rtt
        sizes[now // rtt] = control.cwnd
    assert 96 * MSS <= sizes[42] <= 101 * MSS
    early, plateau, late = sizes[10] - sizes[5], sizes[44] - sizes[39], sizes[85] - sizes[80]
    assert plateau < early < late, "concave, flat around the maximum, then convex"


def test_cubic_is_not_slower_than_reno_where_windows_are_small() -> None:
    """RFC 9438 §4.3: on a short path with a small window the Reno-friendly region rules."""
    control = Cubic(MSS, 10)
    control.cwnd = 10 * MSS
    control.congested(10 * MSS, 0)
    begin, now = control.cwnd, 0
    for _ in range(20):
        for _ in range(control.cwnd // MSS):
            control.acknowledged(MSS, 1 * MS, now)
        now += 1 * MS
    assert control.cwnd - begin >= 9 * MSS


# ---- DCTCP ---------------------------------------------------------------------------------------


def freebsd_alpha(alpha: int, ecn: int, total: int) -> int:
    """The recursion of sys/netinet/cc/cc_dctcp.c: shift 10, shift_g 4."""
    return min(alpha - (alpha >> 4) + ((ecn << (10 - 4)) // max(total, 1) if ecn else 0), 1024)


def linux_alpha(alpha: int, ce: int, delivered: int) -> int:
    """The recursion of net/ipv4/tcp_dctcp.c: what is subtracted is alpha itself where a sixteenth of it is nothing."""
    alpha -= alpha >> 4 or alpha
    if ce:
        alpha = min(alpha + (ce << 6) // max(delivered, 1), 1024)
    return alpha


FORMS = {"freebsd": freebsd_alpha, "linux": linux_alpha}


@pytest.mark.parametrize("system", FORMS)
@pytest.mark.parametrize("seed", range(25))
def test_alpha_follows_the_kernels_integers_on_any_trace(seed: int, system: str) -> None:
    rng = random.Random(seed)
    ours = theirs = MAX_ALPHA
    quiet = 0
    for _ in range(500):
        total = rng.randrange(1, 1 << 20)
        quiet = quiet - 1 if quiet else rng.choice([0, 0, 0, 100])
        marked = 0 if quiet else rng.choice([0, 0, total, rng.randrange(total + 1)])
        ours, theirs = RECURSIONS[system](ours, marked, total), FORMS[system](theirs, marked, total)
        assert ours == theirs


class Observed(Wire):
    """A wire whose near end is a DCTCP sender, with somebody who looks on: he sees segments, and nothing else."""

    def __init__(self, system: str, seed: int, share: float) -> None:
        knobs = [SYSTEMS[name]() for name in (system, "linux")]
        for one in knobs:
            one.congestion, one.ecn = "dctcp", 1
        super().__init__(*knobs, seed=seed)
        self.system, self.share = system, share
        self.alpha, self.una, self.sent, self.window_end = MAX_ALPHA, 0, 0, -1
        self.counted = self.echoed = self.windows = 0

    def post(self, sender: TcpLayer, step: Step) -> None:
        """What leaves is marked at random; what the near end sends and hears is noted."""
        marked = [
            out._replace(segment=out.segment._replace(ecn=3))
            if out.segment.ecn and self.rng.random() < self.share
            else out
            for out in step.send
        ]
        if sender is self.a:
            for out in marked:
                first = (out.segment.seq - self.iss) % (1 << 32) if self.sent else 0
                self.iss = self.iss if self.sent else out.segment.seq
                self.sent = max(self.sent, first + out.segment.length)
        super().post(sender, step._replace(send=marked))

    def heard(self, ack: Segment) -> None:
        """An acknowledgement is about to reach the near end."""
        una = (ack.ack - self.iss) % (1 << 32)
        octets, self.una = una - self.una, una
        self.counted += octets
        self.echoed += octets if ack.flags & ECE else 0
        if una <= self.window_end:
            return
        if self.window_end >= 0:
            self.alpha = FORMS[self.system](self.alpha, self.echoed, self.counted)
            self.counted = self.echoed = 0
            self.windows += 1
        self.window_end = self.sent


@pytest.mark.parametrize("system", FORMS)
@pytest.mark.parametrize(("seed", "share"), [(1, 0.0), (2, 0.02), (3, 0.1), (4, 0.3), (5, 0.9), (6, 1.0)])
def test_a_connection_s_alpha_is_the_onlooker_s_after_every_acknowledgement(
    system: str, seed: int, share: float
) -> None:
    wire = Observed(system, seed, share)
    near = wire.connect()
    wire.una = 1  # the SYN
    c, left = near.connection, 400_000
    hear = wire.a.segment

    def look_on(pair: Pair, segment: Segment, now: int, tunnel: Tunnel | None = None) -> Step:
        if not segment.flags & SYN:
            wire.heard(segment)
        step = hear(pair, segment, now, tunnel)
        assert isinstance(c.control, Dctcp)
        assert c.control.alpha == wire.alpha
        return step

    wire.a.segment = look_on  # type: ignore[method-assign]
    far = None
    while wire.step() and c.delivered < 400_000:
        if c.state >= 4 and left and c.room:
            left -= c.write(bytes(min(left, c.room)))
            wire.do(wire.a, near, list(c.push(wire.now)))
        far = far or wire.listener.accept()
        if far is not None and far.connection.read(1 << 20):
            wire.do(wire.b, far, list(far.connection.push(wire.now)))
    assert c.delivered == 400_000 and wire.windows >= 5


@pytest.mark.parametrize("seed", range(10))
def test_a_connection_s_alpha_moves_once_a_window(seed: int) -> None:
    rng = random.Random(seed)
    control, theirs = Dctcp(MSS, 10), MAX_ALPHA
    una = 0
    control.counted(0, False, una, nxt := 10 * MSS)
    for _ in range(100):
        marked = total = 0
        end = nxt
        while una <= end:
            una += MSS
            echoed = rng.random() < 0.3
            total += MSS
            marked += MSS * echoed
            nxt = una + 10 * MSS
            control.counted(MSS, echoed, una, nxt)
        theirs = freebsd_alpha(theirs, marked, total)
        assert control.alpha == theirs


def test_the_cut_is_half_of_alpha() -> None:
    control = Dctcp(MSS, 10)
    control.cwnd = 100 * MSS
    for alpha, left in ((1024, 50 * MSS), (512, 75 * MSS), (64, 96_875), (0, 100 * MSS)):
        control.cwnd, control.alpha = 100 * MSS, alpha
        control.marked(0, 0)
        assert control.cwnd == left


def test_without_marks_alpha_decays() -> None:
    alpha = MAX_ALPHA
    for _ in range(200):
        alpha = next_alpha(alpha, 0, 10)
    assert alpha < 16, "integers stop at 15/1024: α - α/16 moves no more"
