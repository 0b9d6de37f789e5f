"""A run that is kept in a folder: ``trace.arrow``, its records; ``result.json``, what was measured; ``report.html``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netlab.errors import BadInput
from netlab.experiment.result import Result
from netlab.trace.log import Log

TRACE = "trace.arrow"
RESULT = "result.json"
REPORT = "report.html"


def facts_of(result: Result) -> dict[str, Any]:
    """The result without its records, as JSON has it; ``digest`` is that of the records."""
    return {
        "experiment": result.experiment,
        "facts": result.facts,
        "metrics": result.metrics,
        "problems": [asdict(problem) for problem in result.problems],
        "records": len(result.log),
        "records_lost": result.log.lost,
        "digest": result.log.digest(),
    }


def keep(result: Result, folder: Path) -> None:
    """Write the run into the folder, over an earlier one; BadInput when the folder cannot be made."""
    from netlab.view.path import packet_path
    from netlab.view.render.html import html_page

    try:
        folder.mkdir(parents=True, exist_ok=True)
        result.log.save(folder / TRACE)
        (folder / RESULT).write_text(json.dumps(facts_of(result), indent=2) + "\n", encoding="utf-8")
        (folder / REPORT).write_text(html_page(packet_path(result.log)), encoding="utf-8")
    except OSError as error:
        what = f"the run cannot be kept there ({error.strerror})"
        raise BadInput(what, where=str(folder), right="choose another folder with --out") from error


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """What is done within writes to ``path``; BadInput when the system refuses."""
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"it cannot be written ({error.strerror})", where=str(path), right="choose another file"
        ) from error


def log_in(place: Path) -> Log:
    """The log of a kept run: its folder, or the trace itself."""
    path = place / TRACE if place.is_dir() else place
    if not path.is_file():
        right = "give a folder that 'nlab run LAB --out FOLDER' has written"
        raise BadInput(
            f"there is no {TRACE}" if place.is_dir() else "there is no such folder", where=str(place), right=right
        )
    return Log.load(path)
