"""Where labs are, and how one is loaded: a folder ``NN-slug`` with a ``lab.py`` that defines ``LAB``."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from netlab.errors import BadInput
from netlab.lab.lab import Lab

_SLUG = re.compile(r"[0-9]{2}-[a-z0-9-]+")


@dataclass(frozen=True)
class LabFolder:
    """A lab that is there, not yet loaded."""

    slug: str
    path: Path

    @property
    def number(self) -> str:
        """ "01" of "01-packet-path"."""
        return self.slug[:2]

    @property
    def names(self) -> tuple[str, ...]:
        """What it may be called: its slug, or its number with or without the nought."""
        return self.slug, self.number, self.number.lstrip("0")


def lab_roots() -> tuple[Path, ...]:
    """Folders that may hold labs, first match wins: $NETLAB_LABS, a checkout's ``labs``, the installed package's."""
    package = Path(__file__).resolve().parents[1]
    given = [Path(part).resolve() for part in os.environ.get("NETLAB_LABS", "").split(os.pathsep) if part]
    return (*given, package.parent / "labs", package / "_labs")


def find_labs() -> tuple[LabFolder, ...]:
    """Every lab there is, by number; nothing is loaded."""
    found: dict[str, LabFolder] = {}
    for root in lab_roots():
        for path in sorted(root.glob("*/lab.py")):
            if _SLUG.fullmatch(path.parent.name):
                found.setdefault(path.parent.name, LabFolder(path.parent.name, path.parent))
    return tuple(found[slug] for slug in sorted(found))


def find_lab(name: str) -> LabFolder:
    """The lab called ``name``: its slug, or its number; BadInput that lists the labs otherwise."""
    labs = find_labs()
    for lab in labs:
        if name in lab.names:
            return lab
    known = ", ".join(lab.slug for lab in labs)
    raise BadInput(f"there is no lab '{name}'", right=f"labs are {known}" if known else "no labs are installed here")


def load_lab(name: str) -> Lab:
    """The lab called ``name`` ("01-packet-path" or "01")."""
    return load_folder(find_lab(name).path)


def load_folder(folder: Path) -> Lab:
    """The lab that ``lab.py`` in the folder declares as ``LAB``."""
    path = folder.resolve() / "lab.py"
    name = "netlab_labs." + re.sub(r"\W", "_", folder.name)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadInput("the folder holds no lab", where=str(folder), right="a lab has a lab.py that defines LAB")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    lab = getattr(module, "LAB", None)
    if not isinstance(lab, Lab):
        raise BadInput("it defines no LAB", where=str(path), right="end it with LAB = Lab(...)")
    return replace(lab, folder=folder.resolve())
