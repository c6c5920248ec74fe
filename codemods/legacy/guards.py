"""Tests of which release of agentlightning a program runs on."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from codemods import api_map
from codemods.context import FileContext
from codemods.legacy import literals
from codemods.legacy.dynamic import module_of
from codemods.legacy.fallbacks import standing
from codemods.names.values import External

VERSION = "agentlightning.__version__"
# The pin that the migration writes is >=0.3,<1.0: what holds for both ends holds for a run.
_ENDS = ("0.3.0", "0.99.0")
_PARSERS = ("Version", "parse", "LooseVersion", "StrictVersion", "parse_version")
_ASKS = ("version", "get_distribution", "distribution")
_OPERATORS: dict[type[ast.cmpop], Callable[[Any, Any], object]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def version_reads(ctx: FileContext) -> Iterator[ast.expr]:
    """Where the version of agentlightning is asked for, by the package or by its metadata."""
    for node, _ in ctx.reads(VERSION):
        yield node
    for call in ctx.module.table.nodes.get(ast.Call, ()):
        assert isinstance(call, ast.Call)
        if _asks_metadata(call, ctx):
            yield call


def is_version(node: ast.expr, ctx: FileContext) -> bool:
    """Whether an expression is the version as a string."""
    if isinstance(node, ast.Attribute) and node.attr == "version":
        node = node.value
    if isinstance(node, ast.Name) and ctx.qual(node) is None:
        bindings = ctx.module.scope(node).lookup(node.id)
        value = bindings[0].value if len(bindings) == 1 else None
        return value is not None and not isinstance(value, ast.Name) and is_version(value, ctx)
    return ctx.qual(node) == VERSION or (isinstance(node, ast.Call) and _asks_metadata(node, ctx))


def _asks_metadata(call: ast.Call, ctx: FileContext) -> bool:
    name = call.args[0] if len(call.args) == 1 else None
    if not isinstance(name, ast.Constant) or name.value != "agentlightning":
        return False
    value = ctx.infer(call.func)
    called = value.path if isinstance(value, External) else literals.last_name(call.func)
    return called.rpartition(".")[2] in _ASKS


def guard_around(node: ast.expr, ctx: FileContext) -> ast.expr | None:
    """The comparison, or the call of `startswith`, that a version is read for."""
    current: ast.AST | None = node
    while current is not None and not isinstance(current, ast.stmt):
        if isinstance(current, ast.Compare):
            return current
        if isinstance(current, ast.Call) and literals.last_name(current.func) in (
            "startswith",
            "match",
            "fullmatch",
        ):
            return current
        current = ctx.parent(current)
    return None


def truth(test: ast.expr, ctx: FileContext) -> bool | None:
    """What a test of the release comes to with 0.3.0; None where that is not sure."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = truth(operand, ctx)
            return None if inner is None else not inner
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(left, op, right, ctx)
        case ast.Call(
            func=ast.Attribute(value=value, attr="startswith"),
            args=[ast.Constant(value=str(start))],
        ):
            answers = {end.startswith(start) for end in _ENDS}
            return answers.pop() if is_version(value, ctx) and len(answers) == 1 else None
        case ast.Call():
            return has_name(test, ctx)
    return None


def has_name(call: ast.Call, ctx: FileContext) -> bool | None:
    """What `hasattr` says of a module of agentlightning; None for anything else."""
    path = asked_name(call, ctx)
    if not path or path == "agentlightning.reward":
        return None
    return {"there": True, "gone": False}.get(standing(path))


def asked_name(call: ast.Call, ctx: FileContext) -> str:
    """The path of what a call of `hasattr` asks for; empty if it is none of agentlightning's."""
    if not isinstance(call.func, ast.Name) or call.func.id != "hasattr" or len(call.args) != 2:
        return ""
    owner, name = call.args
    base = ctx.written(owner) or module_of(owner, ctx)
    if base not in api_map.load().modules or not isinstance(name, ast.Constant):
        return ""
    return f"{base}.{name.value}" if isinstance(name.value, str) else ""


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, ctx: FileContext) -> bool | None:
    compare = _OPERATORS.get(type(op))
    answers = set()
    for end in _ENDS:
        sides = [_value(side, end, ctx) for side in (left, right)]
        if compare is None or sides.count(None) or type(sides[0]) is not type(sides[1]):
            return None
        answers.add(bool(compare(*sides)))
    involved = is_version(left, ctx) or is_version(right, ctx) or _parsed(left) or _parsed(right)
    return answers.pop() if involved and len(answers) == 1 else None


def _parsed(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and literals.last_name(node.func) in _PARSERS


def _value(node: ast.expr, version: str, ctx: FileContext) -> str | tuple[int, ...] | None:
    """A side of a comparison with `version` installed: a string, or the numbers of a version."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if is_version(node, ctx):
        return version
    if isinstance(node, ast.Call) and _parsed(node) and len(node.args) == 1:
        text = _value(node.args[0], version, ctx)
        return _numbers(text) if isinstance(text, str) else None
    return None


def _numbers(text: str) -> tuple[int, ...] | None:
    parts = text.split(".")
    if not all(part.isdecimal() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def signature_test(node: ast.Compare, ctx: FileContext) -> bool:
    """`"rollout_id" in inspect.signature(agent.training_rollout).parameters` and the like."""
    if len(node.ops) != 1 or not isinstance(node.ops[0], ast.In | ast.NotIn):
        return False
    name, holder = node.left, node.comparators[0]
    if not isinstance(name, ast.Constant) or name.value not in ("rollout_id", "rollout"):
        return False
    if isinstance(holder, ast.Name):
        bindings = ctx.module.scope(holder).lookup(holder.id)
        value = bindings[0].value if len(bindings) == 1 else None
        holder = holder if value is None else value
    source = ctx.source(holder)
    return "_rollout" in source and any(
        word in source for word in ("signature(", "getfullargspec(", "__code__")
    )
