"""Charts of a study: which marks stand where, and that every way to draw them shows them."""

from __future__ import annotations

import json

import pytest

from netlab.experiment.study import Case, Chart, Metric, Published, Row, Study, StudyResult, run_study
from netlab.view.chart import charts
from netlab.view.picture import Picture
from netlab.view.render.charttext import render_chart
from netlab.view.render.plot import decades, figure
from netlab.view.render.report import report


def fall(case: Case, seed: int) -> Row:
    s = case.settings["seconds"]
    speed = None if s == 3 else 9.8 * s
    return Row(
        {"way": 4.9 * s * s, "speed": speed}, {"path": (list(range(s + 1)), [4.9 * t * t for t in range(s + 1)])}
    )


STONE = Study(
    "stone",
    "How far does a <stone> fall?",
    tuple(Case(f"{body} {s} s", {"body": body, "seconds": s}) for body in ("stone", "feather") for s in (3, 1, 20)),
    fall,
    (Metric("way", "m", "below where it was let go"), Metric("speed", "m/s")),
    published=(
        Published("Galileo, 1638", "stone 1 s", {"way": 5.0}),
        Published("Riccioli, 1651", "tower", {"way": 19.0}, {"seconds": 2, "body": "stone"}),
    ),
    charts=(
        Chart("paths", ("path",), "series", "line", x_label="time (s)", cases=("stone *",)),
        Chart("ways", ("way",), "seconds", "points", by="body", log_y=True),
        Chart("both", ("way", "speed"), kind="bars", caption="Side by side."),
        Chart("nothing", ("way",), cases=("nobody",)),
    ),
)


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return run_study(STONE)


@pytest.fixture
def pictures(result: StudyResult) -> dict[str, Picture]:
    return {picture.title: picture for picture in charts(result)}


def marks(picture: Picture, layer: str = "marks") -> list[tuple[object, ...]]:
    return [(row["line"], row["x"], row["y"]) for row in picture.rows(layer)]


def test_a_chart_without_marks_is_not_drawn(pictures: dict[str, Picture]) -> None:
    assert list(pictures) == ["paths", "ways", "both"]


def test_series_are_a_line_for_each_case(pictures: dict[str, Picture]) -> None:
    shown = marks(pictures["paths"])
    assert {line for line, _, _ in shown} == {"stone 3 s", "stone 1 s", "stone 20 s"}
    assert [mark[1:] for mark in shown if mark[0] == "stone 1 s"] == [(0, 0), (1, 4.9)]


def test_a_metric_over_a_setting_goes_by_the_setting_and_published_ones_stand_beside(
    pictures: dict[str, Picture],
) -> None:
    picture = pictures["ways"]
    assert [mark[1] for mark in marks(picture) if mark[0] == "stone"] == [1, 3, 20]
    assert marks(picture, "published") == [("stone", 1, 5.0), ("stone", 2, 19.0)]
    assert picture.axes["y"] == {"label": "way (m)", "scale": "log"}
    assert picture.caption == ("◦ [1] Galileo, 1638", "◦ [2] Riccioli, 1651")


def test_what_was_not_measured_has_no_mark(pictures: dict[str, Picture]) -> None:
    assert ("speed", "stone 3 s") not in [mark[:2] for mark in marks(pictures["both"])]


def test_a_chart_is_data(pictures: dict[str, Picture]) -> None:
    for picture in pictures.values():
        assert Picture.from_data(json.loads(json.dumps(picture.to_data()))) == picture


def test_every_chart_can_be_drawn_by_bokeh(pictures: dict[str, Picture]) -> None:
    from bokeh.embed import json_item

    for picture in pictures.values():
        drawn = json.dumps(json_item(figure(picture)))
        assert all(line in drawn for line in picture.axes["hues"]) or len(picture.axes["hues"]) == 1


def test_a_logarithmic_axis_has_ticks_where_people_look_for_them() -> None:
    assert decades([8.6, 364.0]) == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
    assert decades([0, 0.5, 20_000]) == [0.1, 1, 10, 100, 1000, 10_000, 100_000]
    assert decades([]) == [1, 2, 5]


def test_a_report_loads_nothing_and_holds_every_number_and_source(result: StudyResult) -> None:
    page = report(result)
    assert "src=" not in page.partition("<script")[0].replace("default-src", "") and "<link" not in page
    assert "How far does a &lt;stone&gt; fall?" in page
    assert "<td>1,960</td>" in page and "Riccioli, 1651" in page and "Hollow marks are what others measured." in page


def test_text_shows_lines_as_blocks_few_points_in_words_and_bars(pictures: dict[str, Picture]) -> None:
    text = {title: render_chart(picture, width=80) for title, picture in pictures.items()}
    assert "way (m) over seconds from 1 to 20" in text["ways"]
    assert "feather: 4.9 at 1, 44.1 at 3, 1,960 at 20." in text["ways"]
    bars = {line.split()[0] + " " + line.split()[1]: line.count("█") for line in text["both"].splitlines()[1:]}
    assert bars["stone 20"] > bars["stone 1"]
    assert all(len(line) <= 80 for line in text["both"].splitlines() + text["paths"].splitlines())
    plain = render_chart(pictures["both"], unicode=False)
    assert plain.isascii()


def test_a_long_line_is_a_row_of_blocks_on_the_scale_of_all() -> None:
    def waves(case: Case, seed: int) -> Row:
        return Row({}, {"queue": (list(range(100)), [case.settings["height"]] * 50 + [0] * 50)})

    study = Study(
        "waves",
        "?",
        (Case("high", {"height": 80}), Case("low", {"height": 10})),
        waves,
        (),
        charts=(Chart("queue", ("queue",), "series", "line", y_label="packets", x_label="time"),),
    )
    high, low = render_chart(charts(run_study(study))[0], width=60).splitlines()[1:]
    assert high.count("█") > 10
    assert "█" not in low and "0 – 80" in high and "0 – 10" in low
