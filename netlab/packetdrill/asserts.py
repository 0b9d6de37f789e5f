"""Assertions in Python, ``%{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%``: a small part of the language, walked here.

A script is read, never run: there is no attribute, no import and no call but of a few plain functions.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from textwrap import dedent
from typing import Any

from netlab.packetdrill.script import Refused
from netlab.packetdrill.verdict import Failed

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_UNARY: dict[type, Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_CALLS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (abs, min, max, int, float, round, len, bool)}
LARGEST = 1 << 128
"""A number beyond this is a mistake, or meant to keep the machine busy."""


def check(text: str, values: Mapping[str, Any]) -> None:
    """Failed where an assertion does not hold; Refused for Python that is more than that."""
    try:
        tree = ast.parse(dedent(text).strip())
    except SyntaxError as wrong:
        raise Refused(f"the Python code '{_short(text)}' ({wrong.msg})") from None
    names = dict(values)
    for statement in tree.body:
        _statement(statement, names)


def _statement(node: ast.stmt, names: dict[str, Any]) -> None:
    if isinstance(node, ast.Assert):
        if not _value(node.test, names):
            raise Failed(f"the assertion does not hold: {_told(node, names)}", ast.unparse(node.test))
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        names[node.targets[0].id] = _value(node.value, names)
    elif isinstance(node, ast.If):
        for inner in node.body if _value(node.test, names) else node.orelse:
            _statement(inner, names)
    elif not isinstance(node, ast.Pass) and not _is_print(node):
        raise Refused(f"the Python code '{_short(ast.unparse(node))}'")


def _is_print(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"


def _told(node: ast.Assert, names: Mapping[str, Any]) -> str:
    """What the names in the test stand for: "tcpi_snd_cwnd is 11"."""
    used = sorted({n.id for n in ast.walk(node.test) if isinstance(n, ast.Name) and n.id in names})
    fields = [name for name in used if name.startswith("tcpi_")] or used
    return ", ".join(f"{name} is {names[name]}" for name in fields) or ast.unparse(node.test)


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    found = _plain(node, names)
    if isinstance(found, int) and abs(found) > LARGEST:
        raise Refused("Python code with a number as large as that")
    return found


def _plain(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value) if isinstance(value, int | float | str | None):
            return value
        case ast.Name(id=name):
            return _named(name, names)
        case ast.BoolOp(op=op, values=parts):
            return (all if isinstance(op, ast.And) else any)(_value(part, names) for part in parts)
        case ast.UnaryOp(op=op, operand=operand):
            return _UNARY[type(op)](_value(operand, names))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _BINARY:
            return _arithmetic(op, _value(left, names), _value(right, names))
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARE for op in ops):
            return _chain(_value(left, names), ops, [_value(other, names) for other in others])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _value(test, names) else orelse, names)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return [_value(part, names) for part in parts]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS:
            return _CALLS[name](*(_value(arg, names) for arg in args))
    raise Refused(f"the Python code '{_short(ast.unparse(node))}'")


def _named(name: str, names: Mapping[str, Any]) -> Any:
    if name not in names:
        raise Refused(f"the name '{name}' in Python code")
    return names[name]


def _arithmetic(op: ast.operator, a: Any, b: Any) -> Any:
    if not all(isinstance(x, int | float) for x in (a, b)) or (isinstance(op, ast.LShift) and b > 64):
        raise Refused("Python code that computes with more than numbers")
    try:
        return _BINARY[type(op)](a, b)
    except (ZeroDivisionError, TypeError, ValueError) as wrong:
        raise Failed(f"the Python code says: {wrong}") from None


def _chain(value: Any, ops: list[ast.cmpop], others: list[Any]) -> bool:
    for op, other in zip(ops, others, strict=True):
        if not _COMPARE[type(op)](value, other):
            return False
        value = other
    return True


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."
