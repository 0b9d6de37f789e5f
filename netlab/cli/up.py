"""`nlab up`: a network, open, with a prompt in it. Leaving the prompt takes it down."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from netlab.cli.args import backend_option
from netlab.errors import NetlabError

if TYPE_CHECKING:
    from netlab.backend.base import Session
    from netlab.cli.prompt import Prompt, Worker

EXAMPLE = """nlab up star,3
  nlab up line --backend mininet
  echo 'h1 ping -c 3 h2' | nlab up pair"""
BAD_LINE = 2


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("network", help="a name (star), with arguments (star,20), or a .yaml or .py file")
    backend_option(parser)
    parser.add_argument("--seed", type=int, default=1, help="same seed, same run (in sim); 1 if not given")


def run(options: Namespace) -> int:
    """0; 2 when a line that was piped in could not be done."""
    from netlab.cli.prompt import Prompt
    from netlab.cli.topo import plan_of, summary
    from netlab.experiment.run import backend_named, refuse

    plan = plan_of(options.network)
    backend = backend_named(options.backend)
    refuse(backend.problems(plan))
    with backend.open(plan, seed=options.seed) as session:
        refuse(session.verify())
        print(f"{plan.name} is up in {options.backend}: {summary(plan)}", flush=True)
        for problem in session.problems:
            print(f"{problem.severity}: {problem}")
        return _converse(Prompt(session, _worker(session)))


def _worker(session: Session) -> Worker | None:
    """What runs a program on a node; None in a world where nodes have no programs."""
    arena = getattr(session, "arena", None)
    if arena is None:
        return None

    def work(node: str, argv: Sequence[str]) -> int:
        if sys.stdin.isatty() and sys.stdout.isatty():
            from netlab.backend.mininet.attach import execute

            return execute(arena.run, node, argv)  # on a terminal of its own: a shell has job control there
        from netlab.cli.attached import exit_code

        # Lines that are piped to us are ours, not the command's.
        keys = os.dup(0) if sys.stdin.isatty() else os.open(os.devnull, os.O_RDONLY)
        try:
            return exit_code(arena.attach(node, argv, (keys, 1, 2)))
        finally:
            os.close(keys)

    return work


def _converse(prompt: Prompt) -> int:
    code = 0
    interactive = sys.stdin.isatty()
    for text in _lines(prompt, interactive):
        try:
            if said := prompt.line(text):
                print(said, flush=True)
        except NetlabError as error:
            print(f"nlab: {error}", file=sys.stderr, flush=True)
            code = code if interactive else BAD_LINE
        except KeyboardInterrupt:
            if not interactive:
                raise
            print("interrupted")
        if prompt.over:
            break
    return code


def _lines(prompt: Prompt, interactive: bool) -> Iterator[str]:
    if not interactive:
        yield from sys.stdin
        return
    print("help says what can be done; exit (or Ctrl-D) takes the network down")
    _complete(prompt)
    while True:
        try:
            yield input(f"{prompt.plan.name}> ")
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()


def _complete(prompt: Prompt) -> None:
    """Tab completes nodes and commands, where there is a readline."""
    with suppress(ImportError):
        import readline

        def complete(text: str, state: int) -> str | None:
            return next(iter([word + " " for word in prompt.words if word.startswith(text)][state:]), None)

        readline.set_completer(complete)
        readline.parse_and_bind("tab: complete")
