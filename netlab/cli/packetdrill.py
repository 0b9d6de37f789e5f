"""`nlab packetdrill`: scripts against our TCP, in virtual time.

Exit codes: 0 every script passed, 1 one failed, 2 one cannot be read, 3 one asks for what is not played here.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from netlab.errors import BadInput
from netlab.files import reading

EXAMPLE = "nlab packetdrill tests/scripts"


def arguments(parser: ArgumentParser) -> None:
    """FILE…, --system, --define, --quiet, --json."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a script, or a folder of scripts (*.pkt)")
    parser.add_argument(
        "--system", choices=["freebsd", "linux"], default="", help="whose defaults; else as each suggests"
    )
    parser.add_argument(
        "--define",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what a name in the scripts stands for; may be said again and again",
    )
    parser.add_argument("--quiet", action="store_true", help="only the count")
    parser.add_argument("--json", action="store_true", help="one object a script")


def run(options: Namespace) -> int:
    """Play every script; the exit code says how the worst one went."""
    from netlab.packetdrill.player import play
    from netlab.packetdrill.verdict import exit_code

    defines = dict(map(_definition, options.define))
    verdicts = [play(_text(p), str(p), system=options.system, defines=defines) for p in _scripts(options.files)]
    if options.json:
        from netlab.cli.table import print_json

        print_json([verdict._asdict() for verdict in verdicts])
        return exit_code(verdicts)
    if not options.quiet:
        for verdict in verdicts:
            if verdict.kind != "passed":
                print(verdict)
    count = Counter(verdict.kind for verdict in verdicts)
    others = ", ".join(f"{count[kind]} {kind}" for kind in ("failed", "refused", "unreadable") if count[kind])
    print(f"{count['passed']} of {len(verdicts)} scripts passed" + (f"; {others}" if others else ""))
    return exit_code(verdicts)


def _definition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise BadInput("that is no definition", where=f"--define {text}", right="--define NAME=VALUE")
    return name, value


def _scripts(names: Iterable[str]) -> list[Path]:
    found: list[Path] = []
    for name in names:
        path = Path(name)
        with reading(path):
            if path.is_dir():
                next(path.iterdir(), None)  # rglob finds nothing where it may not look, and says nothing
                found += sorted(path.rglob("*.pkt"))
            elif path.exists():
                found.append(path)
            else:
                raise BadInput("there is no such script", where=name, right="give a .pkt file or a folder of them")
    if not found:
        raise BadInput("there is no script in it", where=", ".join(names), right="scripts end in .pkt")
    return found


def _text(path: Path) -> str:
    with reading(path):
        return path.read_text(encoding="utf-8", errors="replace")
