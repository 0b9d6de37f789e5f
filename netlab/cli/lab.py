"""`nlab lab`: the labs there are; a student's folder for one, opened or started afresh."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from netlab.cli.args import subverb
from netlab.cli.table import print_json, table

EXAMPLE = """nlab lab list
  nlab lab open 01 --start
  nlab lab reset 01"""

WORK = Path("work")


def arguments(parser: ArgumentParser) -> None:
    """The subcommands."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="list|open|reset")
    listing = subverb(verbs, "list", "the labs there are, and which you have begun", "nlab lab list")
    listing.add_argument("--json", action="store_true", help="as JSON")
    opening = subverb(
        verbs, "open", "make a lab's folder, with its notebook, and keep what is there", "nlab lab open 01 --start"
    )
    reset = subverb(verbs, "reset", "start a lab afresh; the old folder is kept as NN-slug.1", "nlab lab reset 01")
    for each in (opening, reset):
        each.add_argument("lab", help="a lab's number (01) or name (01-packet-path)")
        each.add_argument("--start", action="store_true", help="start JupyterLab on it")
        each.add_argument("--no-browser", action="store_true", help="with --start: open no browser")
        each.add_argument(
            "--jupyter", action="append", default=[], metavar="OPTION", help="with --start: an option for JupyterLab"
        )
    for each in (listing, opening, reset):
        each.add_argument(
            "--work", type=Path, default=WORK, metavar="DIR", help="your folder for labs; 'work' if not given"
        )


def run(options: Namespace) -> int:
    """The exit code."""
    return {"list": _list, "open": _open, "reset": _reset}[options.what](options)


def _list(options: Namespace) -> int:
    from netlab.cli.workfolder import begun, folder_of
    from netlab.lab.catalogue import find_labs, load_folder

    rows = [
        {"lab": lab.slug, "title": load_folder(lab.path).title, "folder": str(folder_of(lab, options.work))}
        for lab in find_labs()
    ]
    there = [begun(Path(row["folder"])) for row in rows]
    if options.json:
        print_json([{**row, "begun": each} for row, each in zip(rows, there, strict=True)])
    else:
        shown = [(r["lab"], r["title"], r["folder"] if each else "-") for r, each in zip(rows, there, strict=True)]
        print(table(("lab", "title", "begun in"), shown) if shown else "There are no labs here.")
    return 0


def _reset(options: Namespace) -> int:
    from netlab.cli.workfolder import set_aside
    from netlab.lab.catalogue import find_lab

    kept = set_aside(find_lab(options.lab), options.work)
    if kept:
        print(f"What was there is kept in {kept}.")
    return _open(options)


def _open(options: Namespace) -> int:
    from netlab.cli import workfolder
    from netlab.lab.catalogue import find_lab

    lab = find_lab(options.lab)
    made = workfolder.make(lab, options.work)
    folder = workfolder.folder_of(lab, options.work)
    print(f"{folder}: made {', '.join(path.name for path in made)}" if made else f"{folder}: as you left it")
    if not options.start:
        print(f"nlab lab open {lab.number} --start  opens it in JupyterLab")
        return 0
    return _start(lab.slug, options)


def _start(slug: str, options: Namespace) -> int:
    from netlab.cli import jupyter

    root = options.work.resolve()
    page = f"{slug}/{slug}.ipynb"
    if there := jupyter.running(root):
        print(jupyter.directions(there, page, ours=False))
        return 0
    browser = not options.no_browser and jupyter.browser_here()
    return jupyter.serve(root, page, browser=browser, extra=options.jupyter)
