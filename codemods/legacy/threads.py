"""Which code of a project runs in a thread or a task beside the rest."""

from __future__ import annotations

import ast

from codemods.context import FileContext
from codemods.names.shapes import dotted_tail
from codemods.names.values import External, Instance, ProjectFunction

_THREADS = (External("threading.Thread"), External("threading.Timer"))


def thread_built(ctx: FileContext, call: ast.Call) -> bool:
    """Whether a call builds a thread."""
    if dotted_tail(call.func) not in ("Thread", "Timer"):
        return False
    value = ctx.infer(call)
    return isinstance(value, Instance) and value.of in _THREADS


def thread_target(call: ast.Call) -> ast.expr | None:
    """The function that a thread is built to run."""
    for keyword in call.keywords:
        if keyword.arg in ("target", "function"):
            return keyword.value
    return call.args[1] if len(call.args) > 1 else None


def is_run_by(ctx: FileContext, thread: ast.Call, function: ast.expr) -> bool:
    """Whether a call builds a thread that runs the function named there."""
    return thread_built(ctx, thread) and thread_target(thread) is function


def is_thread_work(ctx: FileContext, node: ast.AST) -> bool:
    """Whether an expression is (in) what a thread of this file is built to run."""
    current = ctx.parent(node)
    while current is not None:
        if isinstance(current, ast.Call) and thread_built(ctx, current):
            return True
        if isinstance(current, ast.FunctionDef) and _runs_in_thread(ctx, current):
            return True
        current = ctx.parent(current)
    return False


def _runs_in_thread(ctx: FileContext, function: ast.FunctionDef) -> bool:
    for call in ctx.module.table.nodes.get(ast.Call, ()):
        assert isinstance(call, ast.Call)
        target = thread_target(call) if thread_built(ctx, call) else None
        if target is not None and dotted_tail(target) == function.name:
            value = ctx.infer(target)
            if isinstance(value, ProjectFunction) and value.node is function:
                return True
    return False
