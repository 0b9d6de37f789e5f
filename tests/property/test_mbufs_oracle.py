"""Whatever is done to packets of mbufs, plain bytes say what comes out; and in the end no memory is missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from netlab.stack.mbufs import Array, Chain, Pool, lines_of, lines_touched
from netlab.stack.mbufs.piece import Piece

DATA = st.builds(lambda n, seed: bytes((seed + i) % 251 for i in range(n)), st.integers(0, 3000), st.integers(0, 250))
PART = st.floats(0, 1)
WHICH = st.integers(0, 99)


class Machine(RuleBasedStateMachine):
    """Up to five packets, each beside its bytes."""

    variant: type[Chain] | type[Array]

    @initialize(data=DATA, headroom=st.integers(0, 2048), tags=st.sampled_from(["mbuf", "list"]))
    def begin(self, data: bytes, headroom: int, tags: str) -> None:
        self.pool = Pool()
        self.packets: list[list[Any]] = [[self.variant(self.pool, data, headroom=headroom, tags=tags), data]]
        self.packets[0][0].tags.set(1, 2)

    def pick(self, which: int) -> list[Any]:
        return self.packets[which % len(self.packets)]

    @rule(which=WHICH, data=DATA)
    def prepend(self, which: int, data: bytes) -> None:
        pair = self.pick(which)
        pair[0].prepend(data)
        pair[1] = data + pair[1]

    @rule(which=WHICH, data=DATA)
    def append(self, which: int, data: bytes) -> None:
        pair = self.pick(which)
        pair[0].append(data)
        pair[1] += data

    @rule(which=WHICH, part=PART, back=st.booleans())
    def adj(self, which: int, part: float, back: bool) -> None:
        pair = self.pick(which)
        n = int(part * len(pair[1]))
        pair[0].adj(-n if back else n)
        pair[1] = pair[1][: len(pair[1]) - n] if back else pair[1][n:]

    @rule(which=WHICH, part=PART)
    def pullup(self, which: int, part: float) -> None:
        m, data = self.pick(which)
        n = int(part * min(len(data), 2048))
        m.pullup(n)
        assert bytes(m.contiguous(n)) == data[:n]

    @rule(which=WHICH, part=PART)
    def split(self, which: int, part: float) -> None:
        pair = self.pick(which)
        n = int(part * len(pair[1]))
        self.packets.append([pair[0].split(n), pair[1][n:]])
        pair[1] = pair[1][:n]
        self.at_most_five()

    @rule(which=WHICH, low=PART, high=PART)
    def copy(self, which: int, low: float, high: float) -> None:
        m, data = self.pick(which)
        start = int(low * len(data))
        stop = start + int(high * (len(data) - start))
        self.packets.append([m.copy(start, stop - start), data[start:stop]])
        self.at_most_five()

    @rule(which=WHICH, part=PART, data=DATA)
    def write(self, which: int, part: float, data: bytes) -> None:
        pair = self.pick(which)
        at = int(part * len(pair[1]))
        data = data[: len(pair[1]) - at]
        if not pair[0].writable():
            pair[0].unshare()
        pair[0].write(at, data)
        pair[1] = pair[1][:at] + data + pair[1][at + len(data) :]

    @rule()
    def cat(self) -> None:
        if len(self.packets) > 1:
            other, data = self.packets.pop()
            self.packets[0][0].cat(other)
            self.packets[0][1] += data

    @rule(which=WHICH, low=PART, high=PART)
    def walk(self, which: int, low: float, high: float) -> None:
        m, data = self.pick(which)
        start, stop = sorted((int(low * len(data)), int(high * len(data))))
        assert lines_of(m, start, start) <= lines_of(m, start, stop) <= lines_of(m)
        assert lines_touched(m, start, stop) >= 1

    def at_most_five(self) -> None:
        while len(self.packets) > 5:
            self.packets.pop(0)[0].free()

    @invariant()
    def bytes_are_right(self) -> None:
        for m, data in getattr(self, "packets", ()):
            assert bytes(m) == data
            assert len(m) == len(data) == sum(m.pieces)

    def teardown(self) -> None:
        for m, _ in getattr(self, "packets", ()):
            m.free()
        if hasattr(self, "pool"):
            self.pool.check()


QUICK = settings(max_examples=150, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("kind", [Chain, Array])
def test_packets_agree_with_plain_bytes(kind: type[Chain] | type[Array]) -> None:
    run_state_machine_as_test(type("Right", (Machine,), {"variant": kind}), settings=QUICK)  # type: ignore[no-untyped-call]


class WritesWhatIsShared(Chain):
    """Forgets to ask whether its bytes are its own (M_WRITABLE)."""

    def writable(self) -> bool:
        return True

    def write(self, offset: int, data: bytes) -> None:
        whole = bytes(self)
        at = 0
        whole = whole[:offset] + data + whole[offset + len(data) :]
        for piece in self._list():
            piece.block.memory[piece.off : piece.off + piece.length] = whole[at : at + piece.length]
            at += piece.length


class ForgetsReferences(Chain):
    """Holds a cluster of another packet and doesn't count itself."""

    def _part(self, piece: Piece, at: int, length: int) -> list[Piece]:
        parts = super()._part(piece, at, length)
        if piece.block.shareable:
            piece.block.refs -= 1
        return parts


class LosesTheLast(Chain):
    """Frees a packet but for its last mbuf."""

    def free(self) -> None:
        self._set(list(self._list())[:-1])
        super().free()


@pytest.mark.parametrize("wrong", [WritesWhatIsShared, ForgetsReferences, LosesTheLast])
def test_planted_mistakes_are_found(wrong: type[Chain]) -> None:
    machine = type("Wrong", (Machine,), {"variant": wrong})
    found = settings(QUICK, max_examples=200, database=None, print_blob=False, phases=(Phase.generate,))
    with pytest.raises(BaseException):  # noqa: B017 - an assertion, an MbufError, or a group of both
        run_state_machine_as_test(machine, settings=found)  # type: ignore[no-untyped-call]
