"""Loaders of tasks that feed a runner built by hand, and become a store in memory."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy.clients import RUNNER_PARAMETERS
from codemods.legacy.given import arguments
from codemods.legacy.loaders import Loader, kind_of_tasks, loader_of
from codemods.legacy.objects import kind_of
from codemods.legacy.trainers import uses


def stands_for_store(ctx: FileContext, node: ast.expr) -> bool:
    """Whether the loader that a runner is given can be a store in memory."""
    loader = loader_of(ctx, node)
    return loader is not None and replaceable(ctx, loader)


def feeds_runner(ctx: FileContext, loader: Loader) -> bool:
    """Whether a loader is the client of a runner in this file."""
    return any(_given_to_runner(ctx, place) for place in _places(ctx, loader))


def replaceable(ctx: FileContext, loader: Loader) -> bool:
    """Whether a loader is a plain variable that only runners use, and its tasks are inputs."""
    binding = loader.binding
    if binding is None or loader.function is not None or binding.kind != "assign":
        return False
    shared = binding.scope.kind == "module" and binding.name in ctx.project.exported(ctx.module)
    return (
        not shared
        and isinstance(ctx.parent(loader.call), ast.Assign)
        and kind_of_tasks(ctx, loader.tasks) == "inputs"
        and all(
            _given_to_runner(ctx, place) or _reads_rollouts(ctx, place)
            for place in _places(ctx, loader)
        )
    )


def _places(ctx: FileContext, loader: Loader) -> Iterator[ast.Name]:
    if loader.binding is not None:
        yield from uses(ctx, loader.binding)


def _given_to_runner(ctx: FileContext, place: ast.expr) -> bool:
    around = ctx.parent(place)
    around = ctx.parent(around) if isinstance(around, ast.keyword) else around
    if not isinstance(around, ast.Call) or kind_of(ctx, around) != "runner":
        return False
    return arguments(around, RUNNER_PARAMETERS).values.get("client") is place


def _reads_rollouts(ctx: FileContext, place: ast.expr) -> bool:
    parent = ctx.parent(place)
    return isinstance(parent, ast.Attribute) and parent.attr == "rollouts"
