"""The command `nlab`: a table of verbs, a module each, imported when its verb is used.

Exit codes: 0 fine, 1 a check failed, 2 bad input, 3 this machine cannot, 70 a defect of netlab itself, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from netlab import __version__
from netlab.errors import BadInput, BadTopology, NetlabError, Unavailable

DEFECT = 70
"""EX_SOFTWARE; 1 is taken by failed checks, so that a crash is never mistaken for one."""
INTERRUPTED = 130
PIPE_CLOSED = 141
"""What a shell says of a process that a closed pipe ended: 128 + SIGPIPE."""


class Verb(NamedTuple):
    """A line of `nlab --help`; ``module`` has ``arguments(parser)`` and ``run(options) -> exit code``."""

    module: str
    says: str


VERBS: dict[str, Verb] = {
    "doctor": Verb("netlab.cli.doctor", "what works on this machine, and how to get the rest"),
    "topo": Verb("netlab.cli.topo", "show, check, or describe to an editor: a network's file"),
    "up": Verb("netlab.cli.up", "open a network and get a prompt in it"),
    "stack": Verb("netlab.cli.stack", "the stages that a packet goes through inside a node"),
    "exec": Verb("netlab.cli.exec", "run a command on a node of a network that is up"),
    "clean": Verb("netlab.cli.clean", "sweep what interrupted runs left behind"),
    "run": Verb("netlab.cli.run", "run a lab's experiment, or a study, and keep what was seen"),
    "compare": Verb("netlab.cli.compare", "the same flows in both worlds, and where they differ"),
    "view": Verb("netlab.cli.view", "look at a run: as terminal text, HTML, pcapng"),
    "check": Verb("netlab.cli.check", "check your answer to a lab"),
    "grade": Verb("netlab.cli.grade", "judge a class's answers to a lab"),
    "lab": Verb("netlab.cli.lab", "list the labs, open one, start it afresh"),
    "packetdrill": Verb("netlab.cli.packetdrill", "play packetdrill scripts against our TCP"),
    "bench": Verb("netlab.cli.bench", "measure netlab's speed on this machine"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what comes back is the exit code, whatever happened."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _forgiving_output()
    try:
        code = _command(arguments)
        sys.stdout.flush()
        return code
    except BadTopology as errors:
        print("\n".join(str(error) for error in errors.errors), file=sys.stderr)
        return errors.exit_code
    except NetlabError as error:
        print("\n".join(f"nlab: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader has gone; whatever Python still holds for it goes nowhere, without a second complaint.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        print("nlab: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        return _refused(error)
    except Exception as error:  # noqa: BLE001 - the edge of the process: a defect becomes one line
        return _defect(error)


def _command(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        if arguments[1:2] and arguments[1] in VERBS:
            return _run_verb(arguments[1], ["--help"])
        print(help_text())
        return 0
    if arguments[0] in ("-V", "--version"):
        print(f"nlab {__version__}")
        return 0
    name = arguments[0]
    if name not in VERBS:
        from netlab.topology.words import nearest

        raise BadInput(f"there is no command '{name}'", right=nearest(name, VERBS, "commands are"))
    return _run_verb(name, arguments[1:])


def help_text() -> str:
    """The list of verbs."""
    width = max(map(len, VERBS))
    lines = [f"  {name:<{width}}  {verb.says}" for name, verb in VERBS.items()]
    example = "for example:  nlab lab open 01   |   nlab topo show star,5   |   nlab COMMAND --help"
    return "\n".join(["usage: nlab COMMAND …", "", *lines, "", example])


def _run_verb(name: str, arguments: list[str]) -> int:
    from argparse import ArgumentParser
    from importlib import import_module

    from netlab.cli.args import described

    module = import_module(VERBS[name].module)
    parser = ArgumentParser(f"nlab {name}", **described(VERBS[name].says, module.EXAMPLE))
    module.arguments(parser)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:  # argparse has said all there is to say
        return end.code if isinstance(end.code, int) else 2
    return int(module.run(options))


def _forgiving_output() -> None:
    """A character that the terminal's encoding lacks becomes "?", not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _refused(error: OSError) -> int:
    """What the system refused where no verb foresaw it: a full disk below the output, or a folder that is closed."""
    import errno

    from netlab.files import said

    closed = error.errno == errno.EACCES and error.filename is not None
    if not closed and error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return _defect(error)
    where = "standard output" if error.filename is None else os.fsdecode(error.filename)
    print(f"nlab: {where}: {said(error)}", file=sys.stderr)
    if error.filename is None:  # what Python still holds for it goes nowhere, without a second complaint
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BadInput.exit_code if closed else Unavailable.exit_code


def _defect(error: Exception) -> int:
    """A failure nobody foresaw: one line, and the traceback where its reader can fetch it."""
    import traceback

    text = "".join(traceback.format_exception(error))
    if os.environ.get("NETLAB_DEBUG"):
        print(text, file=sys.stderr)
        return DEFECT
    print(f"nlab: a defect of netlab: {type(error).__name__}: {error}; {_put_down(text)}", file=sys.stderr)
    return DEFECT


def _put_down(text: str) -> str:
    from tempfile import NamedTemporaryFile

    try:
        with NamedTemporaryFile("w", prefix="nlab-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return "NETLAB_DEBUG=1 shows its traceback"
    return f"its traceback is {file.name}"


if __name__ == "__main__":
    sys.exit(main())
