"""`nlab bench`: how fast netlab is on this machine, beside its peers in the same run where there are any."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from netlab.cli.table import print_json, table
from netlab.errors import NetlabError, Unavailable

if TYPE_CHECKING:
    from netlab.cli.benches import Row

EXAMPLE = """nlab bench
  nlab bench help up --json"""


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    from netlab.cli.benches import BENCHES

    said = "; ".join(f"{name}: {says}" for name, says in BENCHES.items())
    help_ = f"all if none is named. {said}"
    parser.add_argument("benches", nargs="*", type=_name, metavar="BENCH", help=help_)
    parser.add_argument("--json", action="store_true", help="the rows as JSON")


def run(options: Namespace) -> int:
    """0; 3 when a bench that was named cannot run here."""
    from netlab.cli.benches import BENCHES, bench_named

    rows: list[Row] = []
    left_out: list[NetlabError] = []
    for name in options.benches or BENCHES:
        try:
            rows += bench_named(name)()
        except Unavailable as error:
            left_out.append(error)
            print(f"nlab: bench {name} left out: {error}", file=sys.stderr)
    if options.json:
        print_json([row._asdict() for row in rows])
    else:
        shown = [
            (r.bench, r.what, f"{_figure(r.value)} {r.unit}", r.beside, f"{_times(r.ratio)} ×" if r.ratio else "")
            for r in rows
        ]
        print(table(("bench", "what", "netlab", "beside", "ratio"), shown) if shown else "nothing was measured")
    return left_out[0].exit_code if left_out and options.benches else 0


def _name(text: str) -> str:
    from argparse import ArgumentTypeError

    from netlab.cli.benches import BENCHES
    from netlab.topology.words import nearest

    if text not in BENCHES:
        raise ArgumentTypeError(f"no bench is called '{text}'; {nearest(text, BENCHES, 'benches are')}")
    return text


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 1 else f"{ratio:.1f}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
