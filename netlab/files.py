"""Files that are written whole or not at all, and what is to be said when the system refuses one."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from netlab.errors import BadInput, NetlabError, Unavailable

_SLIPS = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)
"""What another path would mend. The rest (a full disk, a lacking permission) is the machine's doing."""


def said(error: OSError) -> str:
    """ "No space left on device", whoever raised it."""
    return os.strerror(error.errno) if error.errno else str(error)


def unwritable(error: OSError, what: str, path: Path, right: str) -> NetlabError:
    """The sentence for a path that could not be written: BadInput for one that cannot be, else Unavailable."""
    if error.errno == errno.EEXIST:  # of a folder that is to be made
        return BadInput(f"{what} (it is a file, not a folder)", where=str(path), right=right)
    kind = BadInput if error.errno in _SLIPS else Unavailable
    return kind(f"{what} ({said(error)})", where=str(path), right=right)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What is done within looks at ``path``; BadInput when the system refuses."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"it cannot be read ({said(error)})", where=str(path)) from error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to write that becomes ``path`` at the end, or leaves what was there as it was and nothing beside it.

    A pipe or a device (/dev/stdout) is written as it is. The mode of an older file stays; a link is followed.
    """
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        yield path
        return
    target = path.resolve()
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield partial
        if target.exists():
            shutil.copymode(target, partial)
        partial.replace(target)
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def whole_files(folder: Path, *names: str) -> Iterator[list[Path]]:
    """Files of one folder, as `whole` has each: all come to be or none, and then not the folder either."""
    with _made(folder), ExitStack() as files:
        yield [files.enter_context(whole(folder / name)) for name in names]


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """The folder, with those above it; the ones that were not there before are gone again after a failure."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with suppress(OSError):
            for each in new:
                each.rmdir()
        raise
