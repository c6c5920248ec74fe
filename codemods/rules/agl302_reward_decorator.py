"""AGL302: functions decorated with `@reward`."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.reward_functions import (
    RewardFunction,
    decorator_span,
    emit_result,
    plan_function,
)
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.rule import Hit, Rule


class RewardDecorator(Rule):
    """`@reward` functions into functions that call `emit_reward`."""

    code = "AGL302"
    title = "`@reward` is `emit_reward`"
    why = (
        "`agentlightning.reward` is a module since 0.2, so `@agl.reward` fails. Today's code emits "
        "a reward with `emit_reward(value)`, which takes a number and needs an open trace: a "
        "test that calls the function by itself has to open one. A rollout method that emits its "
        "reward and returns it too records two reward spans with the same value."
    )
    before = "@reward\ndef score(answer):\n    return 1.0"
    after = "def score(answer):\n    emit_reward(1.0)\n    return 1.0"
    applicability = "review"
    nodes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Attribute)
    attributes = frozenset({"reward"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The decorator on a function, and `agl.reward` anywhere else."""
        if isinstance(node, ast.Attribute):
            yield from _attribute(node, ctx)
            return
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in node.decorator_list:
            if ctx.qual(decorator) == known.REWARD:
                yield _decorated(node, decorator, ctx)


def _decorated(function: FunctionNode, decorator: ast.expr, ctx: FileContext) -> Hit:
    plan = plan_function(ctx.module, function, decorator)
    if ctx.options.server == "legacy":
        plan.blocked = "fit_v0 opens no trace that emit_reward could use in a sync agent"
    message = f"`@reward` on `{function.name}` is `emit_reward` in the store API"
    if not plan.blocked:
        return Hit(
            decorator, message, lambda r: _fix(r, function, decorator, plan), symbol=known.REWARD
        )
    if not _gives_module(decorator, ctx):
        return Hit(decorator, message, reason=plan.blocked, symbol=known.REWARD)
    return _imported(decorator, f"{message}; the decorator stays, since {plan.blocked}")


def _fix(
    rewrite: Rewrite, function: FunctionNode, decorator: ast.expr, plan: RewardFunction
) -> None:
    rewrite.replace_span(*decorator_span(rewrite.module, decorator), "")
    for emission in plan.emissions:
        emit_result(rewrite, function, emission)


def _attribute(node: ast.Attribute, ctx: FileContext) -> Iterable[Hit]:
    """`agl.reward` where it is no decorator: it gives the module."""
    if ctx.qual(node) != known.REWARD or not _gives_module(node, ctx):
        return
    parent = ctx.parent(node)
    decorates = isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef)
    reaches_in = isinstance(parent, ast.Attribute)
    if not decorates and not reaches_in:
        yield _imported(node, "`agentlightning.reward` is a module, not the decorator")


def _gives_module(node: ast.expr, ctx: FileContext) -> bool:
    return isinstance(node, ast.Attribute) and ctx.written(node) == "agentlightning.reward"


def _imported(node: ast.expr, message: str) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        rewrite.replace(node, rewrite.use("agentlightning.emitter.reward", node))

    return Hit(node, message, fix, symbol=known.REWARD)
