"""AGL250: `with tracer.trace_context(...)`, which is async today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import HELPERS
from codemods.legacy.instances import is_gone, is_super, may_be, own_class
from codemods.legacy.tracers import (
    NESTED,
    Opened,
    in_rollout,
    is_sync,
    is_tracer,
    opened,
    sync_tracers,
    trace_results,
)
from codemods.names import known
from codemods.rule import Fix, Hit, Rule

SYMBOL = f"{known.BASE_TRACER}.trace_context"
MESSAGE = "`trace_context` is an async context manager"
PROCESSOR = (
    "the context gives an OpenTelemetry tracer and no span processor: ask get_last_trace() of the "
    "tracer for the spans"
)


class TraceContext(Rule):
    """`async with` in async functions, the helper `trace_context` in others."""

    code = "AGL250"
    title = "`trace_context` is async"
    why = (
        "Since 0.2 `tracer.trace_context(name)` is an async context manager: a plain `with` fails. "
        "What it gives is an OpenTelemetry tracer, where it was the span processor. Only one trace "
        "may be open in a process. A store belongs to `init_worker(worker_id, store)`."
    )
    before = 'async def run():\n    with tracer.trace_context("x"):\n        await step()'
    after = 'async def run():\n    async with tracer.trace_context("x"):\n        await step()'
    applicability = "review"
    nodes = (ast.Call,)
    words = frozenset({"trace_context"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Calls of the method on tracers, by how the context is entered."""
        assert isinstance(node, ast.Call)
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "trace_context":
            return
        owner, use = node.func.value, opened(ctx, node)
        if is_super(owner) or is_gone(ctx, owner):
            return
        if not is_tracer(ctx, owner):
            if use.how == "sync" and may_be(ctx, owner, "tracer"):
                asked = f"if `{ctx.source(owner)}` is a tracer of agentlightning, annotate it"
                yield Hit(node, MESSAGE, reason=f"{asked} and run again", symbol=SYMBOL)
        elif use.how == "async":
            yield from _modern(node, owner, use, ctx)
        else:
            cls = own_class(ctx, owner)
            if cls is None or not is_sync(ctx, cls):
                yield _plain(node, owner, use, ctx)


def _plain(node: ast.Call, owner: ast.expr, use: Opened, ctx: FileContext) -> Hit:
    spans, others = ([], []) if use.item is None else trace_results(ctx, use.item)
    reason = ""
    if use.how == "unclear":
        reason = "where the context is entered is not clear: use async with there"
    elif in_rollout(ctx, node):
        reason = NESTED
    elif others or _stored_elsewhere(use) or (spans and not _simple(owner)):
        reason = PROCESSOR
    if reason:
        return Hit(node, MESSAGE, reason=reason, symbol=SYMBOL)
    alone = use.statement is not None and len(use.statement.items) == 1
    becomes_async = alone and ctx.in_async(node) and not sync_tracers(ctx)

    def fix(rewrite: Rewrite) -> None:
        if becomes_async:
            assert use.statement is not None
            start, _ = ctx.module.span(use.statement)
            rewrite.replace_span(start, start, "async ")
        else:
            rewrite.call(node).to_function(rewrite.use(f"{HELPERS}.trace_context", node))
        _spans_of_tracer(rewrite, owner, use, spans, ctx)

    return Hit(node, MESSAGE, fix, "", "review" if becomes_async else "shim", SYMBOL)


def _simple(owner: ast.expr) -> bool:
    return isinstance(owner, ast.Name | ast.Attribute)


def _stored_elsewhere(use: Opened) -> bool:
    target = None if use.item is None else use.item.optional_vars
    return target is not None and not isinstance(target, ast.Name)


def _spans_of_tracer(
    rewrite: Rewrite, owner: ast.expr, use: Opened, spans: list[ast.Call], ctx: FileContext
) -> None:
    """Ask the tracer for what the span processor gave, and name the processor no more."""
    for call in spans:
        rewrite.replace(call.func, f"{ctx.source(owner)}.get_last_trace")
    if use.item is None or use.item.optional_vars is None:
        return
    start = ctx.module.span(use.item.context_expr)[1]
    name, end = ctx.module.span(use.item.optional_vars)
    if ctx.module.text[start:name].split() != ["as"]:
        rewrite.block("parentheses stand around the context")
    rewrite.replace_span(start, end, "")


def _modern(node: ast.Call, owner: ast.expr, use: Opened, ctx: FileContext) -> Iterator[Hit]:
    """The form of 0.2: with a store, and the span processor as what it gives."""
    for keyword in node.keywords:
        if keyword.arg == "store":
            yield _store(node, keyword, ctx)
    spans, others = ([], []) if use.item is None else trace_results(ctx, use.item)
    if not spans or own_class(ctx, owner) is not None:
        return
    fix: Fix | None = None
    if not others and _simple(owner):

        def fix(rewrite: Rewrite) -> None:
            _spans_of_tracer(rewrite, owner, use, spans, ctx)

    message = "`trace_context` gives an OpenTelemetry tracer"
    yield Hit(spans[0], message, fix, "" if fix else PROCESSOR, symbol=SYMBOL)


def _store(node: ast.Call, keyword: ast.keyword, ctx: FileContext) -> Hit:
    message, symbol = "`trace_context(store=)` is deprecated", f"{known.TRACER}.trace_context"

    def fix(rewrite: Rewrite) -> None:
        rewrite.call(node).remove_keyword("store")

    if isinstance(keyword.value, ast.Constant) and keyword.value.value is None:
        return Hit(keyword, message, fix, symbol=symbol)
    store = ctx.source(keyword.value)
    reason = f"set the tracer up with init_worker(worker_id, {store}) or lifespan({store}) instead"
    return Hit(keyword, message, reason=reason, symbol=symbol)
