"""A student's folder for a lab: the notebook and the answer, made once and never overwritten."""

from __future__ import annotations

from pathlib import Path

from netlab.errors import BadInput
from netlab.lab.catalogue import LabFolder

ANSWER = "exercise.py"


def folder_of(lab: LabFolder, work: Path) -> Path:
    """Where the lab is worked on."""
    return work / lab.slug


def notebook_of(lab: LabFolder, work: Path) -> Path:
    """The notebook's file."""
    return folder_of(lab, work) / f"{lab.slug}.ipynb"


def make(lab: LabFolder, work: Path) -> list[Path]:
    """Make what is missing of the lab's folder; what was made."""
    folder = folder_of(lab, work)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [*_answer(lab, folder), *_notebook(lab, notebook_of(lab, work))]
    except OSError as error:
        right = "choose another place with --work DIR"
        raise BadInput(f"the folder cannot be made ({error.strerror})", where=str(folder), right=right) from error


def set_aside(lab: LabFolder, work: Path) -> Path | None:
    """Give the lab's folder the next free name ``NN-slug.1``, ``.2``, …; that name, or None if there was no folder."""
    folder = folder_of(lab, work)
    if not folder.is_dir():
        return None
    number = 1
    while (kept := work / f"{lab.slug}.{number}").exists():
        number += 1
    folder.rename(kept)
    return kept


def _answer(lab: LabFolder, folder: Path) -> list[Path]:
    starter, target = lab.path / "starter.py", folder / ANSWER
    if target.exists() or not starter.is_file():
        return []
    _write(target, starter.read_text(encoding="utf-8"))
    return [target]


def _notebook(lab: LabFolder, target: Path) -> list[Path]:
    source = lab.path / "notebook.py"
    if target.exists() or not source.is_file():
        return []
    import jupytext

    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    _write(target, jupytext.writes(notebook, fmt="ipynb"))
    return [target]


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
