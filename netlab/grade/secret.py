"""The instructor's secret, from which hidden parameters are drawn: a file of his own, outside any repository."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from netlab.errors import BadInput
from netlab.files import reading, unwritable

SIZE = 32


def secret_path() -> Path:
    """Where the secret is kept: $XDG_STATE_HOME/netlab/secret, ~/.local/state by default."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return base / "netlab" / "secret"


def load_secret(path: Path | None = None) -> bytes:
    """The secret; made on first use, readable by its owner only, the same for two that make it at once."""
    path = path or secret_path()
    with reading(path):
        there = path.exists()
    if not there:
        _make(path)
    try:
        text = path.read_text().strip()
        secret = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        raise BadInput("the secret can't be read", where=str(path), right=f"it is {2 * SIZE} hex digits") from error
    if len(secret) < SIZE:
        raise BadInput("the secret is too short", where=str(path), right=f"it is {2 * SIZE} hex digits")
    return secret


def _make(path: Path) -> None:
    """Write a new secret whole, and let the first of several writers win."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(fd, "w") as file:
                file.write(secrets.token_hex(SIZE) + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(partial, path)
        finally:
            partial.unlink()
    except OSError as error:
        raise unwritable(error, "the secret can't be made there", path, "set XDG_STATE_HOME") from error
