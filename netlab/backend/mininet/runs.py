"""Run folders: where a live arena can be found from another terminal, and what is left of dead ones.

A run's folder holds ``run.json`` (who keeps the arena), ``arena.sock`` (its agent listens there) and ``agent.log``. The
arena's keeper removes it; `sweep` removes those whose keeper was killed.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from netlab.backend.mininet.linux import start_time
from netlab.errors import BadInput, Unavailable


@dataclass(frozen=True)
class Run:
    """A live arena, as its folder describes it. Process numbers come with start times, so none is mistaken."""

    folder: str
    keeper: int
    keeper_start: int
    owner: int
    owner_start: int
    suffix: str
    plan: str = ""
    nodes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The folder's name, by which people choose among runs."""
        return Path(self.folder).name

    @property
    def alive(self) -> bool:
        """Whether the arena's keeper is still there."""
        try:
            return start_time(self.keeper) == self.keeper_start
        except ProcessLookupError:
            return False


def base() -> Path:
    """The folder of this user's run folders, made if need be: nobody else can write or read in it.

    Unavailable when something that isn't ours is in the way.
    """
    parent = os.environ.get("XDG_RUNTIME_DIR", "")
    usable = parent and os.path.isdir(parent) and os.access(parent, os.W_OK)
    path = Path(parent) / "netlab" if usable else Path(f"/tmp/netlab-{os.getuid()}")
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise Unavailable("it is not a folder that is yours alone", where=str(path), right="remove it, or chmod 700 it")
    return path


def write(run: Run) -> None:
    """Put the description into the run's folder, whole or not at all."""
    partial = Path(run.folder) / "run.json.part"
    partial.write_text(json.dumps(asdict(run)))
    partial.replace(Path(run.folder) / "run.json")


def read(folder: Path) -> Run | None:
    """The description in a folder; None when there is none (yet)."""
    try:
        raw = json.loads((folder / "run.json").read_text())
        return Run(**{**raw, "nodes": tuple(raw["nodes"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def live() -> list[Run]:
    """This user's live arenas, the youngest first."""
    found = [run for folder in _folders() if (run := read(folder)) is not None and run.alive]
    return sorted(found, key=lambda run: run.keeper_start, reverse=True)


def find(name: str = "", node: str = "") -> Run:
    """The run of that name; with no name the only one (that has the node). BadInput says what there is."""
    runs = [run for run in live() if (not name or run.name == name) and (not node or node in run.nodes)]
    if len(runs) == 1:
        return runs[0]
    there = ", ".join(f"{run.name} ({run.plan}: {' '.join(run.nodes)})" for run in live()) or "none"
    wanted = f"network '{name}'" if name else "network"
    wanted += f" with a node '{node}'" if node else ""
    if not runs:
        raise BadInput(f"no {wanted} is up", right=f"networks that are up: {there}")
    raise BadInput(f"more than one {wanted} is up", right=f"name one of: {there}")


def sweep() -> list[str]:
    """Remove the folders of arenas that are dead; their names."""
    swept: list[str] = []
    for folder in _folders():
        run = read(folder)
        if not (run.alive if run is not None else _starting(folder)):
            shutil.rmtree(folder, ignore_errors=True)
            swept.append(folder.name)
    return swept


def _starting(folder: Path) -> bool:
    # A folder's name starts with its keeper's pid and start time, for the moment before it has a description.
    pid, _, rest = folder.name.partition("-")
    try:
        return start_time(int(pid)) == int(rest.partition("-")[0])
    except (ValueError, ProcessLookupError):
        return False


def _folders() -> list[Path]:
    if sys.platform != "linux":
        return []
    return [folder for folder in base().iterdir() if folder.is_dir()]
