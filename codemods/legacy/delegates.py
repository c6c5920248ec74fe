"""Methods whose result a rollout method hands on."""

from __future__ import annotations

import ast
from collections.abc import Collection

from codemods.context import FileContext
from codemods.names.scopes import FunctionNode
from codemods.names.shapes import returns_of


def delegates(ctx: FileContext, cls: ast.ClassDef, names: Collection[str]) -> list[FunctionNode]:
    """The methods of `cls` called `names`, and those whose result they only return.

    A helper that is also called for other ends is left out: its callers count on what it returns.
    """
    methods = {
        node.name: node
        for node in cls.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    found = [methods[name] for name in methods if name in names]
    for function in found:
        for helper in _returned(function):
            method = methods.get(helper)
            if method is not None and method not in found and _only_returned(ctx, cls, helper):
                found.append(method)
    return found


def _returned(function: FunctionNode) -> list[str]:
    """The methods of `self` whose result a function returns."""
    names = []
    for statement in returns_of(function):
        branches = [statement.value]
        for branch in branches:
            if isinstance(branch, ast.IfExp):
                branches += [branch.body, branch.orelse]
            call = branch.value if isinstance(branch, ast.Await) else branch
            if isinstance(call, ast.Call) and _is_own(call.func):
                assert isinstance(call.func, ast.Attribute)
                names.append(call.func.attr)
    return names


def _is_own(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _only_returned(ctx: FileContext, cls: ast.ClassDef, name: str) -> bool:
    for node in ctx.module.attributes.get(name, ()):
        if not _is_inside(ctx, node, cls):
            continue
        outer = ctx.parent(node)
        while isinstance(outer, ast.Call | ast.Await | ast.IfExp):
            outer = ctx.parent(outer)
        if not isinstance(outer, ast.Return):
            return False
    return True


def _is_inside(ctx: FileContext, node: ast.AST, cls: ast.ClassDef) -> bool:
    """Whether code stands in a class; what stands in a quoted type does not count."""
    around: ast.AST | None = node
    while around is not None and around is not cls and not isinstance(around, ast.Constant):
        around = ctx.parent(around)
    return around is cls
