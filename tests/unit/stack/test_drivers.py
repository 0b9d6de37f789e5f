"""Drivers pass the kit; drivers that are wrong in one way are found out; wrappers change what they say and no more."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from netlab.backend.sim.linkdriver import LinkDriver, cable
from netlab.sim.link import LinkDirection
from netlab.sim.loop import EventLoop
from netlab.sim.rng import Streams
from netlab.stack.drivers.api import Attached, Driver
from netlab.stack.drivers.faults import Faults, Faulty, Injector
from netlab.stack.drivers.kit import CHECKS, Pair, conforms
from netlab.stack.drivers.layered import Bridged, Place, Tagged, Tunnelled
from netlab.stack.drivers.pipe import Pipe, loopback, pipe
from netlab.stack.drivers.watch import Capture, Tracer
from netlab.stack.ifnet import Ifnet
from netlab.units import MS
from netlab.wire import pcapng, vlan

FRAME = bytes.fromhex("02000000000202000000000188b5") + bytes(50)
CLEAN = Faults()


def nothing() -> None:
    """What is joined back to back has arrived when it is sent."""


def wrapped(wrap: Callable[[Driver], Driver]) -> Callable[[], Pair]:
    return lambda: Pair(*(wrap(end) for end in pipe("a", "b")), nothing)


def both_ends_of_loopback() -> Pair:
    lo = loopback()
    return Pair(lo, lo, nothing)


def simulated() -> Pair:
    """A cable of 1 Gbit/s in virtual time."""
    loop, chance = EventLoop(), Streams(1).stream("x")
    a, b = (LinkDriver(name, loop, LinkDirection(10**9, MS, 0.0, chance), queue=100) for name in "ab")
    cable(a, b)
    return Pair(a, b, loop.run)


def tunnel(vni: int = 42) -> Pair:
    """Two ends of one network over a pipe."""
    ends = [Place(bytes((2, 0, 0, 0, 0, n)), 0x0A000000 + n) for n in (1, 2)]
    a, b = pipe("a", "b")
    return Pair(Tunnelled(a, 42, ends[0], ends[1]), Tunnelled(b, vni, ends[1], ends[0]), nothing)


GOOD: dict[str, Callable[[], Pair]] = {
    "link": simulated,
    "pipe": lambda: Pair(*pipe("a", "b"), nothing),
    "pipe of four queues": lambda: Pair(*pipe("a", "b", queues=4, mtu=9000), nothing),
    "loopback": both_ends_of_loopback,
    "faulty without faults": wrapped(lambda d: Faulty(d, CLEAN, Streams(1).stream(d.name), lambda: 0)),
    "capture": wrapped(lambda d: Capture(d, pcapng.Writer(io.BytesIO()), lambda: 0)),
    "tracer": wrapped(lambda d: Tracer(d, [].append, lambda: 0)),
    "vlan": wrapped(lambda d: Tagged(d, 10)),
    "vlan in a service vlan": wrapped(lambda d: Tagged(Tagged(d, 100, tpid=vlan.STAG), 10)),
    "vxlan": lambda: tunnel(),
    "bridge": wrapped(lambda d: Bridged("br", (d,), lambda: 0)),
    "bridge of vlans": wrapped(lambda d: Bridged("br", (Tagged(d, 10),), lambda: 0)),
    "all wrappers": wrapped(
        lambda d: Tracer(
            Faulty(Capture(d, pcapng.Writer(io.BytesIO()), lambda: 0), CLEAN, Streams(1).stream("x"), lambda: 0),
            [].append,
            lambda: 0,
        )
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_driver_of_ours_conforms(name: str) -> None:
    assert len(conforms(GOOD[name])) == len(CHECKS)


class Short(Pipe):
    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        return super().transmit(frame[:-1], queue)


class Silent(Pipe):
    """Says that it took what it had no room for."""

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        super().transmit(frame, queue)
        return self.running


class Backwards(Pipe):
    def receive(self, queue: int = 0) -> bytes | None:
        return self.rings[queue].pop() if self.running and self.rings[queue] else None


class Twice(Pipe):
    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        return super().transmit(frame, queue) and super().transmit(frame, queue)


class Deaf(Pipe):
    """Never stops."""

    def down(self) -> None:
        pass


class Stale(Pipe):
    """Keeps what came while it was down."""

    def down(self) -> None:
        self.running = False

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        if self.running and not self.far.running:
            self.far.rings[queue].append(frame)
        return super().transmit(frame, queue)

    def up(self) -> None:
        self.running = True


class Once(Pipe):
    closed = False

    def close(self) -> None:
        assert not self.closed, "it was closed already"
        self.closed = True
        super().close()


class Mute(Pipe):
    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        return False


WRONG = {
    Short: "frames come whole and in order: 8 frames were sent; of those 0 came whole",
    Backwards: "they came in another order",
    Twice: "frames come whole",
    Silent: "none was ever refused",
    Deaf: "a driver that is down took a frame",
    Stale: "what was sent while it was down was received afterwards",
    Once: "close may be said twice: it was closed already",
    Mute: "a frame of 60 bytes was refused by an idle driver",
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_driver_that_is_wrong_is_told_what_is_wrong(kind: type[Pipe]) -> None:
    def make_pair() -> Pair:
        a, b = kind("a"), kind("b")
        a.far, b.far = b, a
        return Pair(a, b, nothing)

    with pytest.raises(AssertionError, match=f"^{kind.__name__}: .*{WRONG[kind]}"):
        conforms(make_pair)


def test_an_interface_takes_its_driver_s_limits_and_counts_what_is_of_no_use() -> None:
    class Bad(Pipe):
        def receive(self, queue: int = 0) -> bytes | None:
            frame = super().receive(queue)
            if frame == b"bad":
                raise ValueError
            return frame

    driver = Bad("b", mtu=1000)
    end = Attached(Ifnet("b", FRAME[:6], mtu=1500), driver)
    assert end.ifp.mtu == 1000
    driver.rings[0].extend((b"bad", FRAME, bytes(2000)))
    assert (end.receive(), end.receive()) == (FRAME, None)
    assert (end.ifp.counters["ierrors"], end.ifp.counters["ipackets"]) == (2, 1)


# ---- faults ------------------------------------------------------------------------------------------


def fates(faults: Faults, n: int = 2000, seed: int = 1) -> list[list[tuple[int, bytes]]]:
    injector = Injector(faults, Streams(seed).stream("faults", "h1-eth0"))
    return [injector.fate(FRAME) for _ in range(n)]


def test_chance_is_as_often_as_it_was_asked_to_be() -> None:
    assert 500 < sum(not fate for fate in fates(Faults(loss=0.3))) < 700
    assert 500 < sum(len(fate) == 2 for fate in fates(Faults(duplicate=0.3))) < 700
    assert 500 < sum(fate[0][0] == 5 * MS for fate in fates(Faults(reorder=0.3, reorder_by=5 * MS))) < 700
    late = [fate[0][0] for fate in fates(Faults(delay=MS, jitter=1000))]
    assert min(late) >= MS and max(late) < MS + 1000 and len(set(late)) > 500


def test_a_corrupt_frame_has_one_bit_turned() -> None:
    spoilt = [fate[0][1] for fate in fates(Faults(corrupt=1.0), 200)]
    turned = [int.from_bytes(frame, "big") ^ int.from_bytes(FRAME, "big") for frame in spoilt]
    assert {bits.bit_count() for bits in turned} == {1} and len(set(turned)) > 100


def test_a_seed_decides_every_fate() -> None:
    bad = Faults(loss=0.1, duplicate=0.1, reorder=0.1, corrupt=0.1, jitter=100)
    assert fates(bad, seed=7) == fates(bad, seed=7) != fates(bad, seed=8)


def test_a_late_frame_is_sent_when_its_time_has_come() -> None:
    now = [0]
    a, b = pipe("a", "b")
    bad = Faulty(a, Faults(delay=3 * MS), Streams(1).stream("x"), lambda: now[0])
    for end in (bad, b):
        end.up()
    assert bad.transmit(FRAME) and b.receive() is None and bad.due() == 3 * MS
    now[0] = 3 * MS
    bad.run()
    assert b.receive() == FRAME and bad.due() is None


@pytest.mark.parametrize("wrong", [{"loss": 1.5}, {"corrupt": -0.1}, {"delay": -1}])
def test_faults_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Faults(**wrong)  # type: ignore[arg-type]


# ---- watching ----------------------------------------------------------------------------------------


def test_a_capture_and_a_trace_hold_what_passed() -> None:
    file, lines = io.BytesIO(), list[str]()
    a, b = pipe("a", "b", ring=1)
    watched = Tracer(Capture(a, pcapng.Writer(file), lambda: 5), lines.append, lambda: 1_500_000)
    watched.up()
    b.up()
    assert watched.transmit(FRAME) and not watched.transmit(FRAME) and b.transmit(FRAME[::-1])
    assert watched.receive() == FRAME[::-1]
    assert [line[:14] for line in lines] == ["1.500 ms a > 0"[:14], "1.500 ms a ful", "1.500 ms a < 0"[:14]] or lines[
        1
    ].startswith("1.500 ms a full ")
    data = file.getvalue()
    assert data.count(FRAME) == 1 and data.count(FRAME[::-1]) == 1


def test_a_frame_of_another_vlan_or_network_is_of_no_use() -> None:
    a, b = pipe("a", "b")
    for driver in (a, b):
        driver.up()
    assert Tagged(a, 10).transmit(FRAME)
    with pytest.raises(ValueError, match=r"b\.20: a frame of another VLAN"):
        Tagged(b, 20).receive()
    pair = tunnel(vni=43)
    for end in (pair.a, pair.b):
        end.up()
    assert pair.a.transmit(FRAME)
    with pytest.raises(ValueError, match="not for this end"):
        pair.b.receive()


def test_a_bridge_learns_and_passes_on() -> None:
    cables = [pipe(f"p{n}", f"q{n}") for n in range(3)]
    for end in (end for cable_ in cables for end in cable_):
        end.up()
    far = [q for _, q in cables]
    bridge = Bridged("br", [p for p, _ in cables], lambda: 0)
    one, two, all_ = (bytes((2, 0, 0, 0, 0, 1)), bytes((2, 0, 0, 0, 0, 2)), b"\xff" * 6)
    assert far[0].transmit(all_ + one + FRAME[12:])
    assert bridge.receive() == all_ + one + FRAME[12:], "a broadcast is for the bridge's own place too"
    assert [end.receive() is not None for end in far] == [False, True, True]
    assert far[1].transmit(one + two + FRAME[12:])
    assert bridge.receive() is None, "its receiver is behind a port"
    assert [end.receive() is not None for end in far] == [True, False, False]
    assert bridge.transmit(two + all_ + FRAME[12:])
    assert [end.receive() is not None for end in far] == [False, True, False]
