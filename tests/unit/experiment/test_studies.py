"""What every study of the table must keep to, whoever wrote it."""

from __future__ import annotations

import pytest

from netlab.errors import BadInput
from netlab.experiment.studies import STUDIES, load_study
from netlab.experiment.study import CASE, SERIES, chosen


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_asks_a_question_and_names_what_it_shows(name: str) -> None:
    study = load_study(name)
    assert study.name == name and study.says.endswith("?")
    names = [case.name for case in study.cases]
    assert len(set(names)) == len(names)
    metrics = {metric.name for metric in study.metrics}
    settings = {setting for case in study.cases for setting in case.settings}
    for chart in study.charts:
        assert chart.x == SERIES or set(chart.y) <= metrics, chart.title
        assert chart.x in {CASE, SERIES} | metrics | settings, chart.title
        assert not chart.by or chart.by in settings, chart.title
        assert chosen(study.cases, chart.cases, chart.title)


@pytest.mark.parametrize("name", STUDIES)
def test_what_others_published_has_a_source_and_is_measured_here_too(name: str) -> None:
    study = load_study(name)
    for one in study.published:
        assert one.source and one.metrics.keys() <= {metric.name for metric in study.metrics}, one


def test_a_study_that_is_not_there_is_bad_input() -> None:
    with pytest.raises(BadInput, match="there is no study 'x'; studies are dctcp"):
        load_study("x")
