"""The studies of offload have the published shape: from cutting, joining and what they spare, not from fitted rows."""

from __future__ import annotations

from functools import lru_cache

import pytest

from netlab.experiment.studies.lro import LRO, aggregation
from netlab.experiment.studies.segmentation import PUBLISHED, SEGMENTATION, throughput
from netlab.experiment.study import Case


@lru_cache(maxsize=64)
def rate(name: str) -> float:
    case = next(case for case in SEGMENTATION.cases if case.name == name)
    found = throughput(case, 1).metrics["throughput"]
    assert found is not None
    return found


def test_where_the_core_is_the_limit_gso_doubles_and_tso_adds_to_that() -> None:
    tso, gso, none = (rate(f"TCP4 {mode} 0.45 GHz") for mode in ("TSO", "GSO", "none"))
    assert 1.7 < gso / none < 2.5, (gso, none)
    assert tso > 1.5 * gso


def test_where_the_link_is_the_limit_all_that_cut_late_fill_it() -> None:
    assert [rate(f"TCP4 {mode} 2.00 GHz") for mode in ("TSO", "GSO")] == pytest.approx([9410, 9410], rel=0.005)
    assert rate("TCP4 none 2.00 GHz") < 6000


def test_without_offload_throughput_goes_with_the_clock() -> None:
    slow, fast = rate("TCP4 none 0.45 GHz"), rate("TCP4 none 2.00 GHz")
    assert fast / slow == pytest.approx(2.00 / 0.45, rel=0.08)


@pytest.mark.parametrize("mode", ["TSO", "GSO", "none"])
def test_ipv6_is_dearer_in_every_mode(mode: str) -> None:
    assert rate(f"TCP6 {mode} 0.45 GHz") < 0.8 * rate(f"TCP4 {mode} 0.45 GHz")


def test_fragments_made_late_are_somewhat_cheaper() -> None:
    assert 1.08 < rate("UDP4 GSO 0.45 GHz") / rate("UDP4 none 0.45 GHz") < 1.3


def test_the_published_rows_stand_beside_cases_that_there_are() -> None:
    assert {row.case for row in PUBLISHED} <= {case.name for case in SEGMENTATION.cases}


def of(flows: int, ordered: bool) -> float:
    found = aggregation(Case("one", {"flows": flows, "sorted": ordered}), 1).metrics["aggregation"]
    assert found is not None
    return found


def test_lro_loses_its_grip_with_more_flows_than_entries_and_sorting_gives_it_back() -> None:
    assert of(8, False) == of(8, True) == 8
    assert of(24, False) < 1.6 and of(24, True) > 2.6
    assert LRO.cases[0].name == "1 flow"
