"""What any driver must be able to do: one function, which drives two of them that are joined and says what is wrong.

It raises AssertionError with a sentence; a driver of your own passes or learns what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from netlab.stack.drivers.api import Attached, Driver
from netlab.stack.ifcaps import Capability
from netlab.stack.ifnet import Ifnet

_A, _B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
ENOUGH = 200_000
"""Frames after which a driver that has never said "no room" is taken to have none that can be full."""


class Pair(NamedTuple):
    """Two drivers at the ends of one cable. ``wait`` lets time pass until what was sent has arrived.

    ``bounded`` says that a driver has no room at some time if nobody receives; a kernel may drop instead.
    """

    a: Driver
    b: Driver
    wait: Callable[[], None]
    bounded: bool = True


MakePair = Callable[[], Pair]


def conforms(make_pair: MakePair) -> list[str]:
    """Every check on a fresh pair; the names of those that were passed. AssertionError says which was not, and why."""
    passed = []
    for check in CHECKS:
        name, pair = check.__name__.strip("_").replace("_", " "), make_pair()
        try:
            check(pair)
        except AssertionError as wrong:
            with suppress(AssertionError, OSError, ValueError):  # it is wrong already
                _close(pair)
            raise AssertionError(f"{type(pair.a).__name__}: {name}: {wrong}") from wrong
        _close(pair)
        passed.append(name)
    return passed


def _close(pair: Pair) -> None:
    pair.a.close()
    pair.b.close()


def _joined(pair: Pair) -> tuple[Attached, Attached]:
    return tuple(  # type: ignore[return-value]
        Attached(Ifnet(driver.name, mac, mtu=driver.mtu), driver) for driver, mac in ((pair.a, _A), (pair.b, _B))
    )


def _frame(number: int, payload: int = 46) -> bytes:
    """A frame from A to B of an EtherType for experiments (IEEE 802: 0x88B5), with its number in it."""
    return _B + _A + b"\x88\xb5" + number.to_bytes(4, "big") + bytes((number + i) & 0xFF for i in range(payload - 4))


def _ours(frame: bytes | None) -> bool:
    return frame is None or frame[12:14] == b"\x88\xb5"


def _all(pair: Pair, end: Attached) -> list[bytes]:
    """What has arrived on any queue; what a kernel says of its own accord is left out."""
    pair.wait()
    found = []
    for queue in range(end.driver.queues):
        while (frame := end.receive(queue)) is not None:
            if _ours(frame):
                found.append(frame)
    return found


def _says_what_it_is(pair: Pair) -> None:
    for driver in (pair.a, pair.b):
        assert driver.name, "it has no name"
        assert driver.mtu >= 68, f"its MTU is {driver.mtu}; IPv4 needs 68"
        assert driver.queues >= 1, f"it has {driver.queues} queues"
        assert isinstance(driver.capabilities, Capability), "its capabilities are no flags"


def _frames_come_whole_and_in_order(pair: Pair) -> None:
    a, b = _joined(pair)
    assert b.receive() is None or not pair.bounded, "something was received before anything was sent"
    lengths = [46, 47, 60, 255, 256, 257, 1000, min(a.driver.mtu, b.driver.mtu, 1500)]
    sent = [_frame(n, length) for n, length in enumerate(lengths)]
    for one, other in ((a, b), (b, a)):
        for frame in sent:
            assert one.transmit(frame) is True, f"a frame of {len(frame)} bytes was refused by an idle driver"
        got = _all(pair, other)
        assert sorted(got) == sorted(sent), (
            f"{len(sent)} frames were sent; of those {len(set(got) & set(sent))} came whole"
        )
        assert got == sent or other.driver.queues > 1, "they came in another order"


def _both_ends_count(pair: Pair) -> None:
    a, b = _joined(pair)
    before = dict(b.ifp.counters)
    sent = [_frame(n, 100) for n in range(10)]
    assert all(a.transmit(frame) for frame in sent), "an idle driver refused a frame"
    got = _all(pair, b)
    assert len(got) == 10, f"10 frames were sent, {len(got)} received"
    assert (a.ifp.counters["opackets"], a.ifp.counters["obytes"]) == (10, 1140), "the sender's counters are wrong"
    assert b.ifp.counters["ipackets"] - before["ipackets"] >= 10, "the receiver's counter is wrong"


def _frames_that_are_too_long_are_refused(pair: Pair) -> None:
    a, b = _joined(pair)
    assert a.transmit(_frame(1, a.ifp.mtu)), "a frame as long as the MTU allows was refused"
    assert not a.transmit(_frame(2, a.ifp.mtu + 1)), "a frame longer than the MTU was taken"
    assert a.ifp.counters["oerrors"] == 1, "it was not counted"
    assert _all(pair, b) == [_frame(1, a.ifp.mtu)], "another frame came than the one that fits"


def _nothing_passes_while_down(pair: Pair) -> None:
    a, b = _joined(pair)
    b.down()
    assert b.driver.receive() is None, "a driver that is down received something"
    assert not b.driver.transmit(_frame(1)), "a driver that is down took a frame"
    a.transmit(_frame(2))
    pair.wait()
    assert b.driver.receive() is None, "a driver that is down received a frame"
    b.up()
    assert _all(pair, b) == [], "what was sent while it was down was received afterwards"
    assert a.transmit(_frame(3)) and _all(pair, b) == [_frame(3)], "nothing came after it was up again"


def _a_full_driver_says_so(pair: Pair) -> None:
    a, b = _joined(pair)
    if not pair.bounded:
        return
    taken = 0
    while taken < ENOUGH and a.transmit(_frame(taken)):
        taken += 1
    assert taken < ENOUGH, f"{taken} frames were taken and none was ever refused"
    assert a.ifp.counters["oqdrops"] == 1, "the refusal was not counted"
    got = _all(pair, b)
    assert got == [_frame(n) for n in range(taken)], f"{taken} frames were taken, but {len(got)} came"
    assert a.transmit(_frame(taken)), "there is room again, and it still refuses"


def _close_may_be_said_twice(pair: Pair) -> None:
    a, _ = _joined(pair)
    for _ in range(2):
        a.close()
    assert not a.driver.transmit(_frame(1)), "a closed driver took a frame"
    assert a.driver.receive() is None, "a closed driver received a frame"


CHECKS = (
    _says_what_it_is,
    _frames_come_whole_and_in_order,
    _both_ends_count,
    _frames_that_are_too_long_are_refused,
    _nothing_passes_while_down,
    _a_full_driver_says_so,
    _close_may_be_said_twice,
)
