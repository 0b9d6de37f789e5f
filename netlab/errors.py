"""Errors that say what, where, and what would be right."""

from __future__ import annotations


class NetlabError(Exception):
    """Something the user asked for cannot be: one sentence, in the user's words.

    ``where`` is a file, a line or a name; ``right`` says what would be right. Either may be empty.
    The command line prints the sentence and ends with ``exit_code``.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", right: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.right = what, where, right

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the sentence is for the user, the way to it is not."""
        return [str(self)]

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.right}" if self.right else head


class BadInput(NetlabError):
    """A file, an argument or a name that says something impossible (exit 2)."""


class BadTopology(NetlabError):
    """A topology with one or more mistakes; ``errors`` holds each as one line (exit 2)."""

    def __init__(self, errors: list[NetlabError]) -> None:
        super().__init__("\n".join(str(e) for e in errors))
        self.errors = errors


class Unavailable(NetlabError):
    """This machine cannot do it: a privilege, a package or a kernel feature is missing (exit 3)."""

    exit_code = 3
