"""AGL252: tracers of the project's own, written for the `BaseTracer` of 0.1."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.handed_tracers import ADAPT, handed, handed_classes, named_class, sync_class
from codemods.legacy.tracers import is_sync, method_of, sync_tracers
from codemods.names import known
from codemods.names.values import External, ProjectClass
from codemods.rule import Hit, Rule

MESSAGE = "`{}` traces as 0.1 did: its `trace_context` is sync"
ADVICE = (
    "make it an async context manager that takes rollout_id and attempt_id too, or hand the "
    "tracer over as adapt_tracer(tracer) from agentlightning_compat.legacy"
)


class OwnTracers(Rule):
    """Objects of such classes are wrapped where a trainer or a runner gets them."""

    code = "AGL252"
    title = "Tracer of your own with a sync `trace_context`"
    why = (
        "A runner of 0.3 enters `trace_context(name=, rollout_id=, attempt_id=)` with `async "
        "with`, calls `init_worker(worker_id, store)`, wants `Span` models from "
        "`get_last_trace()`, and emitters use `create_span` of the tracer. `adapt_tracer` gives "
        "all of that to a tracer written for 0.1."
    )
    before = "trainer = Trainer(tracer=PrintTracer())"
    after = "trainer = Trainer(tracer=adapt_tracer(PrintTracer()))"
    applicability = "shim"
    nodes = (ast.Call, ast.ClassDef)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Tracers that are handed over, and classes whose objects are not seen to be."""
        if isinstance(node, ast.Call):
            tracer = handed(ctx, node) if sync_tracers(ctx) else None
            if tracer is not None:
                yield from _handed(tracer, ctx)
        elif isinstance(node, ast.ClassDef):
            cls = ProjectClass(ctx.module, node)
            if ctx.project.inference.derives(cls, known.TRACER):
                yield from _class(cls, ctx)


def _handed(tracer: ast.expr, ctx: FileContext) -> Iterator[Hit]:
    cls = sync_class(ctx, tracer)
    named = None if cls is not None else named_class(ctx, tracer)
    if named is not None:
        reason = f"build the object here: tracer=adapt_tracer({named.node.name}())"
        yield Hit(tracer, MESSAGE.format(named.node.name), reason=reason, symbol=known.BASE_TRACER)
    if cls is None:
        return
    message = MESSAGE.format(cls.node.name)
    if ctx.options.server == "legacy":
        reason = "LegacyAgentRunner calls _trace_context_sync(name=...): add a method of that name"
        yield Hit(tracer, message, reason=reason, symbol=known.BASE_TRACER)
        return

    def fix(rewrite: Rewrite) -> None:
        rewrite.wrap(tracer, f"{rewrite.use(ADAPT.path, tracer)}(", ")")

    yield Hit(tracer, message, fix, symbol=known.BASE_TRACER)


def _class(cls: ProjectClass, ctx: FileContext) -> Iterator[Hit]:
    context = method_of(cls, "trace_context")
    if context is not None and is_sync(ctx, cls):
        if cls not in _with_bases(ctx):
            message = MESSAGE.format(cls.node.name)
            yield Hit(context, message, reason=ADVICE, symbol=known.BASE_TRACER)
        return
    if is_sync(ctx, cls):
        return
    last = method_of(cls, "get_last_trace")
    if last is not None and "ReadableSpan" in ctx.source(last):
        reason = "make them Span models: Span.from_opentelemetry(span, rollout_id, attempt_id, 0)"
        message = "`get_last_trace` returns Span models since 0.3"
        yield Hit(last, message, reason=reason, symbol=f"{known.TRACER}.get_last_trace")
    bare = External(known.TRACER) in [ctx.infer(base) for base in cls.node.bases]
    if bare and context is not None and method_of(cls, "create_span") is None:
        reason = "define create_span and operation_context; emit_reward and others call them"
        message = f"`{cls.node.name}` has no `create_span`"
        yield Hit(context, message, reason=reason, symbol=known.TRACER)


def _with_bases(ctx: FileContext) -> set[ProjectClass]:
    """The classes that are handed over, and those that they inherit from."""
    found = handed_classes(ctx)
    return found | {base for cls in found for base in ctx.project.ancestors(cls)}
