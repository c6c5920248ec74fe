"""Where a project gives tracers of its own to trainers and runners."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy.awaiting import HELPERS
from codemods.legacy.clients import RUNNER_PARAMETERS
from codemods.legacy.instances import own_class
from codemods.legacy.objects import names_today
from codemods.legacy.tracers import is_sync, sync_tracers
from codemods.legacy.trainer_arguments import built_class
from codemods.names import known
from codemods.names.shapes import dotted_tail
from codemods.names.values import External, ProjectClass

_MEMO = "tracers that are handed over"


def handed(ctx: FileContext, call: ast.Call) -> ast.expr | None:
    """The tracer that a call gives to a trainer or a runner that it builds."""
    place = _place(ctx, call) if call.args or call.keywords else None
    if place is None:
        return None
    for keyword in call.keywords:
        if keyword.arg == "tracer":
            return keyword.value
    before = call.args[: place + 1] if place >= 0 else []
    spread = any(isinstance(argument, ast.Starred) for argument in before)
    return before[place] if place >= 0 and len(before) > place and not spread else None


def _place(ctx: FileContext, call: ast.Call) -> int | None:
    """Where the tracer stands among the positional arguments: -1 for nowhere, None for no call."""
    if ctx.is_class(call.func, *known.RUNNERS):
        return RUNNER_PARAMETERS.index("tracer")
    if names_today(ctx.infer(call.func), "LitAgentRunner"):
        return 0
    return -1 if built_class(ctx, call) is not None else None


def sync_class(ctx: FileContext, node: ast.expr) -> ProjectClass | None:
    """The project's class with a sync `trace_context` that an object is of."""
    cls = own_class(ctx, node)
    if cls is None or not ctx.project.inference.derives(cls, known.TRACER):
        return None
    return cls if is_sync(ctx, cls) else None


def named_class(ctx: FileContext, node: ast.expr) -> ProjectClass | None:
    """The same for what names the class: by itself, or in a string or a dict."""
    value = ctx.infer(node)
    if isinstance(value, ProjectClass):
        return value if value in sync_tracers(ctx) else None
    texts = [c.value for c in ast.walk(node) if isinstance(c, ast.Constant)]
    if not isinstance(node, ast.Constant | ast.Dict):
        return None
    names = {str(text).rpartition(".")[2] for text in texts}
    return next((cls for cls in sync_tracers(ctx) if cls.node.name in names), None)


def handed_classes(ctx: FileContext) -> set[ProjectClass]:
    """The classes with a sync `trace_context` whose objects are seen handed over somewhere."""
    found = ctx.project.memo.get(_MEMO)
    if not isinstance(found, set):
        found = ctx.project.memo[_MEMO] = set(_collect(ctx))
    return found


def _collect(ctx: FileContext) -> Iterator[ProjectClass]:
    for module in ctx.project.modules.values():
        inside = ctx.beside(module)
        for call in module.table.nodes.get(ast.Call, ()):
            assert isinstance(call, ast.Call)
            adapts = dotted_tail(call.func) == "adapt_tracer" and len(call.args) == 1
            if adapts and ctx.project.inference.infer(module, call.func) == ADAPT:
                value: ast.expr | None = call.args[0]
            else:
                value = handed(inside, call)
            cls = None if value is None else sync_class(inside, value)
            if cls is not None:
                yield cls


ADAPT = External(f"{HELPERS}.adapt_tracer")
