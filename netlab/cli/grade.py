"""`nlab grade`: every answer in a folder, judged; a table for people and JSON for programs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from netlab.files import unwritable, whole_files

if TYPE_CHECKING:
    from netlab.grade.judge import Graded

EXAMPLE = "nlab grade 01-packet-path submissions/ --out grades/"


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("lab", help="a lab's number (01) or name (01-packet-path)")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a folder with one .py a student")
    said = "write NN-slug.json there; the current folder if not given"
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help=said)
    parser.add_argument(
        "--workers", type=_workers, default=0, metavar="N", help="how many at once; one a core if not given"
    )
    said = "the instructor's secret, from which hidden parameters are drawn; made on first use"
    parser.add_argument("--secret", type=Path, metavar="FILE", help=said)
    parser.add_argument("--json", action="store_true", help="print the JSON, not the table")


def run(options: Namespace) -> int:
    """0 when there is a row for every check of every submission, whatever the rows say."""
    from netlab.grade.crew import grade_folder, passed_over, submissions
    from netlab.grade.report import skipped, table, to_json
    from netlab.grade.secret import load_secret, secret_path
    from netlab.lab.catalogue import load_lab

    lab = load_lab(options.lab)
    secret = load_secret(options.secret)
    total = sum(len(submissions(folder)) for folder in options.folders)
    progress = _Progress(total)
    graded = [
        one
        for folder in options.folders
        for one in grade_folder(lab, folder, secret, workers=options.workers, told=progress.told)
    ]
    if line := skipped([each for folder in options.folders for each in passed_over(folder)]):
        print(line, file=sys.stderr)
    text = to_json(lab, graded)
    try:
        target = _write(options.out, f"{lab.slug}.json", text)
    finally:  # who cannot write them has at least seen them
        print(text if options.json else table(lab, graded), end="" if options.json else "\n")
    if not options.json:
        print(f"written to {target}; hidden parameters come from {options.secret or secret_path()}")
    return 0


def _workers(text: str) -> int:
    from argparse import ArgumentTypeError

    if not text.isdigit() or not 1 <= int(text) <= 256:
        raise ArgumentTypeError(f"'{text}' is no number from 1 to 256")
    return int(text)


def _write(folder: Path, name: str, text: str) -> Path:
    try:
        with whole_files(folder, name) as (file,):
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        what, right = "the grades cannot be written there", "choose another folder with --out"
        raise unwritable(error, what, folder, right) from error
    return folder / name


class _Progress:
    """A count on the terminal while one waits; nothing where nobody looks."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0

    def told(self, _: Graded) -> None:
        """One more is done."""
        self.done += 1
        if sys.stderr.isatty():
            end = "\n" if self.done == self.total else ""
            print(f"\r{self.done} of {self.total} judged", end=end, file=sys.stderr, flush=True)
