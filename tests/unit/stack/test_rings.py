"""Descriptor rings with their interrupts, and rings that a program owns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.stack.steering import DescriptorRing, Interrupts, Moderation
from netlab.stack.steering.netmap import Memory, NetmapPort, forward, owned_twice, swap


def test_a_ring_keeps_one_descriptor_empty_and_counts_what_it_cannot_take() -> None:
    ring: DescriptorRing[int] = DescriptorRing(4)
    assert [ring.put(n) for n in range(5)] == [True, True, True, False, False]
    assert (len(ring), ring.free, ring.drops) == (3, 0, 2)
    assert ring.take(2) == [0, 1] and ring.put(9) and ring.take(8) == [2, 9]
    with pytest.raises(ValueError, match="power of two"):
        DescriptorRing(6)


@given(st.lists(st.integers(0, 5), max_size=60))
def test_what_goes_round_comes_out_in_order(budgets: list[int]) -> None:
    ring: DescriptorRing[int] = DescriptorRing(8)
    put, taken = 0, []
    for budget in budgets:
        while ring.put(put):
            put += 1
        taken += ring.take(budget)
    taken += ring.take(99)
    assert taken == list(range(put))


def test_an_interrupt_comes_for_enough_frames_or_after_enough_time() -> None:
    interrupts = Interrupts(Moderation(frames=3, ns=100))
    assert interrupts.due() is None
    interrupts.received(10)
    interrupts.received(40)
    assert interrupts.due() == 110, "the first frame's time counts"
    assert not interrupts.fire(109)
    assert interrupts.fire(110) and interrupts.raised == 1
    for t in (200, 210, 220):
        interrupts.received(t)
    assert interrupts.fire(220), "three are enough"
    assert not interrupts.fire(500)


def test_without_moderation_each_frame_interrupts() -> None:
    interrupts = Interrupts()
    for t in range(5):
        interrupts.received(t)
        assert interrupts.fire(t)
    assert interrupts.raised == 5


def port(size: int = 8) -> tuple[Memory, NetmapPort]:
    memory = Memory()
    return memory, NetmapPort(memory, size=size)


def test_a_frame_is_forwarded_without_a_copy() -> None:
    memory, eth = port()
    frames = [bytes([n]) * 60 for n in range(5)]
    assert all(eth.rx[0].received(frame) for frame in frames)
    assert forward(eth.rx[0], lambda frame: eth.tx[0]) == (5, 0)
    sent: list[bytes] = []
    assert eth.tx[0].txsync(sent.append) == 5 and sent == frames
    assert memory.copies == 0 and not owned_twice(eth.all_rings[:1])
    eth.rx[0].rxsync()
    assert eth.rx[0].received(b"x" * 60) and not owned_twice([eth.rx[0], eth.tx[0]])


def test_who_forgets_the_flag_sends_somebody_else_s_bytes() -> None:
    _, eth = port()
    eth.rx[0].received(b"a" * 60)
    source, target = eth.rx[0].slots[0], eth.tx[0].slots[0]
    swap(source, target)
    source.flags = target.flags = 0
    eth.tx[0].advance()
    sent: list[bytes] = []
    eth.tx[0].txsync(sent.append)
    assert sent != [b"a" * 60]


def test_a_buffer_in_two_slots_is_found() -> None:
    _, eth = port()
    eth.tx[0].slots[0].buf = eth.rx[0].slots[0].buf
    assert owned_twice(eth.all_rings) == {eth.rx[0].slots[0].buf}


def test_what_the_program_does_not_want_goes_to_the_host() -> None:
    _, eth = port()
    for frame in (b"web", b"ssh", b"web"):
        eth.rx[0].received(frame)
    forward(eth.rx[0], lambda frame: eth.tx[0] if frame == b"web" else eth.to_host)
    mine: list[bytes] = []
    host: list[bytes] = []
    eth.tx[0].txsync(mine.append)
    eth.to_host.txsync(host.append)
    assert (mine, host) == ([b"web", b"web"], [b"ssh"])


def test_slots_are_the_kernel_s_until_it_is_called() -> None:
    _, eth = port(size=4)
    assert [eth.rx[0].received(b"x") for _ in range(4)] == [True, True, True, False]
    eth.rx[0].advance()
    assert not eth.rx[0].received(b"y"), "the program moved head and did not call"
    eth.rx[0].rxsync()
    assert eth.rx[0].received(b"y")
    assert [eth.tx[0].write(b"z") for _ in range(4)] == [True, True, True, False]
    assert eth.tx[0].txsync(lambda frame: None) == 3 and eth.tx[0].available() == 3


@given(st.lists(st.sampled_from(["arrive", "forward", "sync", "drop"]), max_size=80))
def test_every_frame_arrives_once_and_no_buffer_has_two_owners(steps: list[str]) -> None:
    _, eth = port(size=4)
    came, kept, sent = 0, [], []
    for step in steps:
        if step == "arrive" and eth.rx[0].received(came.to_bytes(2, "big")):
            kept.append(came.to_bytes(2, "big"))
            came += 1
        elif step == "forward":
            full = eth.tx[0].available() < eth.rx[0].available()
            if not full:
                forward(eth.rx[0], lambda frame: eth.tx[0])
        elif step == "sync":
            eth.rx[0].rxsync()
            eth.tx[0].txsync(sent.append)
        elif step == "drop" and eth.rx[0].available():
            kept.remove(eth.rx[0].frame(eth.rx[0].head))
            eth.rx[0].advance()
        assert not {slot.buf for slot in eth.rx[0].slots} & {slot.buf for slot in eth.tx[0].slots}
    forward(eth.rx[0], lambda frame: eth.tx[0])
    eth.tx[0].txsync(sent.append)
    assert sent == kept[: len(sent)]
