"""`nlab check`: a student's own checks, judged as the instructor's grader will judge them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from netlab.cli.lab import WORK
from netlab.cli.table import print_json
from netlab.errors import BadInput
from netlab.files import reading

EXAMPLE = """nlab check 01
  nlab check 01 my-answer.py --json"""
FAILED = 1


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("lab", help="a lab's number (01) or name (01-packet-path)")
    said = "your answer; exercise.py in the lab's folder if not given"
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help=said)
    parser.add_argument(
        "--work", type=Path, default=WORK, metavar="DIR", help="your folder for labs; 'work' if not given"
    )
    parser.add_argument("--student", default="", metavar="NAME", help="the variant of this student")
    parser.add_argument("--json", action="store_true", help="the results as JSON")


def run(options: Namespace) -> int:
    """0 when every check passed, 1 when one did not."""
    from netlab.grade.judge import check_file
    from netlab.grade.report import feedback
    from netlab.lab.catalogue import find_lab, load_folder

    folder = find_lab(options.lab)
    file = options.file or _own(options.work, folder.slug)
    right = f"begin with: nlab lab open {folder.number}" if options.file is None else "give your answer's .py file"
    look_at(file, right)
    graded = check_file(load_folder(folder.path), file, options.student)
    if options.json:
        print_json([result.plain() for result in graded.results])
    else:
        print(feedback(graded))
    return 0 if all(result.status == "passed" for result in graded.results) else FAILED


def look_at(file: Path, right: str) -> None:
    """BadInput unless it is a file that can be read."""
    with reading(file):
        if file.is_dir():
            raise BadInput("it is a folder", where=str(file), right=right)
        if not file.exists():
            raise BadInput("there is no such file", where=str(file), right=right)
        if file.is_file():
            file.open("rb").close()


def _own(work: Path, slug: str) -> Path:
    from netlab.cli.workfolder import ANSWER

    return work / slug / ANSWER
