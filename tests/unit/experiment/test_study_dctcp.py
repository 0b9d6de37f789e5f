"""DCTCP keeps the queue at K with the link full; those that take it for something simpler do not."""

from __future__ import annotations

import pytest

from netlab.experiment.studies.dctcp import case, queue_length
from netlab.stack.tcp.congestion import CONTROLS
from netlab.stack.tcp.congestion.dctcp import MAX_ALPHA, Dctcp

K = 20


def measured(control: str, receiver: str = "", k: int = K, seed: int = 1) -> dict[str, float | None]:
    return dict(
        queue_length(case("", control, receiver=receiver, ecn=1 if k else 0, k=k, ms=60, warm=20), seed).metrics
    )


def is_dctcp(row: dict[str, float | None]) -> bool:
    """A queue at K that hardly moves, behind which the link is busy."""
    q5, q50, q95, busy = (row[name] or 0 for name in ("q5", "q50", "q95", "utilisation"))
    return 0.7 * K <= q50 <= 1.3 * K and q95 - q5 <= 0.4 * K and busy >= 0.98


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_dctcp_holds_the_queue_at_k_and_the_link_full(seed: int) -> None:
    row = measured("dctcp", seed=seed)
    assert is_dctcp(row), row
    assert row["drops"] == 0


def test_reno_fills_the_buffer_that_it_is_given() -> None:
    row = measured("newreno", k=0)
    assert (row["q95"] or 0) > 550 and row["marked"] == 0, row


class CutsAtEveryEcho(Dctcp):
    """Takes each acknowledgement with ECE for a reason of its own."""

    def counted(self, octets: int, echoed: bool, snd_una: int, snd_nxt: int) -> None:
        super().counted(octets, echoed, snd_una, snd_nxt)
        if echoed:
            super().marked(0, 0)


class NeverForgets(Dctcp):
    """Its alpha only grows: every mark halves the window, as Reno would."""

    def counted(self, octets: int, echoed: bool, snd_una: int, snd_nxt: int) -> None:
        super().counted(octets, echoed, snd_una, snd_nxt)
        self.alpha = MAX_ALPHA


@pytest.mark.parametrize("mutant", [CutsAtEveryEcho, NeverForgets])
def test_a_sender_that_is_no_dctcp_is_told_by_its_queue(mutant: type[Dctcp], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONTROLS, "mutant", mutant)  # a table that is there to be added to
    row = measured("mutant")
    assert not is_dctcp(row), row


class Counting(Dctcp):
    """Adds up what it is told, over all connections."""

    heard = total = 0

    def counted(self, octets: int, echoed: bool, snd_una: int, snd_nxt: int) -> None:
        super().counted(octets, echoed, snd_una, snd_nxt)
        Counting.total += octets
        Counting.heard += octets if echoed else 0


@pytest.mark.parametrize(("receiver", "exact"), [("dctcp", True), ("newreno", False)])
def test_what_was_marked_is_what_was_echoed_unless_the_receiver_latches(
    receiver: str, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 8257's receiver answers at once when marks begin or end; RFC 3168's says ECE until it hears CWR."""
    monkeypatch.setitem(CONTROLS, "counting", Counting)
    Counting.heard = Counting.total = 0
    marked = measured("counting", receiver=receiver)["marked"] or 0
    assert (abs(Counting.heard / Counting.total - marked) < 0.01) == exact
