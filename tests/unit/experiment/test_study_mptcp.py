"""What two paths are worth, in the network of the study and in less time."""

from __future__ import annotations

from netlab.experiment.studies.mptcp import RTO, bottleneck, case, measured, uneven
from netlab.units import MS

EQUAL = {"rate1": "10 Mbit/s", "rate2": "10 Mbit/s", "delay2": "5 ms", "ms": 2000}


def goodput(name: str, **settings: object) -> float:
    found = measured(case(name, **{**EQUAL, **settings}), seed=1).metrics["goodput"]
    assert found is not None
    return found


def test_two_disjoint_paths_give_almost_twice_what_one_gives() -> None:
    assert goodput("both") >= 1.8 * goodput("one", paths="first")
    assert goodput("both", scheduler="round robin") >= 1.8 * goodput("one", paths="second")


def test_two_coupled_subflows_take_one_share_of_a_link_and_uncoupled_ones_more() -> None:
    coupled = measured(bottleneck("LIA", coupled=True, ms=20_000), seed=1).metrics["share"]
    uncoupled = measured(bottleneck("each by itself", coupled=False, ms=20_000), seed=1).metrics["share"]
    assert coupled is not None and uncoupled is not None
    assert coupled <= 1.25, "what RFC 6356 is for"
    assert uncoupled > coupled + 0.1


def test_a_dead_path_holds_the_stream_for_no_longer_than_two_timeouts() -> None:
    row = measured(case("dies", **{**EQUAL, "dies": 600, "ms": 1600}), seed=1)
    stall, round_trip = row.metrics["stall"], 20 + 2 * 72
    assert stall is not None and 100 < stall <= 2 * (RTO // MS + round_trip)
    _, rates = row.series["goodput"]
    assert rates[-1] > 8, "the other path is full at the end"


def test_a_slow_path_and_a_small_receive_buffer_make_two_paths_slower_than_one() -> None:
    def found(**settings: object) -> float:
        value = measured(uneven("uneven", **{"ms": 1200, **settings}), seed=1).metrics["goodput"]
        assert value is not None
        return value

    fast = found(paths="first")
    assert found(scheduler="round robin") < 0.7 * fast
    assert found(scheduler="round robin", opportunistic=True) > 0.95 * fast, "as in NSDI 2012, section 4.2"
