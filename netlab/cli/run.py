"""`nlab run`: a lab's experiment without a notebook, or a study; without a name, what there is to run."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netlab.cli.args import backend_option
from netlab.cli.table import print_json, table
from netlab.errors import BadInput
from netlab.topology.words import listing

if TYPE_CHECKING:
    from netlab.experiment.result import Result
    from netlab.lab.lab import Lab

EXAMPLE = """nlab run 01 --backend sim --seed 1 --out first-run
  nlab run 01 --answer work/01-packet-path/exercise.py
  nlab run dctcp --case 'dctcp*' --out dctcp-run"""


FAILED = 1
OF_LABS = ("experiment", "answer", "student")
OF_STUDIES = ("case", "jobs")


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    said = "a lab's number (01) or name (01-packet-path), or a study's name; without one, lists both"
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help=said)
    backend_option(parser)
    parser.add_argument("--seed", type=int, default=1, help="same seed, same run (in sim); 1 if not given")
    parser.add_argument(
        "--case",
        action="append",
        metavar="NAME",
        help="of a study: this case, or those of a pattern ('k*'); repeatable",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="of a study: so many cases at a time; as many as there are cores if not given",
    )
    parser.add_argument("--experiment", metavar="NAME", help="which of the lab's experiments; its first if not given")
    parser.add_argument("--answer", type=Path, metavar="FILE", help="with your answer in the slot, not netlab's own")
    parser.add_argument("--student", default="", metavar="NAME", help="the variant of this student")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the run in this folder, for 'nlab view DIR'")
    parser.add_argument("--json", action="store_true", help="the result as JSON")


def run(options: Namespace) -> int:
    """0; 1 when the answer crashed, hung, or is not there."""
    from netlab.experiment.studies import STUDIES
    from netlab.lab.catalogue import find_labs

    if not options.name:
        return _list()
    is_lab = any(options.name in lab.names for lab in find_labs())
    if not is_lab and options.name not in STUDIES:
        known = listing([*(lab.slug for lab in find_labs()), *STUDIES])
        raise BadInput(f"there is no lab or study '{options.name}'", right=f"there are {known}")
    for name in OF_STUDIES if is_lab else OF_LABS:
        if getattr(options, name):
            raise BadInput(f"--{name} is for {'studies' if is_lab else 'labs'}", where=options.name)
    if is_lab:
        return _run_lab(options)
    from netlab.cli import study

    return study.run(options)


def _list() -> int:
    """What may be named."""
    from netlab.cli.study import listed
    from netlab.lab.catalogue import find_labs, load_lab

    labs = [(lab.slug, load_lab(lab.slug).title) for lab in find_labs()]
    print(table(("lab", "title"), labs), table(("study", "question"), listed()), sep="\n\n")
    return 0


def _run_lab(options: Namespace) -> int:
    from netlab.backend.base import SlotFailure
    from netlab.cli.kept import facts_of, keep
    from netlab.lab.catalogue import load_lab

    lab = load_lab(options.name)
    try:
        with _slots(lab, options.answer) as slots:
            result = _run(lab, options, slots)
    except SlotFailure as failure:
        print(f"nlab: {options.answer}: the answer gave no result: {failure.said}", file=sys.stderr)
        return FAILED
    if options.out:
        keep(result, options.out)
    if options.json:
        print_json(facts_of(result))
    else:
        print(told(lab, result))
        print(f"kept in {options.out}; look at it with: nlab view {options.out}" if options.out else "")
    return 0


def _run(lab: Lab, options: Namespace, slots: Mapping[str, Callable[..., Any]]) -> Result:
    from netlab.lab.variant import variant

    name = options.experiment or next(iter(lab.experiments), "")
    if name not in lab.experiments:
        right = f"experiments are {', '.join(lab.experiments)}"
        raise BadInput(f"there is no experiment '{name}'", where=lab.slug, right=right)
    experiment: Callable[..., Result] = lab.experiments[name]
    return experiment(variant(lab, options.student), options.seed, slots, backend=options.backend)


@contextmanager
def _slots(lab: Lab, answer: Path | None) -> Iterator[Mapping[str, Callable[..., Any]]]:
    """The answer's functions, in the grader's own sandbox; none without an answer."""
    if answer is None:
        yield {}
        return
    from netlab.cli.check import look_at
    from netlab.grade.sandbox import Sandbox

    look_at(answer, "give the exercise.py of your lab's folder")
    with Sandbox(answer) as box:
        yield {exercise.slot: box.slot(exercise.slot) for exercise in lab.exercises}


def told(lab: Lab, result: Result) -> str:
    """The run in words: what was measured, what to beware of, and the packet that says most."""
    from netlab.view.path import packet_path

    facts, log = result.facts, result.log
    lines = [
        f"{lab.slug} {result.experiment}: {facts['topology']} in {facts['backend']}{_seed(facts)}",
        *(
            f"  {name.removesuffix('_ns').replace('_', ' ')}: {_measured(name, value)}"
            for name, value in result.metrics.items()
        ),
        f"  records: {len(log)}" + (f", and {log.lost} lost" if log.lost else ""),
        f"  digest: {log.digest()[:16]}",
        *(f"  {problem.severity}: {problem}" for problem in result.problems),
        *(f"  note: {note}" for note in log.header.notes),
        *_failures(facts.get("slot_failures", ())),
    ]
    picture = packet_path(log)
    return "\n".join([*lines, "", picture.title, *(f"  {sentence}" for sentence in picture.narrative)])


def _seed(facts: Mapping[str, Any]) -> str:
    """Said where it decides what happens: real packets have no seed."""
    return f", seed {facts['seed']}" if facts["backend"] == "sim" else ""


def _failures(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """What went wrong in the answer, each thing once."""
    counted = Counter((f["node"], f["said"]) for f in found)
    return [
        f"  your answer on {node}: {said}" + (f" ({n} times)" if n > 1 else "") for (node, said), n in counted.items()
    ]


def _measured(name: str, value: Any) -> str:
    from netlab.units import format_rate, format_time

    if name == "goodput":
        return format_rate(value)
    if name.endswith("_ns") and isinstance(value, int):
        return format_time(value)
    return "-" if value is None else str(value)
