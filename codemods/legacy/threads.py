"""Which code of a project runs in a thread or a task beside the rest."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.names.shapes import dotted_tail
from codemods.names.values import External, Instance, ProjectClass, ProjectFunction

_TASKS = frozenset({"create_task", "ensure_future", "gather"})
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


def in_thread_class(ctx: FileContext, node: ast.AST) -> bool:
    """Whether a node stands in the `run` method of a thread of the project's own."""
    function = ctx.function_around(node)
    cls = None if function is None else ctx.parent(function)
    if function is None or function.name != "run" or not isinstance(cls, ast.ClassDef):
        return False
    value = ProjectClass(ctx.module, cls)
    return any(base in _THREADS for base in ctx.project.inference.mro(value))


def is_task_work(ctx: FileContext, node: ast.AST) -> bool:
    """Whether a node stands in a coroutine that this file runs as a task beside others."""
    function = ctx.function_around(node)
    return isinstance(function, ast.AsyncFunctionDef) and any(
        isinstance(value := ctx.infer(work.func), ProjectFunction) and value.node is function
        for work in _tasks(ctx)
        if dotted_tail(work) == function.name
    )


def _tasks(ctx: FileContext) -> Iterator[ast.Call]:
    """The calls of coroutines that `create_task`, `ensure_future` or `gather` is given."""
    for call in ctx.module.table.nodes.get(ast.Call, ()):
        assert isinstance(call, ast.Call)
        if dotted_tail(call) in _TASKS:
            yield from (given for given in call.args if isinstance(given, ast.Call))
