"""Errors of socket calls: the OSError that Python raises for an errno, with a sentence."""

from __future__ import annotations

import errno
import os


def failure(name: str, sentence: str = "") -> OSError:
    """The OSError of an errno by its name, as "ECONNREFUSED": of the subclass that Python gives it."""
    number = getattr(errno, name)
    return OSError(number, sentence or os.strerror(number))


def gone(sentence: str) -> OSError:
    """What a call answers on a stack that works no more."""
    return failure("ENETDOWN", sentence)


def unsupported(what: str) -> OSError:
    """What is not there, by its name."""
    return failure("EOPNOTSUPP", f"{what} is not supported by these sockets")
