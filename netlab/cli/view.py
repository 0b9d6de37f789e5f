"""`nlab view`: a kept run or study, as terminal text, as one HTML file, or as a capture."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from netlab.cli.kept import log_in, writing_to

if TYPE_CHECKING:
    from netlab.trace.log import Log

EXAMPLE = """nlab view first-run
  nlab view first-run --packet 3
  nlab view first-run --as html
  nlab view first-run --as pcapng --out run.pcapng"""


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("run", type=Path, metavar="DIR", help="a folder that 'nlab run --out DIR' has written")
    said = "terminal (text, the default), html (one file, needs no network), pcapng (for Wireshark)"
    parser.add_argument("--as", dest="form", choices=list(FORMS), default="terminal", help=said)
    parser.add_argument("--packet", type=int, metavar="N", help="this packet; the one that says most if not given")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write; report.html or trace.pcapng in DIR if not given"
    )


def run(options: Namespace) -> int:
    """The exit code."""
    from netlab.cli import study

    if study.is_study(options.run):
        return study.view(options)
    print(FORMS[options.form](log_in(options.run), options))
    return 0


def _terminal(log: Log, options: Namespace) -> str:
    import shutil

    from netlab.view.path import packet_path
    from netlab.view.render.terminal import render

    width = shutil.get_terminal_size((100, 24)).columns
    return render(packet_path(log, options.packet), width=max(60, min(width, 140)))


def _html(log: Log, options: Namespace) -> str:
    from netlab.view.path import packet_path
    from netlab.view.render.html import html_page

    target = _target(options, "report.html")
    page = html_page(packet_path(log, options.packet))
    with writing_to(target) as file:
        file.write_text(page, encoding="utf-8")
    return str(target)


def _pcapng(log: Log, options: Namespace) -> str:
    from netlab.cli.pcap import write_pcapng

    target = _target(options, "trace.pcapng")
    with writing_to(target) as file:
        written, bare = write_pcapng(log, file)
    without = f"; {bare} more were seen without their bytes" if bare else ""
    return f"{target}: {written} frames{without}"


def _target(options: Namespace, name: str) -> Path:
    place: Path = options.run if options.run.is_dir() else options.run.parent
    return Path(options.out) if options.out else place / name


FORMS: dict[str, Callable[[Log, Namespace], str]] = {"terminal": _terminal, "html": _html, "pcapng": _pcapng}
