"""Calls of `trace_context`, and the tracers that a project writes itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from codemods.context import FileContext
from codemods.legacy.instances import is_a
from codemods.names import known
from codemods.names.module import Module
from codemods.names.scopes import Binding, FunctionNode
from codemods.names.shapes import dotted_tail
from codemods.names.values import ProjectClass

Opening = Literal["sync", "async", "unclear"]

NESTED = (
    "a trace of the runner is open while the agent runs, and 0.3.0 raises ValueError for a second "
    "one: leave tracing to the runner here, or mark the part with operation(...)"
)

_ASYNC_TYPES = ("Async",)
_TODAY = frozenset({"store", "rollout_id", "attempt_id"})
_MEMO = "tracers with a sync trace_context"


class Opened(NamedTuple):
    """How the context of a trace is entered, and the `with` item that does it, if one does."""

    how: Opening
    statement: ast.With | ast.AsyncWith | None = None
    item: ast.withitem | None = None


def opened(ctx: FileContext, node: ast.expr, depth: int = 4) -> Opened:
    """How the value of an expression is entered."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.withitem):
        statement = ctx.parent(parent)
        assert isinstance(statement, ast.With | ast.AsyncWith)
        return Opened("sync" if isinstance(statement, ast.With) else "async", statement, parent)
    if isinstance(parent, ast.Call) and node in parent.args:
        tail = dotted_tail(parent)
        how = {"enter_context": "sync", "enter_async_context": "async"}.get(tail, "unclear")
        return Opened(how)  # type: ignore[arg-type]
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and depth:
        target = parent.targets[0]
        uses = [*reads(ctx.module, target)] if isinstance(target, ast.Name) else []
        found = {opened(ctx, use, depth - 1).how for use in uses}
        return Opened(found.pop() if len(found) == 1 else "unclear")
    return Opened("unclear")


def reads(module: Module, target: ast.Name) -> Iterator[ast.Name]:
    """The reads that see what is stored in a name there."""
    for name in module.names.get(target.id, ()):
        if isinstance(name.ctx, ast.Load):
            bindings = module.scope(name).lookup(name.id)
            if any(binding.node is target for binding in bindings):
                yield name


def trace_results(ctx: FileContext, item: ast.withitem) -> tuple[list[ast.Call], list[ast.Name]]:
    """The calls `x.spans()` on what `with ... as x` gave, and its other uses."""
    spans: list[ast.Call] = []
    others: list[ast.Name] = []
    if not isinstance(item.optional_vars, ast.Name):
        return spans, others
    for name in reads(ctx.module, item.optional_vars):
        attribute = ctx.parent(name)
        call = ctx.parent(attribute) if isinstance(attribute, ast.Attribute) else None
        asked = isinstance(attribute, ast.Attribute) and attribute.attr == "spans"
        if asked and isinstance(call, ast.Call) and call.func is attribute:
            spans.append(call)
        else:
            others.append(name)
    return spans, others


def own_tracers(ctx: FileContext) -> list[ProjectClass]:
    """The project's classes that derive from a tracer of agentlightning."""
    inference = ctx.project.inference
    return [cls for cls in ctx.project.classes if inference.derives(cls, known.TRACER)]


def sync_tracers(ctx: FileContext) -> list[ProjectClass]:
    """Those of them whose `trace_context` is for a plain `with`."""
    found = ctx.project.memo.get(_MEMO)
    if not isinstance(found, list):
        found = [cls for cls in own_tracers(ctx) if is_sync(ctx, cls)]
        ctx.project.memo[_MEMO] = found
    return found


def is_sync(ctx: FileContext, cls: ProjectClass) -> bool:
    """Whether the `trace_context` that a class of the project defines, or inherits, is sync."""
    for base in ctx.project.inference.mro(cls):
        if isinstance(base, ProjectClass):
            method = method_of(base, "trace_context")
            if method is not None:
                return _sync_method(method)
    return False


def method_of(cls: ProjectClass, name: str) -> FunctionNode | None:
    """The method that a class itself defines."""
    bindings: list[Binding] = cls.module.table.inner[cls.node].bindings.get(name, [])
    node = bindings[-1].node if bindings else None
    return node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _sync_method(method: FunctionNode) -> bool:
    if isinstance(method, ast.AsyncFunctionDef):
        return False
    if any(dotted_tail(d) == "contextmanager" for d in method.decorator_list):
        return True
    if method.returns is not None and any(t in ast.unparse(method.returns) for t in _ASYNC_TYPES):
        return False
    # One that takes the ids of the attempt was written for 0.2, where it was async.
    every = [*method.args.args, *method.args.kwonlyargs]
    return method.args.kwarg is None and not _TODAY & {argument.arg for argument in every}


def in_rollout(ctx: FileContext, node: ast.AST) -> bool:
    """Whether a method of an agent is around: the runner has a trace open while it runs."""
    cls = ctx.module.enclosing(node, ast.ClassDef)
    function = ctx.function_around(node)
    return (
        isinstance(cls, ast.ClassDef)
        and function is not None
        and function.name != "__init__"
        and ctx.project.inference.derives(ProjectClass(ctx.module, cls), known.LIT_AGENT)
    )


def is_tracer(ctx: FileContext, node: ast.expr) -> bool:
    """Whether an expression is a tracer of agentlightning, or of a class made from one."""
    return is_a(ctx, node, known.TRACER)
