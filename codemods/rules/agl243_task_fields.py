"""AGL243: fields of a polled task, which is a rollout with an attempt today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agent_hooks import PARAMETERS
from codemods.legacy.awaiting import binds_tighter
from codemods.legacy.objects import kind_of
from codemods.legacy.swaps import class_references, put_class
from codemods.names import known
from codemods.rule import Hit, Rule

MOVED = {
    "create_time": "start_time",
    "last_claim_time": "attempt.start_time",
    "num_claims": "attempt.sequence_id",
}
ROLLOUT = "agentlightning.AttemptedRollout"


class TaskFields(Rule):
    """`create_time`, `last_claim_time`, `num_claims` and `metadata` of what was polled."""

    code = "AGL243"
    title = "Field of a polled task"
    why = (
        "What is claimed from the store is an `AttemptedRollout`. It has the input, mode and ids "
        "of a `Task`, but its times and its count of claims belong to the attempt, and its "
        "metadata may be None."
    )
    before = "print(task.num_claims, task.metadata)"
    after = "print(task.attempt.sequence_id, task.metadata or {})"
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Reads of moved fields, and annotations, of values that a poll gave."""
        if ctx.options.server == "legacy":
            return
        for attribute in ctx.module.table.nodes.get(ast.Attribute, ()):
            assert isinstance(attribute, ast.Attribute)
            watched = attribute.attr in MOVED or attribute.attr == "metadata"
            if watched and kind_of(ctx, attribute.value) == "task":
                yield from _field(attribute, ctx)
            elif attribute.attr in MOVED and ctx.is_instance(attribute.value, known.TASK):
                yield from _said_to_be_task(attribute, ctx)
        for reference, path in class_references(ctx, known.TASK):
            yield from _annotation(reference, path, ctx)


def _field(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    symbol = f"{known.TASK}.{node.attr}"
    new = MOVED.get(node.attr)
    if _written(node, ctx):
        reason = "the store would not see the change; use update_rollout() of the store"
        yield Hit(node, f"`{node.attr}` of a task is written to", reason=reason, symbol=symbol)
    elif new is not None:
        message = f"`{node.attr}` of a task is `{new}` of a rollout"
        yield Hit(node, message, lambda rewrite: rewrite.rename(node, new), symbol=symbol)
    elif not _tested(node, ctx):
        message = "`metadata` of a rollout may be None"
        yield Hit(node, message, lambda rewrite: _or_empty(rewrite, node, ctx), symbol=symbol)


def _said_to_be_task(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    """A field of what is called a task and comes from out of sight."""
    function = ctx.function_around(node)
    if function is not None and function.name in PARAMETERS:
        return  # a hook that a helper calls gets a real task
    new = MOVED[node.attr]
    message = f"`{node.attr}` of a task is `{new}` of a rollout"
    reason = "if what is claimed from the store comes here, read it from there"
    yield Hit(node, message, reason=reason, symbol=f"{known.TASK}.{node.attr}")


def _written(node: ast.Attribute, ctx: FileContext) -> bool:
    parent = ctx.parent(node)
    inside = isinstance(parent, ast.Subscript) and not isinstance(parent.ctx, ast.Load)
    return inside or not isinstance(node.ctx, ast.Load)


def _tested(node: ast.Attribute, ctx: FileContext) -> bool:
    """Whether only the truth of the value counts, or something stands behind an `or` already."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert):
        return parent.test is node
    return isinstance(parent, ast.BoolOp) or (
        isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    )


def _or_empty(rewrite: Rewrite, node: ast.Attribute, ctx: FileContext) -> None:
    parent = ctx.parent(node)
    alone = isinstance(parent, ast.Assign | ast.AnnAssign | ast.Return | ast.keyword | ast.Call)
    if alone and not binds_tighter(ctx, node):
        rewrite.wrap(node, "", " or {}")
    else:
        rewrite.wrap(node, "(", " or {})")


def _annotation(node: ast.Name | ast.Attribute, path: str, ctx: FileContext) -> Iterator[Hit]:
    argument = _annotated(node, ctx)
    if argument is None:
        return
    reads = [
        name
        for name in ctx.module.table.nodes.get(ast.Name, ())
        if isinstance(name, ast.Name)
        and isinstance(name.ctx, ast.Load)
        and any(b.node is argument for b in ctx.module.scope(name).lookup(name.id))
    ]
    if any(kind_of(ctx, name) == "task" for name in reads):

        def fix(rewrite: Rewrite) -> None:
            put_class(rewrite, node, ROLLOUT)

        yield Hit(node, "a polled task is an `AttemptedRollout`", fix, symbol=path)


def _annotated(node: ast.expr, ctx: FileContext) -> ast.AST | None:
    """The parameter or the name whose annotation holds `node`."""
    parent = ctx.parent(node)
    while isinstance(parent, ast.expr):
        parent = ctx.parent(parent)
    if isinstance(parent, ast.AnnAssign):
        return parent.target
    if not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    every = [*parent.args.posonlyargs, *parent.args.args, *parent.args.kwonlyargs]
    for argument in every:
        if argument.annotation is not None and node in ast.walk(argument.annotation):
            return argument
    return None
