"""A student's folder for a lab: the notebook and the answer, made once and never overwritten."""

from __future__ import annotations

from pathlib import Path

from netlab.files import reading, unwritable, whole_files
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
        texts = {**_answer(lab, folder), **_notebook(lab, notebook_of(lab, work))}
        with whole_files(folder, *texts) as files:
            for file, text in zip(files, texts.values(), strict=True):
                file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(error, "the folder cannot be made", folder, "choose another place with --work DIR") from error
    return [folder / name for name in texts]


def set_aside(lab: LabFolder, work: Path) -> Path | None:
    """Give the lab's folder the next free name ``NN-slug.1``, ``.2``, …; that name, or None if there was no folder."""
    folder = folder_of(lab, work)
    if not begun(folder):
        return None
    number = 1
    while (kept := work / f"{lab.slug}.{number}").exists():
        number += 1
    try:
        folder.rename(kept)
    except OSError as error:
        raise unwritable(error, "it cannot be set aside", folder, "choose another place with --work DIR") from error
    return kept


def begun(folder: Path) -> bool:
    """Whether there is such a folder; BadInput when nobody lets us look."""
    with reading(folder):
        return folder.is_dir()


def _answer(lab: LabFolder, folder: Path) -> dict[str, str]:
    """Its name and text, if it is to be made."""
    starter = lab.path / "starter.py"
    if (folder / ANSWER).exists() or not starter.is_file():
        return {}
    return {ANSWER: starter.read_text(encoding="utf-8")}


def _notebook(lab: LabFolder, target: Path) -> dict[str, str]:
    """Its name and text, if it is to be made."""
    source = lab.path / "notebook.py"
    if target.exists() or not source.is_file():
        return {}
    import jupytext

    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {target.name: jupytext.writes(notebook, fmt="ipynb")}
