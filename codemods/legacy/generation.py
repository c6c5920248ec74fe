"""Whether a use of a name that both APIs have means the legacy thing or today's."""

from __future__ import annotations

import ast
from typing import Literal

from codemods.context import FileContext
from codemods.names import known

Meaning = Literal["legacy", "today"]

LEGACY_FIELDS = frozenset({"final_reward", "triplets", "trace", "logs"})
TODAY_FIELDS = frozenset({"input", "start_time", "attempt", "status", "config", "end_time"})
# Modules of 0.1.2 that let `Rollout` be imported from them, and do not in 0.2 and later.
ONLY_LEGACY = frozenset(
    f"agentlightning.{module}.Rollout"
    for module in ("client", "litagent", "runner", "server", "verl")
)


def meaning_of(node: ast.expr, ctx: FileContext) -> Meaning | None:
    """What one reference to `Rollout` means, by how it is used; None where that does not tell."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return _by_keywords({k.arg or "" for k in parent.keywords})
    if isinstance(parent, ast.Call) and getattr(parent.func, "id", "") == "isinstance":
        return _by_fields(ctx.source(parent.args[0]), ctx.function_around(node))
    binding = _annotated_name(node, ctx)
    if binding is not None:
        name, function = binding
        if function is not None and _new_rollout_parameter(name, function):
            return "today"
        return _by_fields(name, function)
    function = _returning(node, ctx)
    if function is not None and function.name.partition("_")[0] in ("training", "validation"):
        return "legacy"
    return None


def file_meaning(ctx: FileContext) -> Meaning | None:
    """What `Rollout` means in a file as a whole, by what else stands in it."""
    answer = ctx.memo.get("generation")
    if answer is None:
        answer = ctx.memo["generation"] = _file_meaning(ctx) or "unknown"
    return answer if answer in ("legacy", "today") else None


def _file_meaning(ctx: FileContext) -> Meaning | None:
    meanings = set()
    for node in references(ctx, known.ROLLOUT):
        path = ctx.written(node)
        meanings.add("legacy" if path in ONLY_LEGACY else meaning_of(node, ctx))
    meanings.discard(None)
    if len(meanings) == 1:
        return meanings.pop()
    if meanings:
        return None
    for function in _functions(ctx):
        names = [a.arg for a in function.args.args]
        if "rollout_id" in names and function.name.partition("_")[0] in ("training", "validation"):
            return "legacy"
    for attribute in ctx.module.table.nodes.get(ast.Attribute, ()):
        assert isinstance(attribute, ast.Attribute)
        if attribute.attr in ("post_rollout", "post_rollout_async"):
            return "legacy"
    return None


def references(ctx: FileContext, path: str) -> list[ast.Name | ast.Attribute]:
    """The reads of an agentlightning name in a file, by canonical path."""
    found = [node for node, _ in ctx.reads(path)]
    return sorted(found, key=lambda n: (n.lineno, n.col_offset))


def _functions(ctx: FileContext) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ctx.module.table.nodes
    both = [*nodes.get(ast.FunctionDef, ()), *nodes.get(ast.AsyncFunctionDef, ())]
    return [n for n in both if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _by_keywords(keywords: set[str]) -> Meaning | None:
    if keywords & LEGACY_FIELDS or keywords == {"rollout_id"}:
        return "legacy"
    if keywords & TODAY_FIELDS:
        return "today"
    return None


def _annotated_name(
    node: ast.expr, ctx: FileContext
) -> tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | None] | None:
    """The parameter or variable whose annotation holds `node`, and the function it lives in."""
    child: ast.AST = node
    parent = ctx.parent(child)
    while isinstance(parent, ast.expr):
        child, parent = parent, ctx.parent(parent)
    if isinstance(parent, ast.AnnAssign) and parent.annotation is child:
        return ctx.source(parent.target), ctx.function_around(node)
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
        every = [*parent.args.posonlyargs, *parent.args.args, *parent.args.kwonlyargs]
        for argument in every:
            if argument.annotation is child:
                return argument.arg, parent
    return None


def _new_rollout_parameter(name: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = [a.arg for a in [*function.args.args, *function.args.kwonlyargs]]
    if name != "rollout":
        return False
    if function.name.startswith("on_"):
        return "task" not in names
    return "resources" in names and "rollout_id" not in names


def _by_fields(
    name: str, function: ast.FunctionDef | ast.AsyncFunctionDef | None
) -> Meaning | None:
    """What the attributes read of `name` in a function say."""
    if function is None:
        return None
    read = {
        part.attr
        for part in ast.walk(function)
        if isinstance(part, ast.Attribute) and ast.unparse(part.value) == name
    }
    if function.name == "on_rollout_end" and "task" in [a.arg for a in function.args.args]:
        return "legacy"
    if read & LEGACY_FIELDS:
        return None if read & TODAY_FIELDS else "legacy"
    return "today" if read & TODAY_FIELDS else None


def _returning(node: ast.expr, ctx: FileContext) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    child: ast.AST = node
    parent = ctx.parent(child)
    while isinstance(parent, ast.expr):
        child, parent = parent, ctx.parent(parent)
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and parent.returns is child:
        return parent
    return None
