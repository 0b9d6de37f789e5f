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
from netlab.files import reading, unwritable, whole, whole_files
from netlab.topology.codec import plan_from_data
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
    """Write the run into the folder, over an earlier one, whole or not at all; the error says why it cannot be."""
    from netlab.view.path import packet_path
    from netlab.view.render.html import html_page

    try:
        with whole_files(folder, TRACE, RESULT, REPORT) as (trace, facts, report):
            result.log.save(trace)
            facts.write_text(json.dumps(facts_of(result), indent=2) + "\n", encoding="utf-8")
            report.write_text(html_page(packet_path(result.log)), encoding="utf-8")
    except OSError as error:
        raise unwritable(error, "the run cannot be kept there", folder, "choose another folder with --out") from error


@contextmanager
def writing_to(path: Path) -> Iterator[Path]:
    """What is to be written in place of ``path``, which it becomes whole or not at all."""
    try:
        with whole(path) as partial:
            yield partial
    except OSError as error:
        raise unwritable(error, "it cannot be written", path, "choose another file") from error


def log_in(place: Path) -> Log:
    """The log of a kept run: its folder, or the trace itself."""
    with reading(place):
        path = place / TRACE if place.is_dir() else place
        there = path.is_file()
    if not there:
        right = "give a folder that 'nlab run LAB --out FOLDER' has written"
        raise BadInput(
            f"there is no {TRACE}" if place.is_dir() else "there is no such folder", where=str(place), right=right
        )
    log = Log.load(path)
    try:
        plan_from_data(log.header.plan)
    except BadInput as error:
        what = f"the log was written by another netlab: {error.what}"
        raise BadInput(what, where=str(path), right=error.right) from error
    return log
