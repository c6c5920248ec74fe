"""AGL253: spans that a tracer recorded, which are `Span` models today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.legacy.spans import is_span, is_trace
from codemods.names import known
from codemods.names.values import External
from codemods.rule import Hit, Rule

SYMBOL = f"{known.BASE_TRACER}.get_last_trace"
TREE = "agentlightning.tracer.triplet.TraceTree"
SECONDS = "seconds as a float, where they were nanoseconds: take out any division by 1e9"
TEXT = "span_id and trace_id are hexadecimal text, where they were numbers: take out format(...)"
CHANGED = {
    "start_time": SECONDS,
    "end_time": SECONDS,
    "context": TEXT,
    "parent": f"{TEXT}; parent_id has the parent's span_id",
    "status": 'status_code is "UNSET", "OK" or "ERROR" in text, and is_ok is gone',
    "get_span_context": "read trace_id and span_id of the span, which are hexadecimal text",
    "instrumentation_scope": "a Span does not keep it",
    "instrumentation_info": "a Span does not keep it",
    "kind": "a Span does not keep it",
}
CONVERT = (
    "it wants Span models: make them with Span.from_opentelemetry(span, rollout_id, attempt_id, 0)"
)


class RecordedSpans(Rule):
    """`span.to_json()` is rewritten; members with another type or unit are reported."""

    code = "AGL253"
    title = "A tracer's spans are `Span` models"
    why = (
        "`get_last_trace()` gave OpenTelemetry's `ReadableSpan`s up to 0.2 and gives "
        "agentlightning's `Span`s since 0.3. Name and attributes are the same; ids are text, times "
        "are seconds, and the JSON form is that of the model. `TraceTree.from_spans` takes only "
        "them."
    )
    before = "rows = [span.to_json() for span in tracer.get_last_trace()]"
    after = "rows = [span.model_dump_json() for span in tracer.get_last_trace()]"
    applicability = "review"
    nodes = (ast.Attribute, ast.Module)
    attributes = frozenset({*CHANGED, "to_json"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Members of recorded spans, and trees built from other ones."""
        if isinstance(node, ast.Module):
            for call in _trees(ctx):
                yield from _tree(call, ctx)
            return
        assert isinstance(node, ast.Attribute)
        if not _tested(node, ctx) and is_span(ctx, node.value):
            yield _member(node, ctx)


def _tested(node: ast.Attribute, ctx: FileContext) -> bool:
    """Whether only the presence of the value counts, which is as before."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.If | ast.IfExp):
        return parent.test is node
    compared = isinstance(parent, ast.Compare) and isinstance(parent.ops[0], ast.Is | ast.IsNot)
    return compared or isinstance(parent, ast.comprehension)


def _trees(ctx: FileContext) -> Iterator[ast.Call]:
    """The calls of `TraceTree.from_spans`."""
    direct = ctx.called.get(External(f"{TREE}.from_spans"), [])
    yield from direct
    for func in ctx.module.attributes.get("from_spans", ()):
        call = ctx.parent(func)
        through_name = isinstance(call, ast.Call) and call.func is func and call not in direct
        if through_name and isinstance(call, ast.Call) and ctx.qual(func.value) == TREE:
            yield call


def _tree(node: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    values = [*node.args, *(k.value for k in node.keywords)]
    if len(values) == 1 and not is_trace(ctx, values[0]):
        message = "`TraceTree.from_spans` takes Span models"
        yield Hit(node, message, reason=f"if these are OpenTelemetry's, {CONVERT}", symbol=TREE)


def _member(node: ast.Attribute, ctx: FileContext) -> Hit:
    message = f"`{node.attr}` of a recorded span is another since 0.3"
    if node.attr != "to_json":
        return Hit(node, message, reason=CHANGED[node.attr], symbol=SYMBOL)
    return Hit(
        node, message, lambda rewrite: rewrite.rename(node, "model_dump_json"), "", None, SYMBOL
    )
