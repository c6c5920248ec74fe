"""Where a `DevTaskLoader` goes once it is built."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.legacy.loader_stores import given_to_runner
from codemods.legacy.polls import POLLS, POSTS, READS
from codemods.legacy.trainers import uses
from codemods.names.scopes import Binding

_CALLED = POLLS | POSTS | READS


def name_of(node: ast.Call, ctx: FileContext) -> Binding | None:
    """The variable that a loader is assigned to, or the function that returns it."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.Return):
        function = ctx.function_around(parent)
        if function is None or isinstance(ctx.parent(function), ast.ClassDef):
            return None
        if getattr(function, "decorator_list", []):
            return None  # a fixture, say, which its users name as a parameter
        bindings = ctx.module.scope(function).lookup(function.name)
        return next((b for b in bindings if b.node is function), None)
    if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        if len(targets) == 1 and isinstance(targets[0], ast.Name):
            bindings = ctx.module.scope(targets[0]).lookup(targets[0].id)
            return next((b for b in bindings if b.node is targets[0]), None)
    return None


def places_of(ctx: FileContext, binding: Binding) -> Iterator[ast.expr]:
    """Where a loader with a name is used; for a function, where it is called."""
    is_function = isinstance(binding.node, ast.FunctionDef | ast.AsyncFunctionDef)
    for use in uses(ctx, binding):
        call = ctx.parent(use)
        if is_function and isinstance(call, ast.Call) and call.func is use:
            inner = name_of(call, ctx)
            if inner is not None:
                yield from places_of(ctx, inner)
            yield call
        else:
            yield use


def works_by_hand(ctx: FileContext, places: Iterable[ast.expr]) -> bool:
    """Whether a loader feeds a runner, or is polled itself: what is said of it is said there."""
    if ctx.options.server == "legacy":
        return False
    return any(_called(ctx, place) or given_to_runner(ctx, place) for place in places)


def _called(ctx: FileContext, place: ast.expr) -> bool:
    around = ctx.parent(place)
    return isinstance(around, ast.Attribute) and around.attr in _CALLED
