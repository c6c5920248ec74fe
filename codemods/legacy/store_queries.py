"""Queries of a store, and what is done with what they give."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy.instances import is_a
from codemods.legacy.tracers import reads
from codemods.names import known
from codemods.names.shapes import dotted_tail

QUERIES = frozenset({"query_rollouts", "query_attempts", "query_spans"})
# What a list has and a sequence does not promise.
_LIST_ONLY = frozenset(
    {"append", "extend", "insert", "remove", "pop", "sort", "reverse", "clear", "copy"}
)


def is_store(ctx: FileContext, node: ast.expr) -> bool:
    """Whether an expression is a store."""
    return is_a(ctx, node, known.STORE)


def query(ctx: FileContext, node: ast.AST) -> ast.Call | None:
    """The query that an expression awaits."""
    call = node.value if isinstance(node, ast.Await) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    return call if call.func.attr in QUERIES and is_store(ctx, call.func.value) else None


def used_as_list(ctx: FileContext, node: ast.expr) -> str:
    """What is done with a value, or with the name that it gets, that only a list can do."""
    parent = ctx.parent(node)
    direct = _list_use(ctx, node)
    if direct:
        return direct
    targets = parent.targets if isinstance(parent, ast.Assign) else []
    for target in targets:
        if isinstance(target, ast.Name):
            found = [_list_use(ctx, name) for name in reads(ctx.module, target)]
            found += [_changed(ctx, target)]
            if any(found):
                return next(use for use in found if use)
    return ""


def _changed(ctx: FileContext, target: ast.Name) -> str:
    """`name += [...]` in the scope of an assignment."""
    scope = ctx.module.scope(target)
    for other in _augmented(ctx, target.id):
        if ctx.module.scope(other) is scope:
            return "+="
    return ""


def _augmented(ctx: FileContext, name: str) -> Iterator[ast.Name]:
    for node in ctx.module.table.nodes.get(ast.AugAssign, ()):
        assert isinstance(node, ast.AugAssign)
        if isinstance(node.target, ast.Name) and node.target.id == name:
            yield node.target


def _list_use(ctx: FileContext, node: ast.expr) -> str:
    parent = ctx.parent(node)
    match parent:
        case ast.BinOp(op=ast.Add()):
            return "+"
        case ast.AugAssign(value=value) if value is node:
            return ""  # a list takes any iterable
        case ast.Attribute(attr=attr) if attr in _LIST_ONLY:
            return f".{attr}"
        case ast.Compare(ops=[ast.Eq() | ast.NotEq()]):
            sides = [parent.left, *parent.comparators]
            return "==" if any(isinstance(side, ast.List | ast.ListComp) for side in sides) else ""
        case ast.Subscript(ctx=ast.Store() | ast.Del(), value=value) if value is node:
            return "[...] ="
        case ast.Call() if node in parent.args:
            return _call_use(ctx, parent, node)
    return ""


def _call_use(ctx: FileContext, call: ast.Call, node: ast.expr) -> str:
    name = dotted_tail(call)
    if name == "isinstance" and call.args[0] is node:
        kinds = call.args[1] if len(call.args) == 2 else None
        named = [kinds] if isinstance(kinds, ast.Name) else getattr(kinds, "elts", [])
        return "isinstance" if any(getattr(k, "id", "") == "list" for k in named) else ""
    if name in ("dumps", "dump") and call.args[0] is node:
        return f"json.{name}"
    return name if name in ("shuffle", "heapify") else ""
