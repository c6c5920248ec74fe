"""What becomes of a legacy runner after its construction."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy.trainers import uses
from codemods.names.scopes import Binding

_ONCE = frozenset({"run", "run_async"})
_RUNS = _ONCE | {"iter", "iter_async"}


def assignment(ctx: FileContext, call: ast.Call) -> ast.Assign | ast.AnnAssign | None:
    """The statement that gives a runner its one name, if there is one."""
    parent = ctx.parent(call)
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        return parent if isinstance(parent.targets[0], ast.Name | ast.Attribute) else None
    if isinstance(parent, ast.AnnAssign) and parent.value is call:
        return parent
    return None


def runs_once(ctx: FileContext, call: ast.Call) -> bool:
    """Whether the runner built here is only ever told to run one task."""
    statement = assignment(ctx, call)
    target = None
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
    elif statement is not None:
        target = statement.target
    if not isinstance(target, ast.Name):
        return False
    bindings = ctx.module.scope(target).lookup(target.id)
    if len(bindings) != 1 or bindings[0].node is not target:
        return False
    methods = set(_methods(ctx, bindings[0]))
    return bool(methods & _ONCE) and methods <= _ONCE


def _methods(ctx: FileContext, binding: Binding) -> Iterator[str]:
    """The run methods called on a name; anything else that is done with it counts as `iter`."""
    for use in uses(ctx, binding):
        parent = ctx.parent(use)
        if not isinstance(parent, ast.Attribute):
            yield "iter"
        elif parent.attr in _RUNS:
            yield parent.attr
