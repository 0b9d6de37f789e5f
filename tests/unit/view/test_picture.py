from __future__ import annotations

import json

import pytest

from netlab.view.picture import Picture, columns


def test_columns_turn_rows_on_their_side() -> None:
    assert columns(("x", "y"), [(1, 2), (3, 4)]) == {"x": [1, 3], "y": [2, 4]}
    assert columns(("x", "y"), []) == {"x": [], "y": []}


def test_a_layer_with_a_missing_value_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="layer hops has columns of different lengths"):
        Picture("p", {}, {"hops": {"t": [1, 2], "node": ["h1"]}})


def test_a_picture_survives_json() -> None:
    picture = Picture("p", {"width": 3}, {"hops": {"t": [1], "record": [7]}}, ("lost 3",), ("it went",))
    assert Picture.from_data(json.loads(json.dumps(picture.to_data()))) == picture


def test_rows_and_records_of_layers() -> None:
    picture = Picture("p", {}, {"hops": {"t": [1, 2], "record": [7, -1]}, "nodes": {"name": ["h1"]}})
    assert picture.rows("hops") == [{"t": 1, "record": 7}, {"t": 2, "record": -1}]
    assert picture.rows("nothing") == []
    assert picture.records == {7}, "-1 is no record"
