"""`nlab stack`: the stages of a node of our stack, TCP's states, policies below it, and a server on such a stack."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netlab.cli import stackserve
from netlab.cli.args import subverb
from netlab.cli.table import print_json, table

if TYPE_CHECKING:
    from netlab.view.picture import Picture

EXAMPLE = """nlab stack show router
  nlab stack show host --html host.html
  nlab stack tcp --out states.svg
  nlab exec h1 -- nlab stack serve h1-eth0 10.0.1.77/24
  nlab stack policies"""
KINDS = ("host", "router", "switch")
COLUMN = 18
"""Characters of the map's columns."""


def arguments(parser: ArgumentParser) -> None:
    """The subcommand."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="show|tcp|serve|policies")
    show = subverb(verbs, "show", "draw the stages of a node and say what each does", "nlab stack show router")
    show.add_argument("kind", nargs="?", choices=KINDS, default="host", help="host if not given")
    form = show.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the stages as JSON")
    form.add_argument("--html", type=Path, metavar="FILE", help="the map, as one HTML file")
    states = subverb(
        verbs, "tcp", "the states of TCP: what leads from one to the next", "nlab stack tcp --out tcp.html"
    )
    form = states.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the table as JSON")
    form.add_argument("--out", type=Path, metavar="FILE", help="the diagram: an .svg, or an .html with the table too")
    serve = subverb(verbs, "serve", "serve a folder by HTTP from a stack of ours on a device", stackserve.EXAMPLE)
    stackserve.arguments(serve)
    policies = subverb(verbs, "policies", "what may stand between TCP and a full interface", "nlab stack policies")
    policies.add_argument("--json", action="store_true", help="the policies as JSON")


def run(options: Namespace) -> int:
    """The exit code."""
    return {"show": _show, "tcp": _states_of_tcp, "serve": stackserve.run, "policies": _policies}[options.what](options)


def _policies(options: Namespace) -> int:
    from netlab.stack.pressure import POLICIES

    rows = [(name, (made.__doc__ or "").split("\n")[0]) for name, made in POLICIES.items()]
    if options.json:
        print_json([{"policy": name, "says": says} for name, says in rows])
    else:
        print(table(("policy", "what it does with what an interface has no room for"), rows))
    return 0


def _states_of_tcp(options: Namespace) -> int:
    from netlab.view.states import rows

    head = ("state", "event", "what is done", "next state")
    if options.json:
        print_json([dict(zip(("state", "event", "does", "next"), row, strict=True)) for row in rows()])
    elif options.out:
        _write_states(options.out)
        print(options.out)
    else:
        print(table(head, [(state, event, does or "-", after) for state, event, does, after in rows()]))
    return 0


def _write_states(file: Path) -> None:
    from netlab.cli.kept import writing_to
    from netlab.errors import BadInput
    from netlab.view.render.states import states_page, states_svg
    from netlab.view.states import states_picture

    draw = {".svg": states_svg, ".html": states_page}.get(file.suffix)
    if draw is None:
        raise BadInput("the diagram is an .svg or an .html file", where=str(file), right="states.svg, states.html")
    text = draw(states_picture())
    with writing_to(file) as kept:
        kept.write_text(text, encoding="utf-8")


def _show(options: Namespace) -> int:
    from netlab.view.stack import stack_picture

    picture = stack_picture(options.kind)
    if options.json:
        print_json([{**stage, "to": _after(picture, stage["stage"])} for stage in _stages(picture)])
    elif options.html:
        from netlab.cli.kept import writing_to

        page = _page(picture, options.kind)
        with writing_to(options.html) as file:
            file.write_text(page, encoding="utf-8")
        print(options.html)
    else:
        print(drawn(picture))
    return 0


def _stages(picture: Picture) -> list[dict[str, Any]]:
    return [{"stage": row["stage"], "says": row["says"]} for row in picture.rows("stations")]


def _after(picture: Picture, stage: str) -> list[str]:
    return [track["b"] for track in picture.rows("tracks") if track["a"] == stage]


def drawn(picture: Picture) -> str:
    """The map, each stage in its place, a line for each, and the switches that an interface has."""
    from netlab.stack.ifcaps import SAYS

    rows = [(s["stage"], ", ".join(_after(picture, s["stage"])) or "-", s["says"]) for s in _stages(picture)]
    return "\n".join(
        [
            f"{picture.title}: received goes up at the left, sent comes down at the right; the cable is at the bottom",
            "",
            *_map(picture),
            "",
            table(("stage", "leads to", "what it does"), rows),
            "",
            table(("switch of an interface", "what it does"), list(SAYS.items())),
        ]
    )


def _map(picture: Picture) -> list[str]:
    """Every stage where the drawn map has it; two in one line are at least a column apart."""
    from netlab.view.stagemap import PAD_X, STEP_X

    stations = picture.rows("stations")
    lines = []
    for y in sorted({s["y"] for s in stations}):
        line = ""
        for station in sorted((s for s in stations if s["y"] == y), key=lambda s: float(s["x"])):
            middle = round((station["x"] - PAD_X) / STEP_X * COLUMN) + COLUMN // 2
            line = f"{line:<{middle - len(station['stage']) // 2}}{station['stage']}"
        lines.append(line)
    return [*lines, "═" * max(map(len, lines))]


def _page(picture: Picture, kind: str) -> str:
    from html import escape

    from netlab.view.render.html import styles
    from netlab.view.render.svg import map_svgs

    words = "".join(f"<li>{escape(sentence)}</li>" for sentence in picture.narrative)
    title = escape(picture.title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{styles()}</style>'
        f'</head><body><main class="netlab-page"><h1>{title}</h1>{map_svgs(picture)[kind]}<ul>{words}</ul></main>'
        "</body></html>\n"
    )
