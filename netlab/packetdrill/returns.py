"""Whether a call returned what the script says."""

from __future__ import annotations

from typing import Any

from netlab.packetdrill.blocking import Done
from netlab.packetdrill.constants import Symbols, errno_number
from netlab.packetdrill.script import ANYTHING, Call
from netlab.packetdrill.verdict import Failed


def check_result(symbols: Symbols, call: Call, done: Done) -> None:
    """Failed when the result, the errno or what was written into an argument differs."""
    if call.result is not ANYTHING:
        wanted = symbols.number(call.result)
        got = done.result
        if wanted != got or (wanted == -1 and call.errno and not _same_errno(call.errno, done.errno)):
            raise Failed(
                f"{call.name}() returned {_spelled(got, done.errno)} instead of {_spelled(wanted, call.errno)}",
                f"{call.name}() = {_spelled(wanted, call.errno)}",
                f"{call.name}() = {_spelled(got, done.errno)}",
            )
    for at, value in (done.filled or {}).items():
        if at < len(call.args):
            _check_value(symbols, call, call.args[at], value)


def _spelled(result: Any, errno: str) -> str:
    return f"{result} {errno}".strip()


def _same_errno(a: str, b: str) -> bool:
    return a == b or (errno_number(a) is not None and errno_number(a) == errno_number(b))


def _check_value(symbols: Symbols, call: Call, wanted: Any, got: Any) -> None:
    plain = symbols.plain(wanted)
    if isinstance(plain, list) and not isinstance(got, list):
        if not plain:
            return
        plain = plain[0]
    if not _agrees(plain, symbols.plain(got)):
        raise Failed(f"{call.name}() says {got} instead of {plain}", f"{plain}", f"{got}")


def _agrees(wanted: Any, got: Any) -> bool:
    if wanted is ANYTHING:
        return True
    if isinstance(wanted, dict) and isinstance(got, dict):
        return all(_agrees(value, got.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(_agrees, wanted, got))
    return bool(wanted == got)
