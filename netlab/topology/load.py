"""A topology by name ("star,20"), from a YAML file, or from a Python file."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from netlab.errors import BadInput, BadTopology, NetlabError
from netlab.files import reading
from netlab.topology.mistakes import bad_topology
from netlab.topology.resolve import attempt
from netlab.topology.spec import Topology
from netlab.topology.words import nearest
from netlab.topology.yaml_file import read_yaml

SUFFIXES = (".py", ".yaml", ".yml")
PACKAGE = Path(__file__).resolve().parent.parent


def folders() -> list[Path]:
    """Where named topologies are looked for: the folder one works in, the checkout, the installed package."""
    return [Path("topologies"), PACKAGE.parent / "topologies", PACKAGE / "_topologies"]


def load_topology(name_or_path: str | Path) -> Topology:
    """The topology called "star" or "star,20", or the one in a file. BadTopology lists all that is wrong with a file.

    What is behind commas goes to the Python function, "n=20" by keyword; whole numbers become ints.
    """
    name, *arguments = str(name_or_path).split(",")
    path = _find(name)
    if path.suffix == ".py":
        return _from_python(path, arguments)
    if arguments:
        raise BadInput(f"a YAML topology takes no arguments, and got {', '.join(arguments)}", where=str(path))
    topology, errors = read_yaml(_text(path), str(path))
    if errors:
        raise bad_topology(errors + _further(topology, {error.where for error in errors}))
    return topology


def known_names() -> list[str]:
    """The names that `load_topology` knows."""
    found = {p.stem for folder in folders() if folder.is_dir() for p in folder.iterdir() if p.suffix in SUFFIXES}
    return sorted(name for name in found if not name.startswith("_"))


def _further(topology: Topology, told: set[str]) -> list[NetlabError]:
    """What else is wrong with a file that could be read in part only; of a line with a mistake, what may follow from it
    is not told."""
    return [error for error in attempt(topology)[1] if error.where not in told] if topology.nodes else []


def _find(name: str) -> Path:
    if name.endswith(SUFFIXES) or "/" in name:
        with reading(Path(name)):
            there = Path(name).is_file()
        if there:
            return Path(name)
        raise BadInput(f"there is no file '{name}'", right=f"names without a file are {', '.join(known_names())}")
    for folder in folders():
        for suffix in SUFFIXES:
            if (path := folder / f"{name}{suffix}").is_file():
                return _shortest(path)
    raise BadInput(f"no topology is called '{name}'", right=nearest(name, known_names(), "names are"))


def _shortest(path: Path) -> Path:
    """The path as seen from the folder one works in, where that is shorter to read."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput("this is not a text file", where=str(path), right="a topology is YAML in UTF-8") from None
    except OSError as error:
        raise BadInput(f"the file cannot be read ({error.strerror})", where=str(path)) from None


def _from_python(path: Path, arguments: list[str]) -> Topology:
    text = _text(path)
    module = ModuleType(f"netlab_topology_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look their own module up there
    _run(path, lambda: exec(compile(text, str(path), "exec"), module.__dict__))
    function = getattr(module, path.stem, None) or getattr(module, "topology", None)
    if not callable(function):
        right = f"define one that returns a Topology, as 'def {path.stem}() -> Topology:'"
        raise BadInput(f"there is no function '{path.stem}' or 'topology'", where=str(path), right=right)
    positional = [_number(text) for text in arguments if "=" not in text]
    named = {key: _number(value) for key, _, value in (text.partition("=") for text in arguments if "=" in text)}
    _check_call(path, function, positional, named)
    made = _run(path, lambda: function(*positional, **named))
    if not isinstance(made, Topology):
        what = f"'{function.__name__}' returned {type(made).__name__}"
        raise BadInput(what, where=str(path), right="it must return a netlab.topology.spec.Topology")
    return replace(made, where={("topology", ""): str(path), **made.where})


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else text


def _check_call(path: Path, function: Callable[..., Any], positional: list[Any], named: dict[str, Any]) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(*positional, **named)
    except TypeError as error:
        taken = (
            f"{p.name}={p.default!r}" if p.default is not p.empty else p.name for p in signature.parameters.values()
        )
        right = f"it is {function.__name__}({', '.join(taken)})"
        raise BadInput(
            f"'{function.__name__}' does not take these arguments: {error}", where=str(path), right=right
        ) from None


def _run(path: Path, call: Callable[[], Any]) -> Any:
    """Run the file's code. It is a stranger's, so whatever it raises becomes one sentence with its line."""
    try:
        return call()
    except NetlabError as error:
        if isinstance(error, BadTopology) or error.where:
            raise
        raise BadInput(error.what, where=str(path), right=error.right) from error
    except (Exception, SystemExit) as error:
        line = _line(path, error)
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        what = f"the file's code failed: {type(error).__name__}" + (f": {said}" if said else "")
        raise BadInput(what, where=f"{path}:{line}" if line else str(path)) from error


def _line(path: Path, error: BaseException) -> int:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 0
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return (frames[-1].lineno or 0) if frames else 0
