"""What a sandboxed interpreter may see of this machine's files: itself, its standard library, shared libraries.

Everything else is absent rather than forbidden. Trees of installed packages inside those are masked: a student's code
has the standard library and nothing more, and netlab with its labs' answers may well be installed in one of them.
"""

from __future__ import annotations

import os
import site
import stat
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LIBRARIES = ("/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/lib32", "/etc/ld.so.cache", "/nix/store")
DEVICES = ("/dev/null", "/dev/urandom")


@dataclass(frozen=True)
class Layout:
    """``entries``: (path, "") to show read-only, (path, target) for a symbolic link; ``masks``: trees to hide."""

    python: str
    entries: tuple[tuple[str, str], ...]
    devices: tuple[str, ...]
    masks: tuple[str, ...]

    def is_public(self) -> bool:
        """Whether every user can read the interpreter where it stands: one in root's home, only root can."""
        shown = [Path(path) for path, target in self.entries if not target]
        above = {parent for path in shown for parent in path.parents}
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in above)

    def parents(self) -> list[str]:
        """Every directory above what is shown, outermost first."""
        paths = [*(path for path, _ in self.entries), *self.devices]
        return sorted({str(parent) for path in paths for parent in Path(path).parents} - {"/"})


@cache
def layout() -> Layout:
    """The layout for the interpreter that runs netlab (outside of any virtual environment)."""
    python = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    entries: list[tuple[str, str]] = []
    for path in (*LIBRARIES, os.path.join(sys.base_prefix, "lib"), *_standard_library(), python):
        if os.path.islink(path) and path in LIBRARIES:
            entries.append((path, os.readlink(path)))
        elif os.path.exists(path) and not any(_below(path, shown) for shown, target in entries if not target):
            entries.append((path, ""))
    shown = [path for path, target in entries if not target]
    masks = {mask for mask in _private() if os.path.isdir(mask) and any(_below(mask, path) for path in shown)}
    outermost = tuple(sorted(m for m in masks if not any(_below(m, other) and m != other for other in masks)))
    return Layout(python, tuple(entries), tuple(d for d in DEVICES if os.path.exists(d)), outermost)


def _standard_library() -> list[str]:
    names = ("stdlib", "platstdlib")
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    found = [sysconfig.get_path(name, vars=base) for name in names]
    return [*found, *(os.path.realpath(path) for path in found)]


def _private() -> set[str]:
    """Where packages, netlab and its labs may be, by any name."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    prefixes = (sys.prefix, sys.base_prefix, "/usr", "/usr/local")
    places = [os.path.join(p, "lib", v, k) for p in prefixes for v in (version, "python3") for k in site_names()]
    places += [path for path in sys.path if os.path.basename(path) in site_names()]
    places += [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    package = Path(__file__).resolve().parents[1]
    places += [str(package), str(package.parent / "labs")]
    return {os.path.realpath(path) for path in places} | set(places)


def site_names() -> tuple[str, str]:
    """What a folder of installed packages is called."""
    return "site-packages", "dist-packages"


def _below(path: str, tree: str) -> bool:
    return path == tree or path.startswith(tree.rstrip("/") + "/")
