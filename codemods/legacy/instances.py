"""Of which class of agentlightning an object is, also where only callers of a function say it."""

from __future__ import annotations

import ast

from codemods.context import FileContext
from codemods.legacy.objects import is_unknown, objects
from codemods.names import known
from codemods.names.module import Module
from codemods.names.shapes import dotted_tail
from codemods.names.values import External, Instance, ProjectClass

_DEPTH = 6


def is_a(ctx: FileContext, node: ast.expr, *paths: str) -> bool:
    """Whether an object is of one of the classes at `paths`, or of a class made from one.

    An unannotated parameter is what every call in the project gives it.
    """
    return _is_a(ctx, ctx.module, node, paths, _DEPTH)


def _is_a(
    ctx: FileContext, module: Module, node: ast.expr, paths: tuple[str, ...], depth: int
) -> bool:
    value = ctx.project.inference.infer(module, node)
    if value is not None:
        return isinstance(value, Instance) and ctx.project.inference.derives(value, *paths)
    if depth == 0 or not isinstance(node, ast.Name | ast.Attribute | ast.Await):
        return False
    sources = list(objects(ctx).sources(module, node))
    return bool(sources) and all(_is_a(ctx, m, source, paths, depth - 1) for m, source in sources)


def may_be(ctx: FileContext, node: ast.expr, word: str) -> bool:
    """Whether nobody can tell what an object is, but it is called so, next to agentlightning."""
    called = word in dotted_tail(node).lower()
    return called and is_unknown(ctx, node) and imports_framework(ctx)


def imports_framework(ctx: FileContext) -> bool:
    """Whether a file imports anything of agentlightning."""
    return any(
        binding.path.partition(".")[0] == "agentlightning"
        for bindings in ctx.module.imported.values()
        for binding in bindings
    )


def own_class(ctx: FileContext, node: ast.expr) -> ProjectClass | None:
    """The class of the project that an object is of, if it is of one."""
    value = ctx.infer(node)
    of = value.of if isinstance(value, Instance) else None
    return of if isinstance(of, ProjectClass) else None


def is_super(node: ast.expr) -> bool:
    """Whether an expression is `super()` or `super(A, self)`."""
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "super"


def is_gone(ctx: FileContext, node: ast.expr) -> bool:
    """Whether an object is a tracer whose class was dropped; its import is reported."""
    value = ctx.infer(node)
    return isinstance(value, Instance) and value.of == External(known.HTTP_TRACER)
