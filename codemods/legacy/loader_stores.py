"""Loaders of tasks that feed a runner built by hand, and become a store in memory."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.edit import statements
from codemods.legacy.clients import RUNNER_PARAMETERS
from codemods.legacy.given import arguments
from codemods.legacy.loaders import Loader, loader_of
from codemods.legacy.objects import kind_of
from codemods.legacy.runner_uses import runs_once
from codemods.legacy.trainers import uses


def stands_for_store(ctx: FileContext, node: ast.expr) -> bool:
    """Whether the loader that a runner is given can be a store in memory."""
    loader = loader_of(ctx, node)
    return loader is not None and replaceable(ctx, loader)


def feeds_runner(ctx: FileContext, loader: Loader) -> bool:
    """Whether a loader is the client of a runner in this file."""
    return any(given_to_runner(ctx, place) for place in _places(ctx, loader))


def replaceable(ctx: FileContext, loader: Loader) -> bool:
    """Whether a loader is a plain variable that only runners use, and its tasks are inputs."""
    binding = loader.binding
    if binding is None or loader.function is not None or binding.kind != "assign":
        return False
    shared = binding.scope.kind == "module" and binding.name in ctx.project.exported(ctx.module)
    places = [*_places(ctx, loader)]
    reads = [place for place in places if _reads_rollouts(ctx, place)]
    return (
        not shared
        and isinstance(statement := ctx.parent(loader.call), ast.Assign)
        and statements.owns_its_lines(ctx.module, statement)
        and all(place in reads or given_to_runner(ctx, place) for place in places)
        and len(reads) <= 1
        and not any(_repeated(ctx, read) for read in reads)
    )


def _repeated(ctx: FileContext, node: ast.AST) -> bool:
    """Whether a loop evaluates `node` more than once."""
    loop = ctx.module.enclosing(node, ast.For, ast.AsyncFor, ast.While)
    if isinstance(loop, ast.For | ast.AsyncFor) and node in ast.walk(loop.iter):
        return _repeated(ctx, loop)
    return loop is not None


def goes_round(ctx: FileContext, loader: Loader) -> bool:
    """Whether a runner may have asked the loader for more tasks than there are."""
    for place in _places(ctx, loader):
        around = ctx.parent(place)
        around = ctx.parent(around) if isinstance(around, ast.keyword) else around
        if isinstance(around, ast.Call) and given_to_runner(ctx, place):
            limit = arguments(around, RUNNER_PARAMETERS).values.get("max_tasks")
            if not (_fits(ctx, limit, loader) or runs_once(ctx, around)):
                return True
    return False


def _fits(ctx: FileContext, limit: ast.expr | None, loader: Loader) -> bool:
    match limit:
        case ast.Call(func=ast.Name(id="len"), args=[counted]):
            return ctx.source(counted) == ctx.source(loader.tasks)
        case ast.Constant(value=int() as number):
            tasks = loader.tasks
            return isinstance(tasks, ast.List) and number <= len(tasks.elts)
    return False


def _places(ctx: FileContext, loader: Loader) -> Iterator[ast.Name]:
    if loader.binding is not None:
        yield from uses(ctx, loader.binding)


def given_to_runner(ctx: FileContext, place: ast.expr) -> bool:
    """Whether an expression is the client of a runner that is built there."""
    around = ctx.parent(place)
    around = ctx.parent(around) if isinstance(around, ast.keyword) else around
    if not isinstance(around, ast.Call) or kind_of(ctx, around) != "runner":
        return False
    return arguments(around, RUNNER_PARAMETERS).values.get("client") is place


def _reads_rollouts(ctx: FileContext, place: ast.expr) -> bool:
    parent = ctx.parent(place)
    return isinstance(parent, ast.Attribute) and parent.attr == "rollouts"
