"""A picture is data: columns of marks, and the same in words. Where it is shown is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Columns = dict[str, list[Any]]
"""Equal-length lists by name: one row is one mark. ``record`` holds the index of the record that it shows."""


@dataclass(frozen=True)
class Picture:
    """What a renderer draws: layers in painting order, and what must be said beside them.

    ``axes`` says what the coordinates mean. ``caption`` carries what is inferred, lost or not observable.
    ``narrative`` is the picture for someone who cannot see it. Everything is JSON-able.
    """

    title: str
    axes: dict[str, Any]
    layers: dict[str, Columns]
    caption: tuple[str, ...] = ()
    narrative: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for name, columns in self.layers.items():
            lengths = {key: len(values) for key, values in columns.items()}
            if len(set(lengths.values())) > 1:
                raise ValueError(f"layer {name} has columns of different lengths: {lengths}")

    def to_data(self) -> dict[str, Any]:
        """Dicts, lists, strings and numbers only."""
        data = asdict(self)
        return {**data, "caption": list(self.caption), "narrative": list(self.narrative)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Picture:
        """The picture again; equal to the one whose data this is."""
        words = tuple(data.get("caption", ())), tuple(data.get("narrative", ()))
        return cls(data["title"], data["axes"], data["layers"], *words)

    def rows(self, layer: str) -> list[dict[str, Any]]:
        """The marks of one layer, each as a dict; empty when there is no such layer."""
        columns = self.layers.get(layer, {})
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    @property
    def records(self) -> frozenset[int]:
        """The indices of all records that some mark shows."""
        marks = (columns.get("record", ()) for columns in self.layers.values())
        return frozenset(index for column in marks for index in column if index is not None and index >= 0)


def columns(names: Iterable[str], rows: Iterable[Iterable[Any]]) -> Columns:
    """Rows turned into columns; no rows make empty columns."""
    names = list(names)
    made: Columns = {name: [] for name in names}
    for row in rows:
        for name, value in zip(names, row, strict=True):
            made[name].append(value)
    return made
