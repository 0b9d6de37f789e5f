"""A study at the command line: run it, tell it, keep it, look at a kept one."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from netlab.cli.table import print_json, table
from netlab.errors import BadInput
from netlab.files import reading, unwritable, whole_files

if TYPE_CHECKING:
    from netlab.experiment.study import Case, StudyResult

RESULT, TABLE, REPORT = "result.json", "table.csv", "report.html"


def listed() -> list[tuple[str, str]]:
    """Each study's name and question."""
    from netlab.experiment.studies import STUDIES, load_study

    return [(name, load_study(name).says) for name in STUDIES]


def run(options: Namespace) -> int:
    """Run the study that was named; 0."""
    from netlab.experiment.jobs import cores, on_cores
    from netlab.experiment.studies import load_study
    from netlab.experiment.study import run_study

    study = load_study(options.name)
    if options.backend != "sim":
        right = "run it with --backend sim"
        raise BadInput("a study runs in virtual time, where same seed means same result", where=study.name, right=right)
    if options.out and options.out.exists() and not options.out.is_dir():
        raise BadInput("it is a file, not a folder", where=str(options.out), right="choose another folder with --out")
    progress, jobs = Progress(sys.stderr), cores() if options.jobs is None else options.jobs
    try:
        result = run_study(study, options.seed, options.case or (), progress.begun, on_cores(jobs))
    finally:
        progress.end()
    if options.out:
        keep(result, options.out)
    if options.json:
        print_json(result.to_data())
    else:
        print(told(result))
        if options.out:
            print(f"\nkept in {options.out}; look at it with: nlab view {options.out}")
    return 0


class Progress:
    """A line on a terminal that says which case is at work; nothing where nobody looks."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._watched = stream, stream.isatty()

    def begun(self, case: Case, number: int, of: int) -> None:
        """A case begins."""
        if self._watched:
            print(f"\r\x1b[K{number}/{of}  {case.name}", end="", file=self._stream, flush=True)

    def end(self) -> None:
        """Leave the line empty."""
        if self._watched:
            print("\r\x1b[K", end="", file=self._stream, flush=True)


def told(result: StudyResult) -> str:
    """The study in text: its question, its numbers beside the published ones, where those are from, and its charts."""
    from netlab.view.chart import charts
    from netlab.view.figures import PUBLISHED, figures
    from netlab.view.render.charttext import render_chart
    from netlab.view.render.terminal import terminal_can

    shown = figures(result)
    heads = [shown.units, *shown.rows] if any(shown.units) else shown.rows
    parts = [
        f"{result.study}, seed {result.seed}: {result.says}",
        table(shown.head, heads),
        "\n".join(f"{m.name}: {m.says}" for m in result.metrics if m.says),
        "\n".join(f"{PUBLISHED} [{n}] {source}" for n, source in enumerate(shown.sources, 1)),
        "\n".join(f"note: {note}" for note in result.notes),
        *(render_chart(picture, width=_width(), unicode=terminal_can()) for picture in charts(result)),
        f"digest: {result.digest()[:16]}",
    ]
    return "\n\n".join(part for part in parts if part)


def view(options: Namespace) -> int:
    """Show a kept study in the form that was asked for; 0."""
    from netlab.cli.kept import writing_to
    from netlab.view.render.report import report

    result = study_in(options.run)
    if options.form == "pcapng" or options.packet is not None:
        right = "look at it as terminal or html"
        raise BadInput("a study keeps numbers, no packets", where=str(options.run), right=right)
    if options.form == "html":
        target = Path(options.out) if options.out else options.run / REPORT
        page = report(result)
        with writing_to(target) as file:
            file.write_text(page, encoding="utf-8")
        print(target)
    else:
        print(told(result))
    return 0


def _width() -> int:
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 140))


# ---- kept ------------------------------------------------------------------------------------------


def keep(result: StudyResult, folder: Path) -> None:
    """Write the study into the folder, over an earlier one, whole or not at all; the error says why it cannot be."""
    from netlab.view.render.report import report

    page = report(result)
    try:
        with whole_files(folder, RESULT, TABLE, REPORT) as (data, numbers, shown):
            data.write_text(json.dumps(result.to_data(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            numbers.write_text(as_csv(result), encoding="utf-8")
            shown.write_text(page, encoding="utf-8")
    except OSError as error:
        raise unwritable(error, "the study cannot be kept there", folder, "choose another folder with --out") from error


def as_csv(result: StudyResult) -> str:
    """A line for each case and each published row, with a header; ``source`` is empty where we measured."""
    names = [metric.name for metric in result.metrics]
    settings = list(dict.fromkeys(name for each in result.measured for name in each.case.settings))
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["study", "seed", "case", *settings, *names, "source"])
    for case, row in ((each.case, each.row) for each in result.measured):
        write([result.study, result.seed, case.name, *_of(case.settings, settings), *_of(row.metrics, names), ""])
    for one in result.published:
        write([result.study, "", one.case, *_of(one.settings, settings), *_of(one.metrics, names), one.source])
    return out.getvalue()


def _of(held: Any, names: list[str]) -> list[Any]:
    return [held.get(name) for name in names]


def is_study(place: Path) -> bool:
    """Whether the folder is one in which a study is kept."""
    with reading(place):
        path = place / RESULT
        return path.is_file() and '"study":' in path.read_text(encoding="utf-8", errors="replace")[:400]


def study_in(place: Path) -> StudyResult:
    """The kept study of a folder; BadInput when its result cannot be read."""
    from netlab.experiment.study import StudyResult

    path = place / RESULT
    try:
        with reading(path):
            return StudyResult.from_data(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, LookupError) as error:
        right = "run it again: nlab run STUDY --out FOLDER"
        raise BadInput("it holds no study that this netlab can read", where=str(path), right=right) from error
